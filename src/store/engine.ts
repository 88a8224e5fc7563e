/**
 * What differs between databases, as named capabilities: queries and migrations ask these, never for a product's
 * name.
 */
import {
  DummyDriver,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
  type ColumnDataType,
  type Compilable,
} from 'kysely';
import type { Database } from './schema.ts';

export interface Engine {
  /** Key of compiled statements. */
  name: string;
  /** Builds and compiles queries; never executes any. */
  builder: Kysely<Database>;
  /** Column type of text, compared byte by byte: ids are sorted and paged by it. */
  text: ColumnDataType;
  /** Column type of money and times: SQLite's STRICT tables know no `bigint`, their integers have 64 bits. */
  integer64: ColumnDataType;
  /** Appended to CREATE TABLE. */
  tableOptions: string;
  /** Appended for narrow tables that are read by their primary key: rows live in the key's own tree. */
  clusteredTableOptions: string;
  /** Statements that make rows of a table final: every UPDATE and DELETE fails. */
  immutable(table: string): Compilable[];
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
};
