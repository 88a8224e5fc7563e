/** The gateway's answers, as far as the command line reads them. Spelled as on the wire. */

export interface Page<Item> {
  data: Item[];
  next_cursor: string | null;
}

export interface Account {
  id: string;
  name: string;
  status: string;
  limits: Limits | null;
  created_at: string;
}

/** Only what is limited. */
export interface Limits {
  requests_per_minute?: number;
  concurrent_tasks?: number;
  spend_per_day?: string;
  spend_per_month?: string;
  models?: string[];
  ip_addresses?: string[];
  expires_at?: string;
}

export interface Key {
  id: string;
  account_id: string;
  name: string;
  hint: string;
  access_key: string;
  response_style: string;
  limits: Limits | null;
  created_at: string;
  revoked_at: string | null;
}

export interface IssuedKey {
  id: string;
  api_key: string;
  access_key: string;
  secret_key: string;
}

export interface Wallet {
  account_id: string;
  balance: string;
  held: string;
  available: string;
  currency: string;
}

export interface LedgerEntry {
  id: string;
  posting_id: string;
  kind: string;
  book: string;
  amount: string;
  task_id: string | null;
  note: string | null;
  author: string | null;
  created_at: string;
}

export interface LedgerVerdict {
  ok: boolean;
  entries: number;
  sum: string;
  mismatches: string[];
}

export interface ChannelItem {
  id: string;
  name: string;
  provider: string;
  base_url: string | null;
  priority: number;
  weight: number;
  concurrency: number | null;
  enabled: boolean;
  allows_compliance_switches: boolean;
  sandbox: boolean;
  running: number;
  waiting: number;
}

export interface Probe {
  ok: boolean;
  message: string;
}

export interface WarningItem {
  code: string;
  field: string | null;
  message: string;
}

/** The answer of a dry run. */
export interface Estimate {
  model: string;
  requested_model: string;
  unit: string;
  quantity: number;
  quantity_max?: number;
  unit_price: string;
  amount: string;
  currency: string;
  balance_after: string;
  warnings: WarningItem[];
  canonical: {
    operation: string;
    resolution: string;
    aspect_ratio: string | null;
    seconds: number;
    sound: boolean;
  };
}

/** A task as callers see it. Times are Unix seconds. */
export interface Video {
  id: string;
  model: string;
  requested_model: string;
  status: 'queued' | 'in_progress' | 'completed' | 'failed';
  progress: number;
  created_at: number;
  completed_at: number | null;
  expires_at: number | null;
  prompt: string | null;
  seconds: string;
  size: string;
  error: { code: string; message: string } | null;
  video_url?: string;
  metadata?: { warnings?: WarningItem[] };
}

export interface VideoList {
  data: Video[];
  last_id: string | null;
  has_more: boolean;
}

/** A task as operators see it. */
export interface AdminTask {
  id: string;
  account_id: string;
  state: string;
  surface: string;
  requested_model: string;
  model: string;
  tier: string;
  channel_id: string;
  prompt: string;
  quote: { amount: string; currency: string };
  charge: string | null;
  refunded: string;
  retries: number;
  upstream_handle: string;
  attention: 'lost' | null;
  error: { code: string; message: string } | null;
  created_at: string;
  ended_at: string | null;
}

/** Root keys by name, and how much is sealed with each. */
export interface SecretsStatus {
  source: 'file' | 'configuration';
  current_key_id: string;
  current_since: string;
  sealed: number;
  others: { key_id: string; at_hand: boolean; sealed: number }[];
  unopened: number;
  resealing: boolean;
  fault: string | null;
}

/** The flight recorder. */
export interface TaskRecord {
  task: AdminTask;
  attempts: {
    number: number;
    channel_id: string;
    state: string;
    created_at: string;
    ended_at: string | null;
    upstream_code: string | null;
    message: string | null;
  }[];
  events: { type: string; created_at: string }[];
  exchanges: {
    at: string;
    method: string;
    path: string;
    status: number | null;
    duration_ms: number;
    error: string | null;
  }[];
  queue_wait_ms: number;
  pricing: { price_book: string; unit: string; unit_price: string; quantity: number };
  ledger: LedgerEntry[];
  operator_actions: {
    action: string;
    author: string;
    note: string;
    amount: string;
    created_at: string;
  }[];
  deliveries: Delivery[];
}

/** What an operator did to a task. */
export interface TaskAction {
  id: string;
  action: 'retried' | 'refunded' | 'failed';
  author: string;
  note: string;
  amount: string;
  posting_id: string;
  task: AdminTask;
}

export interface WebhookEndpoint {
  id: string;
  name: string;
  url: string;
  event_types: string[];
  enabled: boolean;
  disabled_reason: 'paused' | 'gone' | 'failing' | null;
  disabled_at: string | null;
  failing_since: string | null;
  old_secret_until: string | null;
}

export interface WebhookEndpointWithSecret extends WebhookEndpoint {
  signing_secret: string;
}

export interface Delivery {
  id: string;
  event_type: string;
  endpoint_id: string | null;
  callback_url: string | null;
  task_id: string | null;
  state: string;
  attempts: number;
  last_error: string | null;
  created_at: string;
}
