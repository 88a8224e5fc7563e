import { sql } from 'kysely';
import type { Migration } from '../migrate.ts';

/** What operators do to tasks, channels and endpoints, and what calls for them. */
export const operatorActions: Migration = {
  name: '0006-operator-actions',
  up: ({ builder: { schema }, text, integer64 }) => [
    schema.alterTable('tasks').addColumn('refunded_micros', integer64),
    schema.alterTable('tasks').addColumn('retries', 'integer'),
    schema.alterTable('tasks').addColumn('retried_at', integer64),
    schema.alterTable('tasks').addColumn('upstream_handle', text),
    schema.alterTable('tasks').addColumn('attention', text),
    // Both hold next to nothing: what calls for an operator, and what one has retried.
    schema
      .createIndex('tasks_attention')
      .on('tasks')
      .columns(['id', 'attention'])
      .where(sql.ref('attention'), 'is not', null),
    schema
      .createIndex('tasks_retried')
      .on('tasks')
      .columns(['account_id', 'retried_at'])
      .where(sql.ref('retried_at'), 'is not', null),
    schema.alterTable('ledger_entries').addColumn('author', text),
    schema.alterTable('webhook_endpoints').addColumn('failing_since', integer64),
    schema.alterTable('webhook_endpoints').addColumn('disabled_at', integer64),
    schema
      .alterTable('channels')
      .addColumn('allows_compliance_switches', 'integer', (column) => column.notNull().defaultTo(0)),
  ],
};
