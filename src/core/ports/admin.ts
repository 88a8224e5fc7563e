/** What operators can do. */
import type { Intent } from '../intent.ts';
import type { Limits } from '../limits.ts';
import type { Currency } from '../money.ts';
import type { Task } from '../task.ts';
import type { Webhooks } from '../webhook-ports.ts';
import type { ResponseStyle } from './access.ts';
import type { QueuePlace } from './gateway.ts';
import type {
  AccountRow,
  ChannelHealth,
  ChannelRow,
  KeyRow,
  LedgerRow,
  OperatorAction,
  OperatorNote,
  Page,
  PageQuery,
  WalletRow,
} from './rows.ts';
import type { LedgerVerdict, Store, TaskRecord } from './store.ts';

/** What a new key's owner sees exactly once. */
export interface IssuedKey {
  id: string;
  apiKey: string;
  accessKey: string;
  secretKey: string;
}

/** A channel as operators see it: never the credential. */
export interface ChannelView extends Omit<ChannelRow, 'credentialSealed'> {
  /** Running and waiting now. */
  running: number;
  waiting: number;
  health: ChannelHealth;
}

/** What the admin API, the console and the CLI can do. Refusals are GatewayErrors. */
export interface Admin {
  listAccounts(query: PageQuery): Promise<Page<AccountRow>>;
  createAccount(input: { name: string }, intent?: Intent | null): Promise<AccountRow & { replayed?: true }>;
  getAccount(id: string): Promise<AccountRow>;
  /** `limits: null` takes them away. */
  updateAccount(
    id: string,
    patch: { name?: string; status?: AccountRow['status']; limits?: Limits | null },
  ): Promise<AccountRow>;
  listKeys(accountId: string): Promise<KeyRow[]>;
  createKey(
    accountId: string,
    input: { name: string; responseStyle: ResponseStyle; limits?: Limits },
    intent?: Intent | null,
  ): Promise<IssuedKey & { replayed?: true }>;
  updateKey(
    accountId: string,
    keyId: string,
    patch: { name?: string; limits?: Limits | null },
  ): Promise<KeyRow>;
  revokeKey(accountId: string, keyId: string): Promise<KeyRow>;
  topUp(
    accountId: string,
    input: { amountMicros: bigint; note: string | null },
    intent?: Intent | null,
  ): Promise<WalletRow & { replayed?: true }>;
  wallet(accountId: string): Promise<WalletRow>;
  ledger(accountId: string, query: PageQuery): Promise<Page<LedgerRow>>;
  verifyLedger(): Promise<LedgerVerdict>;
  listChannels(): Promise<ChannelView[]>;
  createChannel(input: ChannelInput, intent?: Intent | null): Promise<ChannelView & { replayed?: true }>;
  getChannel(id: string): Promise<ChannelView>;
  updateChannel(id: string, patch: Partial<Omit<ChannelInput, 'provider'>>): Promise<ChannelView>;
  deleteChannel(id: string): Promise<void>;
  probeChannel(id: string): Promise<{ ok: boolean; message: string }>;
  listTasks(query: Parameters<Store['adminTasks']>[0]): Promise<Page<Task>>;
  /** With `place` while the task waits for its lane. */
  taskRecord(id: string): Promise<TaskRecord & { place?: QueuePlace }>;
  /**
   * Queues a failed task anew, under a new hold. Where an earlier attempt may exist upstream it is looked up first;
   * where that is not possible the retry is refused unless `acceptPossibleDuplicate`.
   */
  retryTask(
    id: string,
    input: OperatorNote & { acceptPossibleDuplicate: boolean },
    intent?: Intent | null,
  ): Promise<TaskAction>;
  /** Gives the charge of a completed task back, in part or (null) all that is left of it. */
  refundTask(
    id: string,
    input: OperatorNote & { amountMicros: bigint | null },
    intent?: Intent | null,
  ): Promise<TaskAction>;
  /** Ends a task that is not final and releases its hold; of a lost one it notes that an operator has seen to it. */
  failTask(id: string, input: OperatorNote, intent?: Intent | null): Promise<TaskAction>;
  webhooks: Webhooks;
  prices(): PriceView[];
}

export interface ChannelInput {
  name: string;
  provider: string;
  credential: unknown;
  baseUrl: string | null;
  priority: number;
  weight: number;
  concurrency: number | null;
  requestsPerSecond: number | null;
  enabled: boolean;
  /** Absent: no. */
  allowsComplianceSwitches?: boolean;
}

/** A price as it stands now, the operator's overrides included. */
export interface PriceView {
  tier: string;
  unit: string;
  operation: string | null;
  model: string | null;
  /** Holds only for requests with this surcharge (`ref`: a reference is given; `voice`: a voice is chosen). */
  surcharge?: string | null;
  unitPriceMicros: bigint;
  currency: Currency;
  quantityMin: number | null;
  source: 'default' | 'config';
}

/** What was done to a task, and the task as it is now. */
export interface TaskAction {
  action: OperatorAction;
  task: Task;
  /** The answer to a repeat: nothing was done for it. */
  replayed?: true;
}
