/** Everything durable. */
import type { Json } from '../../lib/json.ts';
import type { Limits } from '../limits.ts';
import type { ResourceKind } from '../request/feature.ts';
import type { Attention, FailureCode, Task, TaskState } from '../task.ts';
import type { DeliveryDetail, WebhookStore } from '../webhook-ports.ts';
import type { Exchange, Found, UpstreamCost, UpstreamOutput } from './provider.ts';
import type {
  AccountRow,
  AttemptRow,
  ChannelHealth,
  ChannelRow,
  EventRow,
  FileRow,
  JobRow,
  KeyRow,
  LanePace,
  LedgerRow,
  NewTask,
  NextAttempt,
  OpenAttempt,
  OpenAttemptKey,
  OperatorAction,
  OperatorNote,
  Page,
  PageQuery,
  RememberAnswer,
  RememberKey,
  ResourceRow,
  RunningAttempt,
  UsableKey,
  UsedKey,
  WaitingPlace,
  WalletRow,
} from './rows.ts';
import type { RetentionStore } from './retention.ts';
import type { SealedStore } from './secrets.ts';

/**
 * Everything durable. Every method that changes something is one transaction and compares before it sets; a
 * method that found the state already moved on changes nothing and says so. Rejects with GatewayError
 * `unavailable` when the engine cannot commit (disk full, locked), and then nothing happened.
 */
export interface Store {
  // accounts, keys, channels
  createAccount(row: AccountRow, remember?: RememberKey | null): Promise<void>;
  /** `limits: null` takes them away. */
  updateAccount(
    id: string,
    patch: Partial<Pick<AccountRow, 'name' | 'status'>> & { limits?: Limits | null },
    at: number,
  ): Promise<AccountRow | null>;
  getAccount(id: string): Promise<AccountRow | null>;
  listAccounts(query: PageQuery): Promise<Page<AccountRow>>;
  createKey(row: KeyRow & { keyHash: string }, remember?: RememberAnswer | null): Promise<void>;
  listKeys(accountId: string): Promise<KeyRow[]>;
  /** Null when there is no such key. `limits: null` takes them away. */
  updateKey(
    input: { accountId: string; id: string; at: number },
    patch: { name?: string; limits?: Limits | null },
  ): Promise<KeyRow | null>;
  /** Null when there is no such key, or it is revoked already. */
  revokeKey(accountId: string, id: string, at: number): Promise<KeyRow | null>;
  /** Only keys that are not revoked, with the account's status. */
  findKeyByHash(keyHash: string): Promise<UsableKey | null>;
  findKeyByAccessKey(accessKey: string): Promise<UsableKey | null>;
  createChannel(row: ChannelRow, remember?: RememberKey | null): Promise<void>;
  updateChannel(id: string, patch: Partial<Omit<ChannelRow, 'id' | 'createdAt'>>): Promise<ChannelRow | null>;
  /** Deleted channels stay readable by id, so that their running tasks can be polled to the end. */
  deleteChannel(id: string, at: number): Promise<boolean>;
  getChannel(id: string): Promise<ChannelRow | null>;
  listChannels(): Promise<ChannelRow[]>;
  /** Channels, deleted ones included, that still have open attempts or waiting tasks. */
  channelsWithWork(): Promise<ChannelRow[]>;

  // tasks
  /**
   * Task + hold + event (+ attempt, + what recognises a repeat). Refuses with `duplicate_external_task_id`,
   * `insufficient_quota`, `concurrency_limit_exceeded`, `spend_limit_exceeded`, or with `request_in_progress` where
   * the idempotency key was used in the meantime.
   */
  acceptTask(input: NewTask): Promise<void>;
  /** Opens attempts for waiting tasks; answers the ids of those that were still waiting. */
  openAttempts(
    attempts: {
      id: string;
      taskId: string;
      channelId: string;
      owner: string;
      submitDeadlineAt: number;
      at: number;
    }[],
  ): Promise<string[]>;
  /** submitting -> accepted. False when it was no longer submitting. */
  acceptAttempt(input: { attemptId: string; ref: Json; at: number; exchanges: Exchange[] }): Promise<boolean>;
  /**
   * submitting -> refused; the task goes back to waiting on `channelId` (the same or another) in `pool`. With `next`
   * nobody else takes it up: that attempt is open there at once.
   */
  refuseAttempt(input: {
    attemptId: string;
    at: number;
    upstreamCode: string | null;
    message: string;
    channelId: string;
    pool: string;
    next?: NextAttempt | null;
    exchanges: Exchange[];
  }): Promise<boolean>;
  /**
   * accepted -> failed although certainly nothing was made or charged: the task waits again where it was, to be
   * submitted under `upstreamHandle`. False when it was no longer accepted.
   */
  returnAttempt(input: {
    attemptId: string;
    at: number;
    upstreamCode: string | null;
    message: string;
    upstreamHandle: string;
    exchanges: Exchange[];
  }): Promise<boolean>;
  /**
   * Tasks that wait for `from` wait for `to` instead, each in its pool there; answers the ids of those that still waited.
   * `reason` is for the flight recorder.
   */
  moveWaiting(input: {
    tasks: { id: string; pool: string }[];
    from: string;
    to: string;
    reason: string;
    at: number;
  }): Promise<string[]>;
  /** An attempt in doubt gets a new owner and deadline, so that it can be sent again with the same handle. */
  reopenAttempt(input: {
    attemptId: string;
    owner: string;
    submitDeadlineAt: number;
    at: number;
  }): Promise<boolean>;
  /** queued -> in_progress, with its event. False when it was not queued. */
  startTask(input: { taskId: string; at: number }): Promise<boolean>;
  /**
   * accepted -> made, and the job that will fetch the outputs. False when it was made already. With `atOnce`:
   * submitting -> made, because the answer to the submit was the end of it; the job is due at `fetchAt`, for who
   * submitted fetches by itself and may die meanwhile.
   */
  madeAttempt(input: {
    attemptId: string;
    at: number;
    outputs: UpstreamOutput[];
    found?: Found | null;
    cost: UpstreamCost | null;
    exchanges: Exchange[];
    atOnce?: { ref: Json; fetchAt: number };
  }): Promise<boolean>;
  /** Completed + settle + usage + event, or failed + release + event: one transaction. False when already final. */
  finishTask(input: FinishTask): Promise<boolean>;
  /** queued with no open attempt -> cancelled + release + event. False when it may have been submitted. */
  cancelTask(input: { taskId: string; at: number }): Promise<boolean>;
  /**
   * failed -> queued with a new hold and counted in again. Null when the task is no longer as it was seen (`retries`
   * retries, failed, not hidden). Refuses with `insufficient_quota`, `concurrency_limit_exceeded`,
   * `spend_limit_exceeded`. With `attempt` the new attempt is open from the start, to be looked up under the old handle.
   */
  retryTask(input: RetryTask): Promise<OperatorAction | null>;
  /** Gives back `amountMicros`, or all that is left of the charge when null; refuses with `conflict`, `invalid_value`. */
  refundTask(input: {
    taskId: string;
    amountMicros: bigint | null;
    audit: OperatorNote;
    at: number;
    remember?: RememberKey | null;
  }): Promise<OperatorAction>;
  /**
   * Ends a task that is not final, with release and event; of one that was lost it notes that an operator has dealt with
   * it. Refuses with `conflict` where there is nothing to end.
   */
  failTask(input: {
    taskId: string;
    audit: OperatorNote;
    at: number;
    remember?: RememberKey | null;
  }): Promise<OperatorAction>;
  /** Hides a final task from every dialect. */
  hideTask(input: { taskId: string; at: number }): Promise<boolean>;
  getTask(id: string): Promise<Task | null>;
  /** By id or by the account's own external id; hidden ones are not found. */
  findTask(accountId: string, idOrExternalId: string): Promise<Task | null>;
  listTasks(query: {
    accountId: string;
    surface?: string;
    order: 'asc' | 'desc';
    after?: string;
    limit: number;
  }): Promise<Task[]>;
  pageTasks(query: { accountId: string; surface: string; offset: number; limit: number }): Promise<Task[]>;
  /** An account's, newest first, hidden ones left out; in any of the states. A page may come short like those below. */
  searchTasks(
    query: PageQuery & { accountId: string; states?: TaskState[]; createdFrom?: number; createdTo?: number },
  ): Promise<Page<Task>>;
  /** For operators: hidden ones included. A page may come short though more follow: only `nextCursor` tells. */
  adminTasks(
    query: PageQuery & {
      accountId?: string;
      state?: TaskState;
      channelId?: string;
      model?: string;
      tier?: string;
      createdFrom?: number;
      createdTo?: number;
      attention?: Attention;
    },
  ): Promise<Page<Task>>;
  /** The next tasks of a channel's pool: accounts take turns, each with its highest priority first, then by arrival. */
  waitingTasks(channelId: string, pool: string, limit: number): Promise<Task[]>;
  /** Walks through the waiting tasks of a pool, whoever's turn it is. */
  waitingPage(channelId: string, pool: string, after: Task | null, limit: number): Promise<Task[]>;
  /** {@link waitingPage} with places only. */
  waitingPlaces(
    channelId: string,
    pool: string,
    after: WaitingPlace | null,
    limit: number,
  ): Promise<WaitingPlace[]>;
  /** Accounts with tasks waiting in a pool; the one whose turn is next comes first. */
  accountsWaiting(channelId: string, pool: string): Promise<string[]>;
  /** Pools of a channel in which tasks wait. */
  waitingPools(channelId: string): Promise<string[]>;
  waitingCount(channelId: string): Promise<number>;
  /** How often a channel has refused a task so far. */
  refusalsOf(taskId: string, channelId: string): Promise<number>;
  /** How long tasks lately kept their places at a channel, by pool. */
  lanePaces(channelId: string): Promise<LanePace[]>;
  notePace(pace: LanePace & { at: number }): Promise<void>;
  /** Channels that had trouble since they were made. */
  channelHealth(): Promise<ChannelHealth[]>;
  noteHealth(health: ChannelHealth): Promise<void>;
  /** The next attempts `submitting` or `accepted` on a channel by id; there may be as many as tasks run there. */
  openAttemptsOf(channelId: string, after: string | null, limit: number): Promise<RunningAttempt[]>;
  /** Those of a channel's open attempts that were made since `since` (Unix ms). */
  openAttemptKeys(channelId: string, since: number): Promise<OpenAttemptKey[]>;
  /** How many attempts are open on a channel. */
  openAttemptCount(channelId: string): Promise<number>;
  /**
   * Puts waiting tasks in doubt, at most `limit` by id after `after`: they are looked up before anything is sent. Only
   * for a database that was restored.
   */
  doubtWaiting(input: {
    after: string;
    limit: number;
    owner: string;
    at: number;
  }): Promise<{ doubted: number; next: string | null }>;
  getAttempt(id: string): Promise<OpenAttempt | null>;
  /** The current attempt of a task, open or made. */
  currentAttempt(taskId: string): Promise<OpenAttempt | null>;
  /** Tasks that are not final although their deadline has passed. */
  overdueTasks(at: number, limit: number): Promise<Task[]>;
  /** Completed tasks whose files are due for deletion. */
  expiredMedia(at: number, limit: number): Promise<Task[]>;
  forgetMedia(input: { taskId: string; at: number }): Promise<boolean>;
  /** Tasks that are not final, by state (for metrics; never a count over finished ones). */
  taskCounts(): Promise<Partial<Record<TaskState, number>>>;
  /** How many tasks call for an operator, by reason. */
  attentionCounts(): Promise<Record<Attention, number>>;
  /** The flight recorder: everything known of one task. */
  taskRecord(id: string): Promise<TaskRecord | null>;

  // resources and files
  /** The account's own, neither deleted nor expired at `at`. */
  findResource(accountId: string, kind: ResourceKind, id: string, at: number): Promise<ResourceRow | null>;
  /** Whether some account owns what an upstream calls so: then nobody else may name it directly. */
  isOwnedUpstream(kind: ResourceKind, upstreamId: string): Promise<boolean>;
  /** Whether the id is one of ours, whoever owns it, deleted and expired ones included. */
  isResourceId(kind: ResourceKind, id: string): Promise<boolean>;
  pageResources(query: {
    accountId: string;
    kind: ResourceKind;
    at: number;
    offset: number;
    limit: number;
  }): Promise<ResourceRow[]>;
  deleteResource(input: { accountId: string; kind: ResourceKind; id: string; at: number }): Promise<boolean>;
  createFile(row: FileRow, remember?: RememberKey | null): Promise<void>;
  findFile(accountId: string, id: string, at: number): Promise<FileRow | null>;
  listFiles(query: {
    accountId: string;
    purpose?: string;
    order: 'asc' | 'desc';
    after?: string;
    limit: number;
    at: number;
  }): Promise<FileRow[]>;
  deleteFile(accountId: string, id: string): Promise<FileRow | null>;
  expiredFiles(at: number, limit: number): Promise<FileRow[]>;
  /** Sum of an account's top-ups and adjustments. */
  toppedUp(accountId: string): Promise<bigint>;

  // repeats
  /** What a key was used for, unless that is longer ago than keys are kept. */
  /** Notes what a key was used for, where that has no row of its own. */
  rememberAnswer(input: { remember: RememberAnswer; subjectId: string; at: number }): Promise<void>;
  findUsedKey(scope: string, key: string, at: number): Promise<UsedKey | null>;
  /**
   * The task of an earlier sending of this request, sent since `since`; null when there is none that a sending with
   * this count or a later one has not been given already. Gives each task to one sending of a count only.
   */
  claimSending(input: {
    keyId: string;
    requestHash: string;
    retryCount: number;
    since: number;
  }): Promise<string | null>;
  /** Forgets keys that expired and sendings before `sentBefore`; answers how many, at most about `limit` of each. */
  forgetRepeats(input: { at: number; sentBefore: number; limit: number }): Promise<number>;

  // money
  /** Money in or a signed correction; a correction below zero available is refused with `insufficient_quota`. */
  post(input: {
    accountId: string;
    kind: 'top_up' | 'adjustment';
    amountMicros: bigint;
    note: string | null;
    at: number;
    /** Kept with the wallet as it is afterwards (`{availableMicros, heldMicros}` as texts). */
    remember?: RememberKey | null;
  }): Promise<LedgerRow[]>;
  getWallet(accountId: string): Promise<WalletRow>;
  listLedger(accountId: string, query: PageQuery): Promise<Page<LedgerRow>>;
  verifyLedger(): Promise<LedgerVerdict>;

  // jobs, events, and whoever is told of them
  jobs: JobStore;
  webhooks: WebhookStore;
  sealed: SealedStore;
  retention: RetentionStore;
  getEvent(id: string): Promise<EventRow | null>;
  listEvents(query: PageQuery & { accountId?: string; taskId?: string }): Promise<Page<EventRow>>;

  /**
   * Runs `listener` after a commit that touched the topic: `lane:<channelId>` (a task began to wait there), `health`,
   * `jobs:<queue>`, `channels`, `attention` (a task calls for an operator), `keys`, `deliveries`; what was told under
   * `hint:<channelId>` comes with the task it speaks of. `detail` is null where there is none, and after an
   * interruption in which something may have been missed.
   */
  onCommit(topic: string, listener: (detail: string | null) => void): () => void;
  /** Lets the listeners of a topic know, on every node; a detail follows the topic after a space. */
  tell(topic: string): Promise<void>;
  /** Runs `work` while no other node that shares the store runs any: what is made once for all of them. */
  alone<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Throws when the engine cannot be reached. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Counts within a window of time that begins with the first count; a restart may begin anew. */
export interface Counters {
  /** Counts one more; answers how many there are in this window, and how long it still lasts. */
  count(name: string): Promise<{ count: number; resetMs: number }>;
}

/** Rows behind the Jobs port on the embedded engine. */
export interface JobStore {
  /** Adds a job that is due at `runAt`; answers its id. Changes add theirs in their own transaction. */
  enqueue(job: { queue: string; data: Json; runAt: number; at: number }): Promise<string>;
  claim(input: { queue: string; limit: number; leaseUntil: number; at: number }): Promise<JobRow[]>;
  complete(id: string): Promise<void>;
  /** Runs again at `runAt`, or is buried when null. */
  fail(id: string, input: { runAt: number | null; error: string }): Promise<void>;
  /** Makes every job of the queue due so much sooner, and its leases end: the clock was put back. */
  bringForward(queue: string, byMs: number): Promise<void>;
  /** When the next job of the queue is due, Unix ms; null when none waits. */
  nextRunAt(queue: string): Promise<number | null>;
  /** How many are `waiting`, `active` and `buried`, by queue. */
  counts(): Promise<{ queue: string; state: string; count: number }[]>;
}

/** Runs one statement (`$1`, `$2`, …) in the transaction that is about to commit. */
export type ExecuteSql = (text: string, values?: unknown[]) => Promise<{ rows: unknown[] }>;

/** A job as a change asked for it; `id` is a UUID. */
export interface PendingJob {
  id: string;
  queue: string;
  data: Json;
  /** Unix ms. */
  runAt: number;
  at: number;
}

/**
 * An engine of background jobs that lives in the store's own database: the jobs of a transaction are handed to it right
 * before the commit, so that they exist exactly when the change does. A rejection undoes the transaction.
 */
export interface JobWriter {
  insert(jobs: PendingJob[], executeSql: ExecuteSql): Promise<void>;
}

export interface FinishTask {
  taskId: string;
  attemptId: string | null;
  at: number;
  exchanges: Exchange[];
  outcome:
    | {
        state: 'completed';
        result: TaskResultInput;
        chargeMicros: bigint;
        quantity: number;
        /** Rows that come into being with the result. */
        resources?: ResourceRow[];
        /** Where the upstream answered at once and the attempt was never seen running. */
        cost?: UpstreamCost | null;
      }
    | {
        state: 'failed';
        code: FailureCode;
        message: string;
        attemptState: 'failed' | 'refused' | 'lost' | null;
      };
}

export interface RetryTask {
  taskId: string;
  /** As it was seen when this was decided. */
  retries: number;
  channelId: string;
  pool: string;
  /** What upstreams will call it; null: its id. */
  upstreamHandle: string | null;
  attempt: { id: string; owner: string; submitDeadlineAt: number } | null;
  deadlineAt: number;
  mediaExpiresAt: number | null;
  audit: OperatorNote;
  at: number;
  remember?: RememberKey | null;
}

export type TaskResultInput = NonNullable<Task['result']>;

export interface TaskRecord {
  task: Task;
  attempts: AttemptRow[];
  events: EventRow[];
  exchanges: (Exchange & { attemptId: string })[];
  ledger: LedgerRow[];
  usage: UsageRow[];
  deliveries: DeliveryDetail[];
}

export interface UsageRow {
  id: string;
  accountId: string;
  taskId: string;
  tier: string;
  unit: string;
  quantity: number;
  amountMicros: bigint;
  cost: UpstreamCost | null;
  createdAt: number;
}

export interface LedgerVerdict {
  ok: boolean;
  /** Rows read. */
  entries: number;
  sumMicros: bigint;
  /** Each a sentence that names the account or task and both figures. */
  mismatches: string[];
}
