create table accounts (
  id text collate "C" not null,
  name text collate "C" not null,
  status text collate "C" not null,
  created_at bigint not null,
  limits text collate "C"
);

create table api_keys (
  id text collate "C" not null,
  account_id text collate "C" not null,
  name text collate "C" not null,
  hint text collate "C" not null,
  key_hash text collate "C" not null,
  access_key text collate "C" not null,
  secret_key_sealed text collate "C" not null,
  response_style text collate "C" not null,
  created_at bigint not null,
  revoked_at bigint,
  limits text collate "C"
);

create table attempts (
  id text collate "C" not null,
  task_id text collate "C" not null,
  channel_id text collate "C" not null,
  number integer not null,
  state text collate "C" not null,
  ref text collate "C",
  owner text collate "C" not null,
  submit_deadline_at bigint not null,
  created_at bigint not null,
  accepted_at bigint,
  ended_at bigint,
  outputs text collate "C",
  cost text collate "C",
  upstream_code text collate "C",
  message text collate "C",
  found text collate "C"
);

create table channel_health (
  channel_id text collate "C" not null,
  state text collate "C" not null,
  since bigint not null,
  reason text collate "C",
  retry_at bigint,
  trips integer not null
);

create table channels (
  id text collate "C" not null,
  name text collate "C" not null,
  provider text collate "C" not null,
  credential_sealed text collate "C" not null,
  base_url text collate "C",
  priority integer not null,
  weight integer not null,
  concurrency integer,
  requests_per_second double precision,
  enabled integer not null,
  sandbox integer not null,
  created_at bigint not null,
  updated_at bigint not null,
  deleted_at bigint,
  allows_compliance_switches integer not null default 0
);

create table consumption_events (
  account_id text collate "C" not null,
  sequence bigint not null,
  event_id text collate "C" not null,
  type text collate "C" not null,
  posting_id text collate "C" not null,
  amount_micros bigint not null,
  balance_micros bigint not null,
  task_id text collate "C",
  note text collate "C",
  created_at bigint not null
);

create table events (
  id text collate "C" not null,
  type text collate "C" not null,
  account_id text collate "C" not null,
  task_id text collate "C",
  data text collate "C" not null,
  created_at bigint not null
);

create table exchanges (
  id text collate "C" not null,
  attempt_id text collate "C" not null,
  at bigint not null,
  method text collate "C" not null,
  path text collate "C" not null,
  request text collate "C",
  status integer,
  response text collate "C",
  duration_ms integer not null,
  error text collate "C"
);

create table files (
  id text collate "C" not null,
  account_id text collate "C" not null,
  filename text collate "C" not null,
  purpose text collate "C" not null,
  content_type text collate "C" not null,
  bytes bigint not null,
  width integer,
  height integer,
  media_key text collate "C" not null,
  created_at bigint not null,
  expires_at bigint
);

create table jobs (
  id text collate "C" not null,
  queue text collate "C" not null,
  data text collate "C" not null,
  attempts integer not null,
  run_at bigint not null,
  leased integer not null,
  error text collate "C",
  buried_at bigint,
  created_at bigint not null
);

create table lane_paces (
  channel_id text collate "C" not null,
  pool text collate "C" not null,
  task_ms bigint not null,
  updated_at bigint not null
);

create table lane_turns (
  channel_id text collate "C" not null,
  pool text collate "C" not null,
  account_id text collate "C" not null,
  turn bigint not null
);

create table ledger_entries (
  id text collate "C" not null,
  posting_id text collate "C" not null,
  account_id text collate "C" not null,
  kind text collate "C" not null,
  book text collate "C" not null,
  amount_micros bigint not null,
  task_id text collate "C",
  note text collate "C",
  created_at bigint not null,
  author text collate "C"
);

create table limit_counters (
  owner_id text collate "C" not null,
  concurrent_max integer,
  day_max_micros bigint,
  month_max_micros bigint,
  running integer not null,
  day integer not null,
  day_micros bigint not null,
  month integer not null,
  month_micros bigint not null
);

create table migrations (
  name text collate "C" not null,
  applied_at bigint not null
);

create table resources (
  id text collate "C" not null,
  account_id text collate "C" not null,
  kind text collate "C" not null,
  channel_id text collate "C" not null,
  upstream_id text collate "C" not null,
  name text collate "C",
  task_id text collate "C",
  created_at bigint not null,
  expires_at bigint,
  deleted_at bigint,
  data text collate "C" not null
);

create table root_keys (
  id text collate "C" not null,
  first_used_at bigint not null,
  retired_at bigint
);

create table sendings (
  key_id text collate "C" not null,
  request_hash text collate "C" not null,
  task_id text collate "C" not null,
  retry_count integer not null,
  created_at bigint not null
);

create table tasks (
  id text collate "C" not null,
  account_id text collate "C" not null,
  key_id text collate "C" not null,
  state text collate "C" not null,
  surface text collate "C" not null,
  channel_id text collate "C" not null,
  attempt_id text collate "C",
  model text collate "C" not null,
  requested_model text collate "C" not null,
  tier text collate "C" not null,
  hold_micros bigint not null,
  charge_micros bigint,
  external_task_id text collate "C",
  callback_url text collate "C",
  created_at bigint not null,
  started_at bigint,
  ended_at bigint,
  updated_at bigint not null,
  deadline_at bigint not null,
  hidden_at bigint,
  media_expires_at bigint,
  media_forgotten_at bigint,
  request text collate "C" not null,
  quote text collate "C" not null,
  warnings text collate "C" not null,
  metadata text collate "C" not null,
  result text collate "C",
  error text collate "C",
  pool text collate "C" not null default ''::text,
  queue_rank integer not null default 0,
  refunded_micros bigint,
  retries integer,
  retried_at bigint,
  upstream_handle text collate "C",
  attention text collate "C"
);

create table usage_records (
  id text collate "C" not null,
  account_id text collate "C" not null,
  task_id text collate "C" not null,
  tier text collate "C" not null,
  unit text collate "C" not null,
  quantity integer not null,
  amount_micros bigint not null,
  cost text collate "C",
  created_at bigint not null
);

create table used_keys (
  scope text collate "C" not null,
  key text collate "C" not null,
  request_hash text collate "C" not null,
  subject_id text collate "C" not null,
  created_at bigint not null,
  expires_at bigint not null,
  response text collate "C" not null
);

create table wallets (
  account_id text collate "C" not null,
  available_micros bigint not null,
  held_micros bigint not null,
  low_micros bigint
);

create table webhook_attempts (
  delivery_id text collate "C" not null,
  number integer not null,
  at bigint not null,
  duration_ms integer not null,
  status integer,
  error text collate "C"
);

create table webhook_deliveries (
  id text collate "C" not null,
  account_id text collate "C" not null,
  message_id text collate "C" not null,
  endpoint_id text collate "C",
  callback_url text collate "C",
  lane text collate "C" not null,
  task_id text collate "C",
  state text collate "C" not null,
  attempts integer not null,
  tries integer not null,
  next_at bigint not null,
  leased integer not null,
  last_status integer,
  last_error text collate "C",
  created_at bigint not null,
  held_at bigint,
  settled_at bigint
);

create table webhook_endpoints (
  id text collate "C" not null,
  account_id text collate "C" not null,
  kind text collate "C" not null,
  name text collate "C" not null,
  url text collate "C" not null,
  event_types text collate "C" not null,
  enabled integer not null,
  disabled_reason text collate "C",
  secret_sealed text collate "C" not null,
  secret_hint text collate "C" not null,
  old_secret_sealed text collate "C",
  old_secret_until bigint,
  created_at bigint not null,
  updated_at bigint not null,
  deleted_at bigint,
  failing_since bigint,
  disabled_at bigint
);

create table webhook_messages (
  id text collate "C" not null,
  account_id text collate "C" not null,
  type text collate "C" not null,
  event_id text collate "C" not null,
  task_id text collate "C",
  sequence bigint,
  body text collate "C",
  created_at bigint not null
);

create table webhook_subscriptions (
  account_id text collate "C" not null,
  event_type text collate "C" not null,
  endpoint_id text collate "C" not null
);

alter table accounts add constraint accounts_pkey PRIMARY KEY (id);

alter table api_keys add constraint api_keys_access_key_key UNIQUE (access_key);

alter table api_keys add constraint api_keys_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(id);

alter table api_keys add constraint api_keys_key_hash_key UNIQUE (key_hash);

alter table api_keys add constraint api_keys_pkey PRIMARY KEY (id);

alter table attempts add constraint attempts_pkey PRIMARY KEY (id);

alter table attempts add constraint attempts_task_id_fkey FOREIGN KEY (task_id) REFERENCES tasks(id);

alter table channel_health add constraint channel_health_pkey PRIMARY KEY (channel_id);

alter table channels add constraint channels_pkey PRIMARY KEY (id);

alter table consumption_events add constraint consumption_events_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(id);

alter table consumption_events add constraint consumption_events_key PRIMARY KEY (account_id, sequence);

alter table events add constraint events_pkey PRIMARY KEY (id);

alter table exchanges add constraint exchanges_key PRIMARY KEY (attempt_id, id);

alter table files add constraint files_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(id);

alter table files add constraint files_pkey PRIMARY KEY (id);

alter table jobs add constraint jobs_pkey PRIMARY KEY (id);

alter table lane_paces add constraint lane_paces_key PRIMARY KEY (channel_id, pool);

alter table lane_turns add constraint lane_turns_key PRIMARY KEY (channel_id, pool, account_id);

alter table ledger_entries add constraint ledger_entries_key PRIMARY KEY (account_id, id);

alter table limit_counters add constraint limit_counters_pkey PRIMARY KEY (owner_id);

alter table migrations add constraint migrations_pkey PRIMARY KEY (name);

alter table resources add constraint resources_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(id);

alter table resources add constraint resources_pkey PRIMARY KEY (id);

alter table root_keys add constraint root_keys_pkey PRIMARY KEY (id);

alter table sendings add constraint sendings_key PRIMARY KEY (key_id, request_hash, task_id);

alter table tasks add constraint tasks_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(id);

alter table tasks add constraint tasks_pkey PRIMARY KEY (id);

alter table usage_records add constraint usage_records_pkey PRIMARY KEY (id);

alter table usage_records add constraint usage_records_task_id_key UNIQUE (task_id);

alter table used_keys add constraint used_keys_key PRIMARY KEY (scope, key);

alter table wallets add constraint wallets_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(id);

alter table wallets add constraint wallets_available_micros_check CHECK ((available_micros >= 0));

alter table wallets add constraint wallets_held_micros_check CHECK ((held_micros >= 0));

alter table wallets add constraint wallets_pkey PRIMARY KEY (account_id);

alter table webhook_attempts add constraint webhook_attempts_key PRIMARY KEY (delivery_id, number);

alter table webhook_deliveries add constraint webhook_deliveries_message_id_fkey FOREIGN KEY (message_id) REFERENCES webhook_messages(id);

alter table webhook_deliveries add constraint webhook_deliveries_pkey PRIMARY KEY (id);

alter table webhook_endpoints add constraint webhook_endpoints_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(id);

alter table webhook_endpoints add constraint webhook_endpoints_pkey PRIMARY KEY (id);

alter table webhook_messages add constraint webhook_messages_pkey PRIMARY KEY (id);

alter table webhook_subscriptions add constraint webhook_subscriptions_endpoint_id_fkey FOREIGN KEY (endpoint_id) REFERENCES webhook_endpoints(id);

alter table webhook_subscriptions add constraint webhook_subscriptions_key PRIMARY KEY (account_id, event_type, endpoint_id);

CREATE INDEX api_keys_account ON public.api_keys USING btree (account_id, id);

CREATE INDEX attempts_open ON public.attempts USING btree (channel_id, id) WHERE (ended_at IS NULL);

CREATE UNIQUE INDEX attempts_task ON public.attempts USING btree (task_id, number);

CREATE INDEX events_account ON public.events USING btree (account_id, id);

CREATE INDEX events_task ON public.events USING btree (task_id, id) WHERE (task_id IS NOT NULL);

CREATE INDEX files_account ON public.files USING btree (account_id, id);

CREATE INDEX files_expiry ON public.files USING btree (expires_at) WHERE (expires_at IS NOT NULL);

CREATE INDEX jobs_due ON public.jobs USING btree (queue, run_at) WHERE (buried_at IS NULL);

CREATE INDEX lane_turns_last ON public.lane_turns USING btree (channel_id, pool, turn);

CREATE INDEX ledger_entries_funding ON public.ledger_entries USING btree (account_id, book, kind, amount_micros, task_id) WHERE (task_id IS NULL);

CREATE INDEX ledger_entries_task ON public.ledger_entries USING btree (task_id) WHERE (task_id IS NOT NULL);

CREATE INDEX resources_account ON public.resources USING btree (account_id, kind, id) WHERE (deleted_at IS NULL);

CREATE INDEX resources_upstream ON public.resources USING btree (kind, upstream_id) WHERE (deleted_at IS NULL);

CREATE INDEX sendings_age ON public.sendings USING btree (created_at);

CREATE INDEX tasks_account ON public.tasks USING btree (account_id, id, hidden_at);

CREATE INDEX tasks_attention ON public.tasks USING btree (id, attention) WHERE (attention IS NOT NULL);

CREATE INDEX tasks_channel ON public.tasks USING btree (channel_id, id);

CREATE INDEX tasks_deadline ON public.tasks USING btree (deadline_at, state, ended_at) WHERE (ended_at IS NULL);

CREATE INDEX tasks_ended_badly ON public.tasks USING btree (id, state) WHERE (error IS NOT NULL);

CREATE INDEX tasks_ended_badly_account_id ON public.tasks USING btree (account_id, state, id) WHERE (error IS NOT NULL);

CREATE INDEX tasks_ended_badly_channel_id ON public.tasks USING btree (channel_id, state, id) WHERE (error IS NOT NULL);

CREATE INDEX tasks_ended_badly_model ON public.tasks USING btree (model, state, id) WHERE (error IS NOT NULL);

CREATE INDEX tasks_ended_badly_tier ON public.tasks USING btree (tier, state, id) WHERE (error IS NOT NULL);

CREATE UNIQUE INDEX tasks_external ON public.tasks USING btree (account_id, external_task_id) WHERE (external_task_id IS NOT NULL);

CREATE INDEX tasks_media_expiry ON public.tasks USING btree (media_expires_at) WHERE ((media_expires_at IS NOT NULL) AND (media_forgotten_at IS NULL));

CREATE INDEX tasks_model ON public.tasks USING btree (model, id);

CREATE INDEX tasks_retried ON public.tasks USING btree (account_id, retried_at) WHERE (retried_at IS NOT NULL);

CREATE INDEX tasks_surface ON public.tasks USING btree (account_id, surface, id, hidden_at) WHERE (hidden_at IS NULL);

CREATE INDEX tasks_tier ON public.tasks USING btree (tier, id);

CREATE INDEX tasks_waiting ON public.tasks USING btree (channel_id, pool, account_id, queue_rank, id, attempt_id, ended_at) WHERE ((attempt_id IS NULL) AND (ended_at IS NULL));

CREATE INDEX used_keys_expiry ON public.used_keys USING btree (expires_at);

CREATE INDEX webhook_deliveries_due ON public.webhook_deliveries USING btree (lane, next_at) WHERE ((settled_at IS NULL) AND (held_at IS NULL));

CREATE INDEX webhook_deliveries_endpoint ON public.webhook_deliveries USING btree (endpoint_id, id) WHERE (endpoint_id IS NOT NULL);

CREATE INDEX webhook_deliveries_message ON public.webhook_deliveries USING btree (message_id);

CREATE INDEX webhook_deliveries_next ON public.webhook_deliveries USING btree (next_at) WHERE ((settled_at IS NULL) AND (held_at IS NULL));

CREATE INDEX webhook_deliveries_task ON public.webhook_deliveries USING btree (task_id, id) WHERE (task_id IS NOT NULL);

CREATE INDEX webhook_endpoints_account ON public.webhook_endpoints USING btree (account_id, kind, id) WHERE (deleted_at IS NULL);

CREATE INDEX webhook_messages_age ON public.webhook_messages USING btree (created_at);

CREATE INDEX webhook_subscriptions_endpoint ON public.webhook_subscriptions USING btree (endpoint_id);

CREATE OR REPLACE FUNCTION public.ledger_entries_is_final()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$ begin raise exception 'ledger_entries: rows are final'; end $function$;

CREATE TRIGGER ledger_entries_no_delete BEFORE DELETE ON public.ledger_entries FOR EACH ROW EXECUTE FUNCTION ledger_entries_is_final();

CREATE TRIGGER ledger_entries_no_truncate BEFORE TRUNCATE ON public.ledger_entries FOR EACH STATEMENT EXECUTE FUNCTION ledger_entries_is_final();

CREATE TRIGGER ledger_entries_no_update BEFORE UPDATE ON public.ledger_entries FOR EACH ROW EXECUTE FUNCTION ledger_entries_is_final();
