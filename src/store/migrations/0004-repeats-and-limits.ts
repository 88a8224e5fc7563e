import { sql } from 'kysely';
import type { Migration } from '../migrate.ts';

/** What recognises a repeat, and what keys and accounts are held to. */
export const repeatsAndLimits: Migration = {
  name: '0004-repeats-and-limits',
  up: ({ builder: { schema }, text, integer64, tableOptions, clusteredTableOptions }) => [
    schema
      .createTable('used_keys')
      .addColumn('scope', text, (column) => column.notNull())
      .addColumn('key', text, (column) => column.notNull())
      .addColumn('request_hash', text, (column) => column.notNull())
      .addColumn('subject_id', text, (column) => column.notNull())
      .addColumn('created_at', integer64, (column) => column.notNull())
      .addColumn('expires_at', integer64, (column) => column.notNull())
      .addColumn('response', text, (column) => column.notNull())
      .addPrimaryKeyConstraint('used_keys_key', ['scope', 'key'])
      .modifyEnd(sql.raw(tableOptions)),
    schema.createIndex('used_keys_expiry').on('used_keys').column('expires_at'),
    // Rows live for minutes. The same request may be sent several times on purpose, hence the task in the key.
    schema
      .createTable('sendings')
      .addColumn('key_id', text, (column) => column.notNull())
      .addColumn('request_hash', text, (column) => column.notNull())
      .addColumn('task_id', text, (column) => column.notNull())
      .addColumn('retry_count', 'integer', (column) => column.notNull())
      .addColumn('created_at', integer64, (column) => column.notNull())
      .addPrimaryKeyConstraint('sendings_key', ['key_id', 'request_hash', 'task_id'])
      .modifyEnd(sql.raw(clusteredTableOptions)),
    schema.createIndex('sendings_age').on('sendings').column('created_at'),
    schema.alterTable('accounts').addColumn('limits', text),
    schema.alterTable('api_keys').addColumn('limits', text),
    // A row exists exactly for keys and accounts whose tasks or spend are limited: others cost one look.
    schema
      .createTable('limit_counters')
      .addColumn('owner_id', text, (column) => column.primaryKey())
      .addColumn('concurrent_max', 'integer')
      .addColumn('day_max_micros', integer64)
      .addColumn('month_max_micros', integer64)
      .addColumn('running', 'integer', (column) => column.notNull())
      .addColumn('day', 'integer', (column) => column.notNull())
      .addColumn('day_micros', integer64, (column) => column.notNull())
      .addColumn('month', 'integer', (column) => column.notNull())
      .addColumn('month_micros', integer64, (column) => column.notNull())
      .modifyEnd(sql.raw(clusteredTableOptions)),
  ],
};
