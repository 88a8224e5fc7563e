import { sql } from 'kysely';
import type { Migration } from '../migrate.ts';

/** Who is told of what: endpoints, what they subscribe to, messages, deliveries, and what was consumed. */
export const webhooks: Migration = {
  name: '0003-webhooks',
  up: ({ builder: { schema }, text, integer64, tableOptions, clusteredTableOptions }) => [
    schema
      .createTable('webhook_endpoints')
      .addColumn('id', text, (column) => column.primaryKey())
      .addColumn('account_id', text, (column) => column.notNull().references('accounts.id'))
      .addColumn('kind', text, (column) => column.notNull())
      .addColumn('name', text, (column) => column.notNull())
      .addColumn('url', text, (column) => column.notNull())
      .addColumn('event_types', text, (column) => column.notNull())
      .addColumn('enabled', 'integer', (column) => column.notNull())
      .addColumn('disabled_reason', text)
      .addColumn('secret_sealed', text, (column) => column.notNull())
      .addColumn('secret_hint', text, (column) => column.notNull())
      .addColumn('old_secret_sealed', text)
      .addColumn('old_secret_until', integer64)
      .addColumn('created_at', integer64, (column) => column.notNull())
      .addColumn('updated_at', integer64, (column) => column.notNull())
      .addColumn('deleted_at', integer64)
      .modifyEnd(sql.raw(tableOptions)),
    schema
      .createIndex('webhook_endpoints_account')
      .on('webhook_endpoints')
      .columns(['account_id', 'kind', 'id'])
      .where(sql.ref('deleted_at'), 'is', null),
    // Asked at every event of every task: one look-up in the key's own tree tells that nobody wants to know.
    schema
      .createTable('webhook_subscriptions')
      .addColumn('account_id', text, (column) => column.notNull())
      .addColumn('event_type', text, (column) => column.notNull())
      .addColumn('endpoint_id', text, (column) => column.notNull().references('webhook_endpoints.id'))
      .addPrimaryKeyConstraint('webhook_subscriptions_key', ['account_id', 'event_type', 'endpoint_id'])
      .modifyEnd(sql.raw(clusteredTableOptions)),
    schema.createIndex('webhook_subscriptions_endpoint').on('webhook_subscriptions').columns(['endpoint_id']),
    schema
      .createTable('webhook_messages')
      .addColumn('id', text, (column) => column.primaryKey())
      .addColumn('account_id', text, (column) => column.notNull())
      .addColumn('type', text, (column) => column.notNull())
      .addColumn('event_id', text, (column) => column.notNull())
      .addColumn('task_id', text)
      .addColumn('sequence', integer64)
      .addColumn('body', text)
      .addColumn('created_at', integer64, (column) => column.notNull())
      .modifyEnd(sql.raw(tableOptions)),
    schema.createIndex('webhook_messages_age').on('webhook_messages').column('created_at'),
    schema
      .createTable('webhook_deliveries')
      .addColumn('id', text, (column) => column.primaryKey())
      .addColumn('account_id', text, (column) => column.notNull())
      .addColumn('message_id', text, (column) => column.notNull().references('webhook_messages.id'))
      .addColumn('endpoint_id', text)
      .addColumn('callback_url', text)
      .addColumn('lane', text, (column) => column.notNull())
      .addColumn('task_id', text)
      .addColumn('state', text, (column) => column.notNull())
      .addColumn('attempts', 'integer', (column) => column.notNull())
      .addColumn('tries', 'integer', (column) => column.notNull())
      .addColumn('next_at', integer64, (column) => column.notNull())
      .addColumn('leased', 'integer', (column) => column.notNull())
      .addColumn('last_status', 'integer')
      .addColumn('last_error', text)
      .addColumn('created_at', integer64, (column) => column.notNull())
      .addColumn('held_at', integer64)
      .addColumn('settled_at', integer64)
      .modifyEnd(sql.raw(tableOptions)),
    schema
      .createIndex('webhook_deliveries_due')
      .on('webhook_deliveries')
      .columns(['lane', 'next_at'])
      .where(sql.ref('settled_at'), 'is', null)
      .where(sql.ref('held_at'), 'is', null),
    schema
      .createIndex('webhook_deliveries_next')
      .on('webhook_deliveries')
      .columns(['next_at'])
      .where(sql.ref('settled_at'), 'is', null)
      .where(sql.ref('held_at'), 'is', null),
    schema
      .createIndex('webhook_deliveries_endpoint')
      .on('webhook_deliveries')
      .columns(['endpoint_id', 'id'])
      .where(sql.ref('endpoint_id'), 'is not', null),
    schema
      .createIndex('webhook_deliveries_task')
      .on('webhook_deliveries')
      .columns(['task_id', 'id'])
      .where(sql.ref('task_id'), 'is not', null),
    schema.createIndex('webhook_deliveries_message').on('webhook_deliveries').columns(['message_id']),
    schema
      .createTable('webhook_attempts')
      .addColumn('delivery_id', text, (column) => column.notNull())
      .addColumn('number', 'integer', (column) => column.notNull())
      .addColumn('at', integer64, (column) => column.notNull())
      .addColumn('duration_ms', 'integer', (column) => column.notNull())
      .addColumn('status', 'integer')
      .addColumn('error', text)
      .addPrimaryKeyConstraint('webhook_attempts_key', ['delivery_id', 'number'])
      .modifyEnd(sql.raw(clusteredTableOptions)),
    // The sequence has no gaps: whoever moves a wallet holds it until the commit, so the next number is his.
    schema
      .createTable('consumption_events')
      .addColumn('account_id', text, (column) => column.notNull().references('accounts.id'))
      .addColumn('sequence', integer64, (column) => column.notNull())
      .addColumn('event_id', text, (column) => column.notNull())
      .addColumn('type', text, (column) => column.notNull())
      .addColumn('posting_id', text, (column) => column.notNull())
      .addColumn('amount_micros', integer64, (column) => column.notNull())
      .addColumn('balance_micros', integer64, (column) => column.notNull())
      .addColumn('task_id', text)
      .addColumn('note', text)
      .addColumn('created_at', integer64, (column) => column.notNull())
      .addPrimaryKeyConstraint('consumption_events_key', ['account_id', 'sequence'])
      .modifyEnd(sql.raw(clusteredTableOptions)),
    schema.alterTable('wallets').addColumn('low_micros', integer64),
  ],
};
