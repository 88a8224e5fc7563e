import { sql } from 'kysely';
import type { Migration } from '../migrate.ts';

/** Fair queues, one per channel and pool; whose turn it is; what is known of a channel's health and pace. */
export const lanes: Migration = {
  name: '0005-lanes',
  up: ({ builder: { schema }, text, integer64, clusteredTableOptions }) => [
    schema.alterTable('tasks').addColumn('pool', text, (column) => column.notNull().defaultTo('')),
    schema.alterTable('tasks').addColumn('queue_rank', 'integer', (column) => column.notNull().defaultTo(0)),
    // In the order of taking: an account's next task is one seek away, and so is the next account.
    schema.dropIndex('tasks_waiting'),
    schema
      .createIndex('tasks_waiting')
      .on('tasks')
      .columns(['channel_id', 'pool', 'account_id', 'queue_rank', 'id', 'attempt_id', 'ended_at'])
      .where(sql.ref('attempt_id'), 'is', null)
      .where(sql.ref('ended_at'), 'is', null),
    schema
      .createTable('lane_turns')
      .addColumn('channel_id', text, (column) => column.notNull())
      .addColumn('pool', text, (column) => column.notNull())
      .addColumn('account_id', text, (column) => column.notNull())
      .addColumn('turn', integer64, (column) => column.notNull())
      .addPrimaryKeyConstraint('lane_turns_key', ['channel_id', 'pool', 'account_id'])
      .modifyEnd(sql.raw(clusteredTableOptions)),
    schema.createIndex('lane_turns_last').on('lane_turns').columns(['channel_id', 'pool', 'turn']),
    schema
      .createTable('lane_paces')
      .addColumn('channel_id', text, (column) => column.notNull())
      .addColumn('pool', text, (column) => column.notNull())
      .addColumn('task_ms', integer64, (column) => column.notNull())
      .addColumn('updated_at', integer64, (column) => column.notNull())
      .addPrimaryKeyConstraint('lane_paces_key', ['channel_id', 'pool'])
      .modifyEnd(sql.raw(clusteredTableOptions)),
    schema
      .createTable('channel_health')
      .addColumn('channel_id', text, (column) => column.primaryKey())
      .addColumn('state', text, (column) => column.notNull())
      .addColumn('since', integer64, (column) => column.notNull())
      .addColumn('reason', text)
      .addColumn('retry_at', integer64)
      .addColumn('trips', 'integer', (column) => column.notNull())
      .modifyEnd(sql.raw(clusteredTableOptions)),
  ],
};
