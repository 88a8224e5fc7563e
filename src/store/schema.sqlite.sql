CREATE TABLE "accounts" ("id" text primary key, "name" text not null, "status" text not null, "created_at" integer not null, "limits" text) strict;

CREATE TABLE "api_keys" ("id" text primary key, "account_id" text not null references "accounts" ("id"), "name" text not null, "hint" text not null, "key_hash" text not null unique, "access_key" text not null unique, "secret_key_sealed" text not null, "response_style" text not null, "created_at" integer not null, "revoked_at" integer, "limits" text) strict;

CREATE INDEX "api_keys_account" on "api_keys" ("account_id", "id");

CREATE TABLE "attempts" ("id" text primary key, "task_id" text not null references "tasks" ("id"), "channel_id" text not null, "number" integer not null, "state" text not null, "ref" text, "owner" text not null, "submit_deadline_at" integer not null, "created_at" integer not null, "accepted_at" integer, "ended_at" integer, "outputs" text, "cost" text, "upstream_code" text, "message" text, "found" text) strict;

CREATE INDEX "attempts_open" on "attempts" ("channel_id", "id") where "ended_at" is null;

CREATE UNIQUE INDEX "attempts_task" on "attempts" ("task_id", "number");

CREATE TABLE "channel_health" ("channel_id" text primary key, "state" text not null, "since" integer not null, "reason" text, "retry_at" integer, "trips" integer not null) strict, without rowid;

CREATE TABLE "channels" ("id" text primary key, "name" text not null, "provider" text not null, "credential_sealed" text not null, "base_url" text, "priority" integer not null, "weight" integer not null, "concurrency" integer, "requests_per_second" real, "enabled" integer not null, "sandbox" integer not null, "created_at" integer not null, "updated_at" integer not null, "deleted_at" integer, "allows_compliance_switches" integer default 0 not null) strict;

CREATE TABLE "consumption_events" ("account_id" text not null references "accounts" ("id"), "sequence" integer not null, "event_id" text not null, "type" text not null, "posting_id" text not null, "amount_micros" integer not null, "balance_micros" integer not null, "task_id" text, "note" text, "created_at" integer not null, constraint "consumption_events_key" primary key ("account_id", "sequence")) strict, without rowid;

CREATE TABLE "events" ("id" text primary key, "type" text not null, "account_id" text not null, "task_id" text, "data" text not null, "created_at" integer not null) strict;

CREATE INDEX "events_account" on "events" ("account_id", "id");

CREATE INDEX "events_task" on "events" ("task_id", "id") where "task_id" is not null;

CREATE TABLE "exchanges" ("id" text not null, "attempt_id" text not null, "at" integer not null, "method" text not null, "path" text not null, "request" text, "status" integer, "response" text, "duration_ms" integer not null, "error" text, constraint "exchanges_key" primary key ("attempt_id", "id")) strict;

CREATE TABLE "files" ("id" text primary key, "account_id" text not null references "accounts" ("id"), "filename" text not null, "purpose" text not null, "content_type" text not null, "bytes" integer not null, "width" integer, "height" integer, "media_key" text not null, "created_at" integer not null, "expires_at" integer) strict;

CREATE INDEX "files_account" on "files" ("account_id", "id");

CREATE INDEX "files_expiry" on "files" ("expires_at") where "expires_at" is not null;

CREATE TABLE "jobs" ("id" text primary key, "queue" text not null, "data" text not null, "attempts" integer not null, "run_at" integer not null, "leased" integer not null, "error" text, "buried_at" integer, "created_at" integer not null) strict;

CREATE INDEX "jobs_due" on "jobs" ("queue", "run_at") where "buried_at" is null;

CREATE TABLE "lane_paces" ("channel_id" text not null, "pool" text not null, "task_ms" integer not null, "updated_at" integer not null, constraint "lane_paces_key" primary key ("channel_id", "pool")) strict, without rowid;

CREATE TABLE "lane_turns" ("channel_id" text not null, "pool" text not null, "account_id" text not null, "turn" integer not null, constraint "lane_turns_key" primary key ("channel_id", "pool", "account_id")) strict, without rowid;

CREATE INDEX "lane_turns_last" on "lane_turns" ("channel_id", "pool", "turn");

CREATE TRIGGER ledger_entries_no_delete before delete on ledger_entries begin select raise(abort, 'ledger_entries: rows are final'); end;

CREATE TRIGGER ledger_entries_no_update before update on ledger_entries begin select raise(abort, 'ledger_entries: rows are final'); end;

CREATE TABLE "ledger_entries" ("id" text not null, "posting_id" text not null, "account_id" text not null, "kind" text not null, "book" text not null, "amount_micros" integer not null, "task_id" text, "note" text, "created_at" integer not null, "author" text, constraint "ledger_entries_key" primary key ("account_id", "id")) strict, without rowid;

CREATE INDEX "ledger_entries_funding" on "ledger_entries" ("account_id", "book", "kind", "amount_micros", "task_id") where "task_id" is null;

CREATE INDEX "ledger_entries_task" on "ledger_entries" ("task_id") where "task_id" is not null;

CREATE TABLE "limit_counters" ("owner_id" text primary key, "concurrent_max" integer, "day_max_micros" integer, "month_max_micros" integer, "running" integer not null, "day" integer not null, "day_micros" integer not null, "month" integer not null, "month_micros" integer not null) strict, without rowid;

CREATE TABLE "migrations" ("name" text primary key, "applied_at" integer not null);

CREATE TABLE "resources" ("id" text primary key, "account_id" text not null references "accounts" ("id"), "kind" text not null, "channel_id" text not null, "upstream_id" text not null, "name" text, "task_id" text, "created_at" integer not null, "expires_at" integer, "deleted_at" integer, "data" text not null) strict;

CREATE INDEX "resources_account" on "resources" ("account_id", "kind", "id") where "deleted_at" is null;

CREATE INDEX "resources_upstream" on "resources" ("kind", "upstream_id") where "deleted_at" is null;

CREATE TABLE "root_keys" ("id" text primary key, "first_used_at" integer not null, "retired_at" integer) strict;

CREATE TABLE "sendings" ("key_id" text not null, "request_hash" text not null, "task_id" text not null, "retry_count" integer not null, "created_at" integer not null, constraint "sendings_key" primary key ("key_id", "request_hash", "task_id")) strict, without rowid;

CREATE INDEX "sendings_age" on "sendings" ("created_at");

CREATE TABLE "tasks" ("id" text primary key, "account_id" text not null references "accounts" ("id"), "key_id" text not null, "state" text not null, "surface" text not null, "channel_id" text not null, "attempt_id" text, "model" text not null, "requested_model" text not null, "tier" text not null, "hold_micros" integer not null, "charge_micros" integer, "external_task_id" text, "callback_url" text, "created_at" integer not null, "started_at" integer, "ended_at" integer, "updated_at" integer not null, "deadline_at" integer not null, "hidden_at" integer, "media_expires_at" integer, "media_forgotten_at" integer, "request" text not null, "quote" text not null, "warnings" text not null, "metadata" text not null, "result" text, "error" text, "pool" text default '' not null, "queue_rank" integer default 0 not null, "refunded_micros" integer, "retries" integer, "retried_at" integer, "upstream_handle" text, "attention" text) strict;

CREATE INDEX "tasks_account" on "tasks" ("account_id", "id", "hidden_at");

CREATE INDEX "tasks_attention" on "tasks" ("id", "attention") where "attention" is not null;

CREATE INDEX "tasks_channel" on "tasks" ("channel_id", "id");

CREATE INDEX "tasks_deadline" on "tasks" ("deadline_at", "state", "ended_at") where "ended_at" is null;

CREATE INDEX "tasks_ended_badly" on "tasks" ("id", "state") where "error" is not null;

CREATE INDEX "tasks_ended_badly_account_id" on "tasks" ("account_id", "state", "id") where "error" is not null;

CREATE INDEX "tasks_ended_badly_channel_id" on "tasks" ("channel_id", "state", "id") where "error" is not null;

CREATE INDEX "tasks_ended_badly_model" on "tasks" ("model", "state", "id") where "error" is not null;

CREATE INDEX "tasks_ended_badly_tier" on "tasks" ("tier", "state", "id") where "error" is not null;

CREATE UNIQUE INDEX "tasks_external" on "tasks" ("account_id", "external_task_id") where "external_task_id" is not null;

CREATE INDEX "tasks_media_expiry" on "tasks" ("media_expires_at") where "media_expires_at" is not null and "media_forgotten_at" is null;

CREATE INDEX "tasks_model" on "tasks" ("model", "id");

CREATE INDEX "tasks_retried" on "tasks" ("account_id", "retried_at") where "retried_at" is not null;

CREATE INDEX "tasks_surface" on "tasks" ("account_id", "surface", "id", "hidden_at") where "hidden_at" is null;

CREATE INDEX "tasks_tier" on "tasks" ("tier", "id");

CREATE INDEX "tasks_waiting" on "tasks" ("channel_id", "pool", "account_id", "queue_rank", "id", "attempt_id", "ended_at") where "attempt_id" is null and "ended_at" is null;

CREATE TABLE "usage_records" ("id" text primary key, "account_id" text not null, "task_id" text not null unique, "tier" text not null, "unit" text not null, "quantity" integer not null, "amount_micros" integer not null, "cost" text, "created_at" integer not null) strict;

CREATE TABLE "used_keys" ("scope" text not null, "key" text not null, "request_hash" text not null, "subject_id" text not null, "created_at" integer not null, "expires_at" integer not null, "response" text not null, constraint "used_keys_key" primary key ("scope", "key")) strict;

CREATE INDEX "used_keys_expiry" on "used_keys" ("expires_at");

CREATE TABLE "wallets" ("account_id" text primary key references "accounts" ("id"), "available_micros" integer not null check (available_micros >= 0), "held_micros" integer not null check (held_micros >= 0), "low_micros" integer) strict, without rowid;

CREATE TABLE "webhook_attempts" ("delivery_id" text not null, "number" integer not null, "at" integer not null, "duration_ms" integer not null, "status" integer, "error" text, constraint "webhook_attempts_key" primary key ("delivery_id", "number")) strict, without rowid;

CREATE TABLE "webhook_deliveries" ("id" text primary key, "account_id" text not null, "message_id" text not null references "webhook_messages" ("id"), "endpoint_id" text, "callback_url" text, "lane" text not null, "task_id" text, "state" text not null, "attempts" integer not null, "tries" integer not null, "next_at" integer not null, "leased" integer not null, "last_status" integer, "last_error" text, "created_at" integer not null, "held_at" integer, "settled_at" integer) strict;

CREATE INDEX "webhook_deliveries_due" on "webhook_deliveries" ("lane", "next_at") where "settled_at" is null and "held_at" is null;

CREATE INDEX "webhook_deliveries_endpoint" on "webhook_deliveries" ("endpoint_id", "id") where "endpoint_id" is not null;

CREATE INDEX "webhook_deliveries_message" on "webhook_deliveries" ("message_id");

CREATE INDEX "webhook_deliveries_next" on "webhook_deliveries" ("next_at") where "settled_at" is null and "held_at" is null;

CREATE INDEX "webhook_deliveries_task" on "webhook_deliveries" ("task_id", "id") where "task_id" is not null;

CREATE TABLE "webhook_endpoints" ("id" text primary key, "account_id" text not null references "accounts" ("id"), "kind" text not null, "name" text not null, "url" text not null, "event_types" text not null, "enabled" integer not null, "disabled_reason" text, "secret_sealed" text not null, "secret_hint" text not null, "old_secret_sealed" text, "old_secret_until" integer, "created_at" integer not null, "updated_at" integer not null, "deleted_at" integer, "failing_since" integer, "disabled_at" integer) strict;

CREATE INDEX "webhook_endpoints_account" on "webhook_endpoints" ("account_id", "kind", "id") where "deleted_at" is null;

CREATE TABLE "webhook_messages" ("id" text primary key, "account_id" text not null, "type" text not null, "event_id" text not null, "task_id" text, "sequence" integer, "body" text, "created_at" integer not null) strict;

CREATE INDEX "webhook_messages_age" on "webhook_messages" ("created_at");

CREATE TABLE "webhook_subscriptions" ("account_id" text not null, "event_type" text not null, "endpoint_id" text not null references "webhook_endpoints" ("id"), constraint "webhook_subscriptions_key" primary key ("account_id", "event_type", "endpoint_id")) strict, without rowid;

CREATE INDEX "webhook_subscriptions_endpoint" on "webhook_subscriptions" ("endpoint_id");
