import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import type { Currency } from '../core/money.ts';
import type {
  Admin,
  Clock,
  Content,
  Counters,
  Dialect,
  Gateway,
  Json,
  Measure,
  Principal,
  SecretKeeper,
} from '../core/ports.ts';
import type { Attention, TaskState } from '../core/task.ts';

/** What the HTTP shell is given; it knows nothing of what is behind these. */
export interface ServerOptions {
  /** False on a node that only works in the background: then there is nothing but health and metrics. */
  answersCallers?: boolean;
  gateway: Gateway;
  admin: Admin;
  dialects: readonly Dialect<FastifyInstance>[];
  /**
   * Who a credential belongs to: an API key or an access token signed with an AK/SK pair. Answers at once where it
   * can; refuses with a GatewayError.
   */
  authenticate(credential: string, caller: { readonly ip: string }): Principal | Promise<Principal>;
  /** Requests per minute of those who are limited. */
  counters: Counters;
  /** Addresses and ranges of the proxies whose word on a caller's address is taken; absent: nobody's. */
  trustProxy?: readonly string[];
  /** Whether a text is the admin token, compared in constant time. */
  isAdminToken(token: string): boolean;
  /** The bytes behind a signed link; refuses with `file_not_found` and the like. */
  openContent(taskId: string, file: string): Promise<Content>;
  /** The bytes of a stored input behind a signed link; refuses with `file_not_found`. */
  openInput(key: string): Promise<Content>;
  /**
   * An upstream says that something happened to a task. Only a hint: what throws here is logged and the upstream gets
   * its 200 all the same, except for `not_found` and `task_not_found`.
   */
  onPush(channelId: string, taskId: string, body: Json): Promise<void>;
  /** Keys of signed links, content and upstream pushes: a link of any of them holds. */
  linkKeys: readonly Uint8Array[];
  /** Changes root keys. */
  secrets: SecretKeeper;
  /** How callers reach us, without a trailing slash, for the API description; empty: wherever they found it. */
  publicUrl: string;
  currency: Currency;
  version: string;
  clock: Clock;
  logger: FastifyBaseLogger;
  /** By name; each throws when what it asks is out of reach. */
  readiness: Record<string, () => Promise<void>>;
  /** True from the moment the process is told to end: what is in hand finishes, callers had better go elsewhere. */
  isDraining(): boolean;
  /** Tasks by state, for `/metrics`. */
  taskCounts(): Promise<Partial<Record<TaskState, number>>>;
  /** Tasks that call for an operator, by reason, for `/metrics`. */
  attentionCounts(): Promise<Record<Attention, number>>;
  /** What else `/metrics` shows. */
  measures: readonly Measure[];
}
