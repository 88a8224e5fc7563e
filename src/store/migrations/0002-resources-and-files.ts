import { sql } from 'kysely';
import type { Migration } from '../migrate.ts';

/** What accounts own beside tasks: voices and elements at a channel, files they uploaded. */
export const resourcesAndFiles: Migration = {
  name: '0002-resources-and-files',
  up: ({ builder: { schema }, text, integer64, tableOptions }) => [
    // What an attempt found beside files, until its outputs are fetched and the task is finished.
    schema.alterTable('attempts').addColumn('found', text),
    schema
      .createTable('resources')
      .addColumn('id', text, (column) => column.primaryKey())
      .addColumn('account_id', text, (column) => column.notNull().references('accounts.id'))
      .addColumn('kind', text, (column) => column.notNull())
      .addColumn('channel_id', text, (column) => column.notNull())
      .addColumn('upstream_id', text, (column) => column.notNull())
      .addColumn('name', text)
      .addColumn('task_id', text)
      .addColumn('created_at', integer64, (column) => column.notNull())
      .addColumn('expires_at', integer64)
      .addColumn('deleted_at', integer64)
      .addColumn('data', text, (column) => column.notNull())
      .modifyEnd(sql.raw(tableOptions)),
    schema
      .createIndex('resources_account')
      .on('resources')
      .columns(['account_id', 'kind', 'id'])
      .where(sql.ref('deleted_at'), 'is', null),
    schema
      .createIndex('resources_upstream')
      .on('resources')
      .columns(['kind', 'upstream_id'])
      .where(sql.ref('deleted_at'), 'is', null),
    schema
      .createTable('files')
      .addColumn('id', text, (column) => column.primaryKey())
      .addColumn('account_id', text, (column) => column.notNull().references('accounts.id'))
      .addColumn('filename', text, (column) => column.notNull())
      .addColumn('purpose', text, (column) => column.notNull())
      .addColumn('content_type', text, (column) => column.notNull())
      .addColumn('bytes', integer64, (column) => column.notNull())
      .addColumn('width', 'integer')
      .addColumn('height', 'integer')
      .addColumn('media_key', text, (column) => column.notNull())
      .addColumn('created_at', integer64, (column) => column.notNull())
      .addColumn('expires_at', integer64)
      .modifyEnd(sql.raw(tableOptions)),
    schema.createIndex('files_account').on('files').columns(['account_id', 'id']),
    schema
      .createIndex('files_expiry')
      .on('files')
      .column('expires_at')
      .where(sql.ref('expires_at'), 'is not', null),
    // Money in and corrections belong to no task: their sum needs no walk through an account's whole ledger, and
    // intake, whose entries all belong to one, does not pay for it.
    schema
      .createIndex('ledger_entries_funding')
      .on('ledger_entries')
      .columns(['account_id', 'book', 'kind', 'amount_micros', 'task_id'])
      .where(sql.ref('task_id'), 'is', null),
  ],
};
