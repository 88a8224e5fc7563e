/**
 * The tables as queries see them. Times are integer Unix ms, JSON is text, booleans are 0 and 1. Columns ending in
 * `_micros` are money and are read as bigint; every other integer is read as a number (`sqlite/executor.ts`).
 */
import type { ResourceKind } from '../core/request/feature.ts';

export interface AccountsTable {
  id: string;
  name: string;
  status: 'active' | 'disabled';
  created_at: number;
  limits: string | null;
}

export interface ApiKeysTable {
  id: string;
  account_id: string;
  name: string;
  hint: string;
  key_hash: string;
  access_key: string;
  secret_key_sealed: string;
  response_style: 'superset' | 'strict';
  created_at: number;
  revoked_at: number | null;
  limits: string | null;
}

export interface ChannelsTable {
  id: string;
  name: string;
  provider: string;
  credential_sealed: string;
  base_url: string | null;
  priority: number;
  weight: number;
  concurrency: number | null;
  requests_per_second: number | null;
  enabled: number;
  sandbox: number;
  created_at: number;
  updated_at: number;
  deleted_at: number | null;
  allows_compliance_switches: number;
}

/** An idempotency key, and what it was used for. */
export interface UsedKeysTable {
  scope: string;
  key: string;
  request_hash: string;
  subject_id: string;
  created_at: number;
  expires_at: number;
  response: string;
}

/** A create that an SDK sent; `retry_count` is that of the last sending that was given the task. */
export interface SendingsTable {
  key_id: string;
  request_hash: string;
  task_id: string;
  retry_count: number;
  created_at: number;
}

export interface LimitCountersTable {
  /** A key or an account. */
  owner_id: string;
  concurrent_max: number | null;
  day_max_micros: bigint | null;
  month_max_micros: bigint | null;
  /** Tasks that are not final. */
  running: number;
  /** Numbers of the day and the month (`periodsOf`) that the amounts belong to. */
  day: number;
  day_micros: bigint;
  month: number;
  month_micros: bigint;
}

export interface TasksTable {
  id: string;
  account_id: string;
  key_id: string;
  state: 'queued' | 'in_progress' | 'completed' | 'failed' | 'cancelled';
  surface: string;
  channel_id: string;
  /** The current attempt, open or made; null while the task waits for its lane. */
  attempt_id: string | null;
  /** In which of its channel's pools it is counted and waits. */
  pool: string;
  /** Among its account's waiting tasks: lower first, then by id. Minus the priority it was given. */
  queue_rank: number;
  model: string;
  requested_model: string;
  tier: string;
  hold_micros: bigint;
  charge_micros: bigint | null;
  external_task_id: string | null;
  callback_url: string | null;
  created_at: number;
  started_at: number | null;
  /** Set exactly when the state is final. */
  ended_at: number | null;
  updated_at: number;
  deadline_at: number;
  hidden_at: number | null;
  media_expires_at: number | null;
  media_forgotten_at: number | null;
  request: string;
  quote: string;
  warnings: string;
  metadata: string;
  result: string | null;
  error: string | null;
  /** Null: nothing. */
  refunded_micros: bigint | null;
  /** Null: never. */
  retries: number | null;
  retried_at: number | null;
  upstream_handle: string | null;
  attention: 'lost' | null;
}

export interface AttemptsTable {
  id: string;
  task_id: string;
  channel_id: string;
  number: number;
  state: 'submitting' | 'accepted' | 'made' | 'refused' | 'failed' | 'lost';
  ref: string | null;
  owner: string;
  submit_deadline_at: number;
  created_at: number;
  accepted_at: number | null;
  /** Null exactly while the attempt is open (`submitting` or `accepted`). */
  ended_at: number | null;
  outputs: string | null;
  found: string | null;
  cost: string | null;
  upstream_code: string | null;
  message: string | null;
}

export interface ExchangesTable {
  id: string;
  attempt_id: string;
  at: number;
  method: string;
  path: string;
  request: string | null;
  status: number | null;
  response: string | null;
  duration_ms: number;
  error: string | null;
}

export interface EventsTable {
  id: string;
  type: string;
  account_id: string;
  task_id: string | null;
  data: string;
  created_at: number;
}

export interface WalletsTable {
  account_id: string;
  available_micros: bigint;
  held_micros: bigint;
  /** Below this much available, `wallet.low` is told; null: never. */
  low_micros: bigint | null;
}

export interface LedgerEntriesTable {
  id: string;
  posting_id: string;
  account_id: string;
  kind: 'top_up' | 'adjustment' | 'hold' | 'settle' | 'release' | 'refund';
  book: 'available' | 'held' | 'revenue' | 'funding';
  amount_micros: bigint;
  task_id: string | null;
  note: string | null;
  created_at: number;
  author: string | null;
}

export interface UsageRecordsTable {
  id: string;
  account_id: string;
  task_id: string;
  tier: string;
  unit: string;
  quantity: number;
  amount_micros: bigint;
  cost: string | null;
  created_at: number;
}

/** A thing that lives on at a channel and belongs to the account that made it. */
export interface ResourcesTable {
  id: string;
  account_id: string;
  kind: ResourceKind;
  channel_id: string;
  upstream_id: string;
  name: string | null;
  task_id: string | null;
  created_at: number;
  expires_at: number | null;
  deleted_at: number | null;
  data: string;
}

export interface FilesTable {
  id: string;
  account_id: string;
  filename: string;
  purpose: string;
  content_type: string;
  bytes: number;
  width: number | null;
  height: number | null;
  media_key: string;
  created_at: number;
  expires_at: number | null;
}

/** Where an account wants to be told; of kind `callbacks` there is one per account, which only signs. */
export interface WebhookEndpointsTable {
  id: string;
  account_id: string;
  kind: 'endpoint' | 'callbacks';
  name: string;
  url: string;
  event_types: string;
  enabled: number;
  disabled_reason: 'paused' | 'gone' | 'failing' | null;
  secret_sealed: string;
  secret_hint: string;
  old_secret_sealed: string | null;
  old_secret_until: number | null;
  created_at: number;
  updated_at: number;
  deleted_at: number | null;
  failing_since: number | null;
  disabled_at: number | null;
}

export interface WebhookSubscriptionsTable {
  account_id: string;
  event_type: string;
  endpoint_id: string;
}

/** What is told: its body is written once, when it is first sent, and never changes. */
export interface WebhookMessagesTable {
  id: string;
  account_id: string;
  /** The event type, or `callback`. */
  type: string;
  event_id: string;
  task_id: string | null;
  /** Of a consumption event. */
  sequence: number | null;
  body: string | null;
  created_at: number;
}

/** One message to one receiver. */
export interface WebhookDeliveriesTable {
  id: string;
  account_id: string;
  message_id: string;
  /** Null: to the callback URL of a request. */
  endpoint_id: string | null;
  callback_url: string | null;
  /** Receivers are kept apart by it. */
  lane: string;
  task_id: string | null;
  state: 'pending' | 'held' | 'delivered' | 'dead' | 'cancelled';
  /** POSTs so far, and those since it was last begun anew. */
  attempts: number;
  tries: number;
  /** When it may be sent next: a lease is nothing but a later time. */
  next_at: number;
  leased: number;
  last_status: number | null;
  last_error: string | null;
  created_at: number;
  /** Set exactly while `held`. */
  held_at: number | null;
  /** Set exactly when `delivered`, `dead` or `cancelled`. */
  settled_at: number | null;
}

export interface WebhookAttemptsTable {
  delivery_id: string;
  number: number;
  at: number;
  duration_ms: number;
  status: number | null;
  error: string | null;
}

export interface ConsumptionEventsTable {
  account_id: string;
  sequence: number;
  event_id: string;
  type: 'consume.settled' | 'consume.refunded' | 'consume.adjusted';
  posting_id: string;
  /** What was taken from the wallet; below zero where money came back. */
  amount_micros: bigint;
  /** Available and held after it. */
  balance_micros: bigint;
  task_id: string | null;
  note: string | null;
  created_at: number;
}

export interface JobsTable {
  id: string;
  queue: string;
  data: string;
  /** Claims so far. */
  attempts: number;
  /** When it may be claimed next: a lease is nothing but a later time. */
  run_at: number;
  /** Whether somebody works on it, or died doing so. */
  leased: number;
  error: string | null;
  buried_at: number | null;
  created_at: number;
}

/** Names of root keys; the keys themselves are never here. */
export interface RootKeysTable {
  id: string;
  first_used_at: number;
  retired_at: number | null;
}

/** When an account's last waiting task was taken up in a pool: a number that grows with every one that is. */
export interface LaneTurnsTable {
  channel_id: string;
  pool: string;
  account_id: string;
  turn: number;
}

/** How long a task of a pool lately kept its places: milliseconds times units. */
export interface LanePacesTable {
  channel_id: string;
  pool: string;
  task_ms: number;
  updated_at: number;
}

export interface ChannelHealthTable {
  channel_id: string;
  state: 'closed' | 'open' | 'half_open';
  since: number;
  reason: string | null;
  retry_at: number | null;
  /** Times it opened since a submit was last accepted. */
  trips: number;
}

/** Names of root keys; the keys themselves are never here. */
export interface RootKeysTable {
  id: string;
  first_used_at: number;
  retired_at: number | null;
}

export interface MigrationsTable {
  name: string;
  applied_at: number;
}

export interface Database {
  accounts: AccountsTable;
  api_keys: ApiKeysTable;
  channels: ChannelsTable;
  tasks: TasksTable;
  attempts: AttemptsTable;
  used_keys: UsedKeysTable;
  sendings: SendingsTable;
  limit_counters: LimitCountersTable;
  exchanges: ExchangesTable;
  events: EventsTable;
  wallets: WalletsTable;
  ledger_entries: LedgerEntriesTable;
  usage_records: UsageRecordsTable;
  resources: ResourcesTable;
  files: FilesTable;
  webhook_endpoints: WebhookEndpointsTable;
  webhook_subscriptions: WebhookSubscriptionsTable;
  webhook_messages: WebhookMessagesTable;
  webhook_deliveries: WebhookDeliveriesTable;
  webhook_attempts: WebhookAttemptsTable;
  consumption_events: ConsumptionEventsTable;
  jobs: JobsTable;
  lane_turns: LaneTurnsTable;
  lane_paces: LanePacesTable;
  channel_health: ChannelHealthTable;
  root_keys: RootKeysTable;
  migrations: MigrationsTable;
}
