/** What is kept: rows as the store hands them out. */
import type { Json } from '../../lib/json.ts';
import type { Limits } from '../limits.ts';
import type { ResourceKind, TaskRequest } from '../request/feature.ts';
import type { Task } from '../task.ts';
import type { ResponseStyle } from './access.ts';
import type { Found, UpstreamCost, UpstreamOutput } from './provider.ts';

export interface AccountRow {
  id: string;
  name: string;
  status: 'active' | 'disabled';
  createdAt: number;
  /** Absent: none. */
  limits?: Limits;
}

export interface KeyRow {
  id: string;
  accountId: string;
  name: string;
  /** First and last characters of the API key, for people. */
  hint: string;
  accessKey: string;
  secretKeySealed: string;
  responseStyle: ResponseStyle;
  createdAt: number;
  revokedAt: number | null;
  /** Absent: none. */
  limits?: Limits;
}

/** A key that may be used, with what counts of its account. */
export interface UsableKey extends KeyRow {
  accountStatus: AccountRow['status'];
  accountLimits?: Limits;
}

export interface ChannelRow {
  id: string;
  name: string;
  provider: string;
  credentialSealed: string;
  /** null: the provider's default, or the sandbox for sandbox channels. */
  baseUrl: string | null;
  priority: number;
  weight: number;
  /** Most tasks running at once; null: the provider's default. */
  concurrency: number | null;
  requestsPerSecond: number | null;
  enabled: boolean;
  sandbox: boolean;
  /** Whether callers may switch off the upstream's own checks of content; absent: no. */
  allowsComplianceSwitches?: boolean;
  createdAt: number;
  updatedAt: number;
}

/**
 * Whether a channel is to be trusted with new tasks. `open`: it refused for reasons of its own, or does not answer, and
 * is left alone until `retryAt`; `half_open`: one submit or probe tries whether it works again.
 */
export interface ChannelHealth {
  channelId: string;
  state: 'closed' | 'open' | 'half_open';
  /** When it came into this state. */
  since: number;
  /** A sentence, with the upstream's code where it gave one; null while closed. */
  reason: string | null;
  retryAt: number | null;
  /** Times it opened since a submit was last accepted: it is left alone ever longer. */
  trips: number;
}

/** How long a task of a pool lately kept its places at the upstream: milliseconds times units. */
export interface LanePace {
  channelId: string;
  pool: string;
  taskMs: number;
}

/** Where a waiting task stands among those of its account. */
export interface WaitingPlace {
  accountId: string;
  /** Lower first, then by id. */
  rank: number;
  taskId: string;
}

export type AttemptState = 'submitting' | 'accepted' | 'made' | 'refused' | 'failed' | 'lost';

export interface AttemptRow {
  id: string;
  taskId: string;
  channelId: string;
  number: number;
  state: AttemptState;
  ref: Json | null;
  /** The process that is submitting, and until when it is trusted to (Unix ms). */
  owner: string;
  submitDeadlineAt: number;
  createdAt: number;
  acceptedAt: number | null;
  endedAt: number | null;
  outputs: UpstreamOutput[] | null;
  found: Found | null;
  cost: UpstreamCost | null;
  upstreamCode: string | null;
  message: string | null;
}

/** An attempt that follows at once on one that was refused. */
export interface NextAttempt {
  id: string;
  owner: string;
  submitDeadlineAt: number;
}

/** An open attempt with what the lane needs of its task. */
export interface OpenAttempt {
  attempt: AttemptRow;
  task: Task;
}

/** An open attempt with the little that a lane keeps of it. */
export interface RunningAttempt {
  attemptId: string;
  taskId: string;
  /** Null: in doubt, nothing is known of it yet. */
  ref: Json | null;
  acceptedAt: number;
  /** The task's. */
  deadlineAt: number;
  /** The task was seen running already. */
  started: boolean;
  request: TaskRequest;
}

/** Names an open attempt. */
export interface OpenAttemptKey {
  attemptId: string;
  taskId: string;
}

/** A thing that belongs to the account that made it and is pinned to the channel that knows it. */
export interface ResourceRow {
  /** Public id: decimal digits, because clients of this family send some of them as numbers. */
  id: string;
  accountId: string;
  kind: ResourceKind;
  channelId: string;
  upstreamId: string;
  name: string | null;
  data: Json;
  taskId: string | null;
  createdAt: number;
  expiresAt: number | null;
  deletedAt: number | null;
}

/** A file the account keeps with us. */
export interface FileRow {
  id: string;
  accountId: string;
  filename: string;
  purpose: string;
  contentType: string;
  bytes: number;
  width: number | null;
  height: number | null;
  mediaKey: string;
  createdAt: number;
  expiresAt: number | null;
}

export type LedgerKind = 'top_up' | 'adjustment' | 'hold' | 'settle' | 'release' | 'refund';
/** `available` and `held` are the account's; `revenue` and `funding` are the house's. */
export type LedgerBook = 'available' | 'held' | 'revenue' | 'funding';

export interface LedgerRow {
  id: string;
  /** Rows of one posting sum to zero. */
  postingId: string;
  accountId: string;
  kind: LedgerKind;
  book: LedgerBook;
  amountMicros: bigint;
  taskId: string | null;
  note: string | null;
  /** The operator who did it; absent where nobody did it by hand. */
  author?: string;
  createdAt: number;
}

/** Who did something by hand, and why: kept with the posting and in the flight recorder. */
export interface OperatorNote {
  author: string;
  note: string;
}

/** What an operator did to a task; every such action has a posting, of zero where no money moved. */
export interface OperatorAction extends OperatorNote {
  /** Of its event. */
  id: string;
  action: 'retried' | 'refunded' | 'failed';
  taskId: string;
  postingId: string;
  /** What was held again, given back to the wallet, or released. */
  amountMicros: bigint;
  createdAt: number;
}

export interface WalletRow {
  accountId: string;
  availableMicros: bigint;
  heldMicros: bigint;
}

/** A fact with a dotted type, committed together with the change it describes: state history and outbox in one. */
export interface EventRow {
  id: string;
  type: string;
  accountId: string;
  taskId: string | null;
  data: Json;
  createdAt: number;
}

export interface NewTask {
  task: Task;
  /** Opened at once when the request itself will submit; null: the task waits for its lane. */
  attempt: { id: string; owner: string; submitDeadlineAt: number } | null;
  /** Committed with the task, so that after a crash a repeat finds both or neither. */
  remember?: RememberKey | RememberSending | null;
}

/** An idempotency key that is being used. */
export interface RememberKey {
  kind: 'key';
  /** An account's id, or `admin`: a key means nothing to anybody else. */
  scope: string;
  key: string;
  requestHash: string;
  expiresAt: number;
  /** What it named before, where that came to nothing and may be tried again. */
  replaces: string | null;
}

/** {@link RememberKey} with the first answer, where it cannot be rendered again from what it was about. */
export interface RememberAnswer extends RememberKey {
  response: Json;
}

/** A create that an SDK sent and may send again by itself. */
export interface RememberSending {
  kind: 'sending';
  requestHash: string;
  retryCount: number;
}

/** What an idempotency key was used for. */
export interface UsedKey {
  requestHash: string;
  /** The task, the file, the posting it made. */
  subjectId: string;
  /** The first answer, where it cannot be rendered again from the subject. */
  response: Json;
}

export interface JobRow {
  id: string;
  queue: string;
  data: Json;
  attempts: number;
}

/** One page by keyset: `nextCursor` is null on the last one. */
export interface Page<Row> {
  rows: Row[];
  nextCursor: string | null;
}

export interface PageQuery {
  cursor: string | null;
  limit: number;
}
