import { sql, type Compilable } from 'kysely';
import type { Engine } from '../engine.ts';
import type { Migration } from '../migrate.ts';

/**
 * Every index here serves a method of the Store port; intake pays for each of them. Wide JSON columns come last,
 * so that scans of the narrow ones stop early in the row. A partial index also carries the columns of its own
 * condition: without them SQLite reads the row to check what the index implies, and no count or offset is answered
 * by the index alone.
 */
export const first: Migration = {
  name: '0001-first',
  up: (engine) => [
    ...access(engine),
    ...tasks(engine),
    ...history(engine),
    ...money(engine),
    ...backgroundJobs(engine),
  ],
};

function access({ builder: { schema }, text, integer64, real, tableOptions }: Engine): Compilable[] {
  return [
    schema
      .createTable('accounts')
      .addColumn('id', text, (column) => column.primaryKey())
      .addColumn('name', text, (column) => column.notNull())
      .addColumn('status', text, (column) => column.notNull())
      .addColumn('created_at', integer64, (column) => column.notNull())
      .modifyEnd(sql.raw(tableOptions)),
    schema
      .createTable('api_keys')
      .addColumn('id', text, (column) => column.primaryKey())
      .addColumn('account_id', text, (column) => column.notNull().references('accounts.id'))
      .addColumn('name', text, (column) => column.notNull())
      .addColumn('hint', text, (column) => column.notNull())
      .addColumn('key_hash', text, (column) => column.notNull().unique())
      .addColumn('access_key', text, (column) => column.notNull().unique())
      .addColumn('secret_key_sealed', text, (column) => column.notNull())
      .addColumn('response_style', text, (column) => column.notNull())
      .addColumn('created_at', integer64, (column) => column.notNull())
      .addColumn('revoked_at', integer64)
      .modifyEnd(sql.raw(tableOptions)),
    schema.createIndex('api_keys_account').on('api_keys').columns(['account_id', 'id']),
    schema
      .createTable('channels')
      .addColumn('id', text, (column) => column.primaryKey())
      .addColumn('name', text, (column) => column.notNull())
      .addColumn('provider', text, (column) => column.notNull())
      .addColumn('credential_sealed', text, (column) => column.notNull())
      .addColumn('base_url', text)
      .addColumn('priority', 'integer', (column) => column.notNull())
      .addColumn('weight', 'integer', (column) => column.notNull())
      .addColumn('concurrency', 'integer')
      .addColumn('requests_per_second', real)
      .addColumn('enabled', 'integer', (column) => column.notNull())
      .addColumn('sandbox', 'integer', (column) => column.notNull())
      .addColumn('created_at', integer64, (column) => column.notNull())
      .addColumn('updated_at', integer64, (column) => column.notNull())
      .addColumn('deleted_at', integer64)
      .modifyEnd(sql.raw(tableOptions)),
  ];
}

function tasks({ builder: { schema }, text, integer64, tableOptions }: Engine): Compilable[] {
  return [
    schema
      .createTable('tasks')
      .addColumn('id', text, (column) => column.primaryKey())
      .addColumn('account_id', text, (column) => column.notNull().references('accounts.id'))
      .addColumn('key_id', text, (column) => column.notNull())
      .addColumn('state', text, (column) => column.notNull())
      .addColumn('surface', text, (column) => column.notNull())
      .addColumn('channel_id', text, (column) => column.notNull())
      .addColumn('attempt_id', text)
      .addColumn('model', text, (column) => column.notNull())
      .addColumn('requested_model', text, (column) => column.notNull())
      .addColumn('tier', text, (column) => column.notNull())
      .addColumn('hold_micros', integer64, (column) => column.notNull())
      .addColumn('charge_micros', integer64)
      .addColumn('external_task_id', text)
      .addColumn('callback_url', text)
      .addColumn('created_at', integer64, (column) => column.notNull())
      .addColumn('started_at', integer64)
      .addColumn('ended_at', integer64)
      .addColumn('updated_at', integer64, (column) => column.notNull())
      .addColumn('deadline_at', integer64, (column) => column.notNull())
      .addColumn('hidden_at', integer64)
      .addColumn('media_expires_at', integer64)
      .addColumn('media_forgotten_at', integer64)
      .addColumn('request', text, (column) => column.notNull())
      .addColumn('quote', text, (column) => column.notNull())
      .addColumn('warnings', text, (column) => column.notNull())
      .addColumn('metadata', text, (column) => column.notNull())
      .addColumn('result', text)
      .addColumn('error', text)
      .modifyEnd(sql.raw(tableOptions)),
    schema
      .createIndex('tasks_external')
      .unique()
      .on('tasks')
      .columns(['account_id', 'external_task_id'])
      .where(sql.ref('external_task_id'), 'is not', null),
    // listTasks without a surface, and operators' lists of one account, which show hidden tasks too
    schema.createIndex('tasks_account').on('tasks').columns(['account_id', 'id']),
    schema
      .createIndex('tasks_surface')
      .on('tasks')
      .columns(['account_id', 'surface', 'id', 'hidden_at'])
      .where(sql.ref('hidden_at'), 'is', null),
    schema
      .createIndex('tasks_waiting')
      .on('tasks')
      .columns(['channel_id', 'id', 'attempt_id', 'ended_at'])
      .where(sql.ref('attempt_id'), 'is', null)
      .where(sql.ref('ended_at'), 'is', null),
    schema
      .createIndex('tasks_deadline')
      .on('tasks')
      .columns(['deadline_at', 'state', 'ended_at'])
      .where(sql.ref('ended_at'), 'is', null),
    schema
      .createIndex('tasks_media_expiry')
      .on('tasks')
      .column('media_expires_at')
      .where(sql.ref('media_expires_at'), 'is not', null)
      .where(sql.ref('media_forgotten_at'), 'is', null),
    schema
      .createTable('attempts')
      .addColumn('id', text, (column) => column.primaryKey())
      .addColumn('task_id', text, (column) => column.notNull().references('tasks.id'))
      .addColumn('channel_id', text, (column) => column.notNull())
      .addColumn('number', 'integer', (column) => column.notNull())
      .addColumn('state', text, (column) => column.notNull())
      .addColumn('ref', text)
      .addColumn('owner', text, (column) => column.notNull())
      .addColumn('submit_deadline_at', integer64, (column) => column.notNull())
      .addColumn('created_at', integer64, (column) => column.notNull())
      .addColumn('accepted_at', integer64)
      .addColumn('ended_at', integer64)
      .addColumn('outputs', text)
      .addColumn('cost', text)
      .addColumn('upstream_code', text)
      .addColumn('message', text)
      .modifyEnd(sql.raw(tableOptions)),
    schema.createIndex('attempts_task').unique().on('attempts').columns(['task_id', 'number']),
    schema
      .createIndex('attempts_open')
      .on('attempts')
      .columns(['channel_id', 'id'])
      .where(sql.ref('ended_at'), 'is', null),
  ];
}

function history({ builder: { schema }, text, integer64, tableOptions }: Engine): Compilable[] {
  return [
    schema
      .createTable('exchanges')
      .addColumn('id', text, (column) => column.notNull())
      .addColumn('attempt_id', text, (column) => column.notNull())
      .addColumn('at', integer64, (column) => column.notNull())
      .addColumn('method', text, (column) => column.notNull())
      .addColumn('path', text, (column) => column.notNull())
      .addColumn('request', text)
      .addColumn('status', 'integer')
      .addColumn('response', text)
      .addColumn('duration_ms', 'integer', (column) => column.notNull())
      .addColumn('error', text)
      .addPrimaryKeyConstraint('exchanges_key', ['attempt_id', 'id'])
      .modifyEnd(sql.raw(tableOptions)),
    schema
      .createTable('events')
      .addColumn('id', text, (column) => column.primaryKey())
      .addColumn('type', text, (column) => column.notNull())
      .addColumn('account_id', text, (column) => column.notNull())
      .addColumn('task_id', text)
      .addColumn('data', text, (column) => column.notNull())
      .addColumn('created_at', integer64, (column) => column.notNull())
      .modifyEnd(sql.raw(tableOptions)),
    schema.createIndex('events_account').on('events').columns(['account_id', 'id']),
    schema
      .createIndex('events_task')
      .on('events')
      .columns(['task_id', 'id'])
      .where(sql.ref('task_id'), 'is not', null),
  ];
}

function money({
  builder: { schema },
  text,
  integer64,
  tableOptions,
  clusteredTableOptions,
  immutable,
}: Engine): Compilable[] {
  return [
    schema
      .createTable('wallets')
      .addColumn('account_id', text, (column) => column.primaryKey().references('accounts.id'))
      .addColumn('available_micros', integer64, (column) =>
        column.notNull().check(sql.raw('available_micros >= 0')),
      )
      .addColumn('held_micros', integer64, (column) => column.notNull().check(sql.raw('held_micros >= 0')))
      .modifyEnd(sql.raw(clusteredTableOptions)),
    // The key begins with the account: one tree serves both uniqueness and an account's ledger in order.
    schema
      .createTable('ledger_entries')
      .addColumn('id', text, (column) => column.notNull())
      .addColumn('posting_id', text, (column) => column.notNull())
      .addColumn('account_id', text, (column) => column.notNull())
      .addColumn('kind', text, (column) => column.notNull())
      .addColumn('book', text, (column) => column.notNull())
      .addColumn('amount_micros', integer64, (column) => column.notNull())
      .addColumn('task_id', text)
      .addColumn('note', text)
      .addColumn('created_at', integer64, (column) => column.notNull())
      .addPrimaryKeyConstraint('ledger_entries_key', ['account_id', 'id'])
      .modifyEnd(sql.raw(clusteredTableOptions)),
    schema
      .createIndex('ledger_entries_task')
      .on('ledger_entries')
      .column('task_id')
      .where(sql.ref('task_id'), 'is not', null),
    ...immutable('ledger_entries'),
    // A task is charged once: the second usage record of a task has nowhere to go.
    schema
      .createTable('usage_records')
      .addColumn('id', text, (column) => column.primaryKey())
      .addColumn('account_id', text, (column) => column.notNull())
      .addColumn('task_id', text, (column) => column.notNull().unique())
      .addColumn('tier', text, (column) => column.notNull())
      .addColumn('unit', text, (column) => column.notNull())
      .addColumn('quantity', 'integer', (column) => column.notNull())
      .addColumn('amount_micros', integer64, (column) => column.notNull())
      .addColumn('cost', text)
      .addColumn('created_at', integer64, (column) => column.notNull())
      .modifyEnd(sql.raw(tableOptions)),
  ];
}

function backgroundJobs({ builder: { schema }, text, integer64, tableOptions }: Engine): Compilable[] {
  return [
    schema
      .createTable('jobs')
      .addColumn('id', text, (column) => column.primaryKey())
      .addColumn('queue', text, (column) => column.notNull())
      .addColumn('data', text, (column) => column.notNull())
      .addColumn('attempts', 'integer', (column) => column.notNull())
      .addColumn('run_at', integer64, (column) => column.notNull())
      .addColumn('leased', 'integer', (column) => column.notNull())
      .addColumn('error', text)
      .addColumn('buried_at', integer64)
      .addColumn('created_at', integer64, (column) => column.notNull())
      .modifyEnd(sql.raw(tableOptions)),
    schema
      .createIndex('jobs_due')
      .on('jobs')
      .columns(['queue', 'run_at'])
      .where(sql.ref('buried_at'), 'is', null),
  ];
}
