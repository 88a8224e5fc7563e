/**
 * What differs between databases, as named capabilities: queries and migrations ask these, never for a product's
 * name.
 */
import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
  type ColumnDataType,
  type Compilable,
  type RawBuilder,
} from 'kysely';
import type { Database } from './schema.ts';

export interface Engine {
  /** Key of compiled statements. */
  name: string;
  /** Builds and compiles queries; never executes any. */
  builder: Kysely<Database>;
  /** Column type of text, compared byte by byte: ids are sorted and paged by it. */
  text: ColumnDataType | RawBuilder<unknown>;
  /** Column type of money and times: SQLite's STRICT tables know no `bigint`, their integers have 64 bits. */
  integer64: ColumnDataType;
  /** Column type of numbers that are no integers: 64 bits of floating point. */
  real: ColumnDataType;
  /** Appended to CREATE TABLE. */
  tableOptions: string;
  /** Appended for narrow tables that are read by their primary key: rows live in the key's own tree. */
  clusteredTableOptions: string;
  /** Statements that make rows of a table final: every UPDATE and DELETE fails. */
  immutable(table: string): Compilable[];
  /** Several writers share the rows: what a change reads before it writes it must lock, or somebody comes between. */
  sharesRows: boolean;
  /** Keeps other writers from a table until the commit; nothing where there is one writer only. */
  lockTable(table: keyof Database): Compilable;
}

type Lockable<Query> = { forUpdate(): Query };

/** A read that a change is built on: its rows stay as they were read until the change is committed. */
export function lockRows<Query extends Lockable<Query>>(engine: Engine, query: Query): Query {
  return engine.sharesRows ? query.forUpdate() : query;
}

type Skippable<Query> = { forUpdate(): { skipLocked(): Query } };

/** Takes rows to work on: whatever another writer has locked is left to it, nobody waits for anybody. */
export function leaveLocked<Query extends Skippable<Query>>(engine: Engine, query: Query): Query {
  return engine.sharesRows ? query.forUpdate().skipLocked() : query;
}

const sqliteBuilder = new Kysely<Database>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});

export const sqliteEngine: Engine = {
  name: 'sqlite',
  builder: sqliteBuilder,
  text: 'text',
  integer64: 'integer',
  real: 'real',
  tableOptions: 'strict',
  clusteredTableOptions: 'strict, without rowid',
  immutable: (table) =>
    ['update', 'delete'].map((verb) => {
      const trigger = sql.raw(
        `create trigger ${table}_no_${verb} before ${verb} on ${table} begin ` +
          `select raise(abort, '${table}: rows are final'); end`,
      );
      return { compile: () => trigger.compile(sqliteBuilder) };
    }),
  sharesRows: false,
  lockTable: () => ({ compile: () => sql`select 1`.compile(sqliteBuilder) }),
};

const postgresBuilder = new Kysely<Database>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
});

export const postgresEngine: Engine = {
  name: 'postgres',
  builder: postgresBuilder,
  text: sql`text collate "C"`,
  integer64: 'bigint',
  real: 'double precision',
  tableOptions: '',
  clusteredTableOptions: '',
  immutable: (table) =>
    [
      `create function ${table}_is_final() returns trigger language plpgsql as ` +
        `$$ begin raise exception '${table}: rows are final'; end $$`,
      ...['update', 'delete'].map(
        (verb) =>
          `create trigger ${table}_no_${verb} before ${verb} on ${table} ` +
          `for each row execute function ${table}_is_final()`,
      ),
      `create trigger ${table}_no_truncate before truncate on ${table} ` +
        `for each statement execute function ${table}_is_final()`,
    ].map((text) => ({ compile: () => sql.raw(text).compile(postgresBuilder) })),
  sharesRows: true,
  lockTable: (table) => ({
    compile: () => sql`lock table ${sql.table(table)} in share row exclusive mode`.compile(postgresBuilder),
  }),
};
