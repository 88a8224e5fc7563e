/**
 * What every flow is given: the ports, once, by the composition root. Flows know no framework, no SQL, no
 * provider's or dialect's name.
 */
import type { Catalogue } from '../core/catalogue.ts';
import type { PriceBook } from '../core/pricing.ts';
import type {
  Channel,
  ChannelRow,
  Clock,
  Exchange,
  Json,
  MediaStore,
  Provider,
  Store,
  TaskView,
} from '../core/ports.ts';
import type { UpstreamError } from '../core/errors.ts';
import type { TaskRequest } from '../core/request/feature.ts';
import type { Task } from '../core/task.ts';
import type { GuardedHttp } from '../lib/guarded-http.ts';
import type { SealKey } from '../lib/seal.ts';

/**
 * Named steps at which a test may pull the plug: it throws there, and the flow is abandoned as if the process had
 * died. Inert unless a test passes one; the product has no switch for it.
 */
export type Faults = (step: FaultStep) => void;
export type FaultStep =
  | 'submit:before-accept'
  | 'submit:after-accept'
  | 'attempt:before-upstream'
  | 'attempt:after-upstream'
  | 'attempt:after-record'
  | 'advance:after-start'
  | 'advance:before-made'
  | 'advance:after-made'
  | 'persist:before-download'
  | 'persist:after-download'
  | 'persist:before-finish'
  | 'persist:after-finish'
  | 'deliver:before-post'
  | 'deliver:after-post';

/** A place in a channel's lane, taken before the task is committed so that two requests cannot take the same one. */
export interface Slot {
  /** Submits the attempt that the task was accepted with; settles when its outcome is recorded. Never rejects. */
  submit(task: Task, attemptId: string): Promise<void>;
  /** Gives the place back unused. */
  release(): void;
  /** The store broke off: the task may have been committed all the same. The lane looks after it. */
  leave(task: Task, attemptId: string): void;
}

/** The lanes as flows see them. */
export interface Lanes {
  /** A free slot when nobody waits before us, else null: then the task waits for its lane. */
  reserve(channelId: string, request: TaskRequest): Slot | null;
  /** False while the channel's circuit breaker is open: it refused for reasons of its own, or does not answer. */
  isHealthy(channelId: string): boolean;
  /** What was heard of a channel outside its lane: it accepted (null), or refused. */
  heard(channelId: string, refusal: UpstreamError | null): void;
  /** Makes the next poll of this task due now (a push arrived). */
  hint(channelId: string, taskId: string): void;
  /** Sees to it that an attempt which nobody submits any more, and which may not be recorded, is settled. */
  lookAfter(task: Task, attemptId: string): void;
  /** Attempts running now, submitting ones included, whichever process holds the lane. */
  running(channelId: string): Promise<number>;
}

/** The configured channels, opened. */
export interface Channels {
  /** Deleted ones too. */
  get(id: string): Promise<ChannelRow | null>;
  /** Candidates for routing, from memory. */
  all(): Promise<ChannelRow[]>;
  /** The row as it counts just now: a channel of the sandbox is switched off while there is no sandbox. */
  asItCounts(row: ChannelRow): ChannelRow;
  /** `onExchange` null: nothing of what is said is kept. */
  /** A signed link to a stored input for this channel's upstream; null when it cannot reach us. */
  mediaUrl(row: ChannelRow, key: string): string | null;
  open(row: ChannelRow, onExchange: ((exchange: Exchange) => void) | null): Channel;
}

export interface FlowContext {
  store: Store;
  catalogue: Catalogue;
  priceBook: PriceBook;
  providers: ReadonlyMap<string, Provider>;
  channels: Channels;
  lanes: Lanes;
  media: MediaStore;
  guarded: GuardedHttp;
  clock: Clock;
  faults: Faults;
  /** Uniform in [0, 1): weights and jitter. */
  random(): number;
  newId(prefix: `${string}_`): string;
  newTaskId(): string;
  /** 18 decimal digits, increasing. */
  newDecimalId(): string;
  /** Names this process among those that share a store. */
  owner: string;
  /** Signs a path and query of ours until `expiresAt` (Unix seconds); answers an absolute URL. */
  signedLink(pathAndQuery: string, expiresAt: number): string;
  /** Seals what is entrusted to us; the first key seals, all of them open. */
  keyring: readonly SealKey[];
  /** A task in the shape that all doors share, for webhooks. */
  renderTask(view: TaskView): Json;
  /** A task in the words of the dialect it was created in; null where that dialect has no callbacks. */
  renderCallback(view: TaskView): Json | null;
  settings: FlowSettings;
}

export interface FlowSettings {
  /** Sandbox channels stay candidates beside real ones. */
  sandboxAlways: boolean;
  /** How long a create waits for its upstream before it answers `queued` all the same. */
  submitWaitMs: number;
  /** Until when a submit is trusted to be under way. */
  submitTimeoutMs: number;
  taskDeadlineMs: number;
  /** How long our copies are kept where the caller says nothing. */
  retentionMs: number;
  linkLifetimeSeconds: number;
  /** Largest picture a caller may inline or upload. */
  imageBytesMax: number;
  /** Largest file we fetch from an upstream. */
  outputBytesMax: number;
}
