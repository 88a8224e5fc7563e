import { sql } from 'kysely';
import type { Migration } from '../migrate.ts';

/** Names of the root keys in use: a start with the wrong one is noticed before anything is sealed with it. */
export const secrets: Migration = {
  name: '0007-secrets',
  up: ({ builder: { schema }, text, integer64, tableOptions }) => [
    schema
      .createTable('root_keys')
      .addColumn('id', text, (column) => column.primaryKey())
      .addColumn('first_used_at', integer64, (column) => column.notNull())
      .addColumn('retired_at', integer64)
      .modifyEnd(sql.raw(tableOptions)),
  ],
};
