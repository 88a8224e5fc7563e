/** The rows of an embedded database in an empty PostgreSQL one, byte for byte: many times faster than one by one. */
import { once } from 'node:events';
import { join } from 'node:path';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import type { Writable } from 'node:stream';
import pg from 'pg';
import { tablesOf } from '../src/store/move.ts';
import { openPostgres } from '../src/store/postgres/open.ts';
import { DATABASE_FILE } from '../src/store/sqlite/open.ts';

/** Sent at once. */
const CHUNK_CHARACTERS = 1 << 20;
/** While indexes are made. */
const INDEX_MEMORY = '512MB';

/** Two databases of one server. */
export interface SharedDatabases {
  /** Holds the rows of an embedded database. */
  full: string;
  empty: string;
}

/** Makes both on a server and copies the rows of the gateway's directory. */
export async function shareRows(serverUrl: string, directory: string): Promise<SharedDatabases> {
  const urlOf = (name: string): string => {
    const url = new URL(serverUrl);
    url.pathname = `/${name}`;
    return url.href;
  };
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  for (const name of ['full', 'empty']) await client.query(`create database "${name}"`);
  await client.end();
  await copyToPostgres(directory, urlOf('full'));
  return { full: urlOf('full'), empty: urlOf('empty') };
}

/** Makes the tables, copies everything but waiting jobs, and leaves the statistics as they are after a while in use. */
export async function copyToPostgres(directory: string, url: string): Promise<void> {
  await (await openPostgres({ url, now: Date.now })).close();
  const source = new DatabaseSync(join(directory, DATABASE_FILE), { readOnly: true });
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(
      `set session_replication_role = replica; set maintenance_work_mem = '${INDEX_MEMORY}'`,
    );
    // Made once at the end: that takes a fraction of the time.
    const { rows: indexes } = await client.query<{ name: string; definition: string }>(
      `select indexname as name, indexdef as definition from pg_indexes
       where schemaname = 'public' and indexname not in (select conname from pg_constraint)`,
    );
    for (const { name } of indexes) await client.query(`drop index "${name}"`);
    for (const table of tablesOf(source)) if (table !== 'jobs') await copyTable(source, client, table);
    for (const { definition } of indexes) await client.query(definition);
    await client.query('vacuum analyze');
  } finally {
    await client.end();
    source.close();
  }
}

async function copyTable(source: DatabaseSync, client: pg.Client, table: string): Promise<void> {
  const select = source.prepare(`select * from "${table}"`);
  select.setReadBigInts(true);
  select.setReturnArrays(true);
  const columns = select.columns().map(({ name }) => `"${name}"`);
  const copied = new CopyIn(
    `copy "${table}" (${columns.join()}) from stdin`,
    linesOf(select.iterate() as unknown as Iterable<SQLOutputValue[]>),
  );
  client.query(copied);
  await copied.ended;
}

function* linesOf(rows: Iterable<SQLOutputValue[]>): Generator<Buffer> {
  let text = '';
  for (const row of rows) {
    text += `${row.map(fieldOf).join('\t')}\n`;
    if (text.length < CHUNK_CHARACTERS) continue;
    yield Buffer.from(text);
    text = '';
  }
  if (text !== '') yield Buffer.from(text);
}

const ESCAPES: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** postgresql.org/docs/current/sql-copy.html, text format (2026-11-20). */
function fieldOf(value: SQLOutputValue): string {
  if (value === null) return '\\N';
  return typeof value === 'string' ? value.replace(/[\\\n\r\t]/g, (found) => ESCAPES[found]!) : String(value);
}

/** What the client's protocol layer offers and its types leave out. */
type CopyConnection = pg.Connection & {
  stream: Writable;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(reason: string): void;
};

/** A COPY from here, as a query that the client runs: it is called back for every message of the server. */
class CopyIn implements pg.Submittable {
  readonly ended: Promise<void>;
  readonly #text: string;
  readonly #chunks: Iterable<Buffer>;
  readonly #settle: { resolve: () => void; reject: (error: unknown) => void };

  constructor(text: string, chunks: Iterable<Buffer>) {
    const { promise, ...settle } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#text = text;
    this.#chunks = chunks;
    this.#settle = settle;
  }

  submit(connection: pg.Connection): void {
    connection.query(this.#text);
  }

  handleCopyInResponse(connection: CopyConnection): void {
    this.#send(connection).catch((error: unknown) => connection.sendCopyFail(String(error)));
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.#settle.resolve();
  }

  handleError(error: unknown): void {
    this.#settle.reject(error);
  }

  async #send(connection: CopyConnection): Promise<void> {
    for (const chunk of this.#chunks) {
      connection.sendCopyFromChunk(chunk);
      if (connection.stream.writableNeedDrain) await once(connection.stream, 'drain');
    }
    connection.endCopyFrom();
  }
}
