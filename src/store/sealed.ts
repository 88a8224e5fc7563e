/** Texts that are sealed with a root key, wherever they lie, and the names of those keys. */
import { sql, type Compilable, type Kysely } from 'kysely';
import type { RootKeyRow, SealedKind, SealedStore, SealedValue } from '../core/ports.ts';
import type { Backend } from './backend.ts';
import type { Database } from './schema.ts';
import { change, rows, statement, type Mutation, type Procedure, type Statement } from './statement.ts';

interface Column {
  table: keyof Database;
  column: string;
  /** Who keeps opened texts in memory. */
  topic: string | null;
}

/** Every column of sealed texts. A test holds it against the schema: what is missing here is never sealed anew. */
export const SEALED_COLUMNS: Record<SealedKind, Column> = {
  'secret-key': { table: 'api_keys', column: 'secret_key_sealed', topic: 'keys' },
  credential: { table: 'channels', column: 'credential_sealed', topic: 'channels' },
  'signing-secret': { table: 'webhook_endpoints', column: 'secret_sealed', topic: null },
  'old-signing-secret': { table: 'webhook_endpoints', column: 'old_secret_sealed', topic: null },
};

const kinds = Object.keys(SEALED_COLUMNS) as SealedKind[];

/** `v1.<key id>.…` (lib/seal.ts). An empty text seals nothing: a sandbox channel needs no credential. */
const keyIdOf = (column: string) => sql<string>`substr(${sql.ref(column)}, 4, 8)`;

interface Statements {
  counts: Statement<object, { key_id: string; number: number }>;
  others: Statement<{ key_id: string; after: string; limit: number }, { id: string; sealed: string }>;
  put: Statement<{ id: string; sealed: string; resealed: string }, unknown>;
}

function statementsOf({ table, column }: Column): Statements {
  const raw =
    <Row>(query: ReturnType<typeof sql<Row>>) =>
    (db: Kysely<Database>): Compilable<Row> => ({ compile: () => query.compile(db) as never });
  return {
    counts: statement()(
      raw<{ key_id: string; number: number }>(
        sql`select ${keyIdOf(column)} as key_id, count(*) as number from ${sql.table(table)}
            where ${sql.ref(column)} <> '' group by ${keyIdOf(column)}`,
      ),
    ),
    others: statement<{ key_id: string; after: string; limit: number }>()((db, arg) =>
      raw<{ id: string; sealed: string }>(
        sql`select id, ${sql.ref(column)} as sealed from ${sql.table(table)}
            where id > ${arg('after')} and ${sql.ref(column)} <> '' and ${keyIdOf(column)} <> ${arg('key_id')}
            order by id limit ${arg('limit')}`,
      )(db),
    ),
    put: statement<{ id: string; sealed: string; resealed: string }>()((db, arg) =>
      raw<unknown>(
        sql`update ${sql.table(table)} set ${sql.ref(column)} = ${arg('resealed')}
            where id = ${arg('id')} and ${sql.ref(column)} = ${arg('sealed')}`,
      )(db),
    ),
  };
}

const statements = Object.fromEntries(
  kinds.map((kind) => [kind, statementsOf(SEALED_COLUMNS[kind])]),
) as Record<SealedKind, Statements>;

const note = statement<{ id: string; at: number }>()((db, arg) =>
  db
    .insertInto('root_keys')
    .values({ id: arg('id'), first_used_at: arg('at'), retired_at: null })
    // A change only where it is one: a start that finds everything as it was writes nothing.
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet({ retired_at: null }).where('root_keys.retired_at', 'is not', null),
    ),
);

const known = statement()((db) =>
  db.selectFrom('root_keys').selectAll().orderBy('first_used_at').orderBy('id'),
);

const retire = statement<{ id: string; at: number }>()((db, arg) =>
  db
    .updateTable('root_keys')
    .set({ retired_at: arg('at') })
    .where('id', '=', arg('id')),
);

/** Compares before it sets: a credential that an operator has just replaced is not put back. */
export const resealValues: Mutation<(SealedValue & { resealed: string })[], number> = function* (tx, values) {
  let put = 0;
  for (const { kind, id, sealed, resealed } of values) {
    const changed = yield* change(statements[kind].put, { id, sealed, resealed });
    const { topic } = SEALED_COLUMNS[kind];
    if (changed > 0 && topic !== null) tx.notify(topic);
    put += changed;
  }
  return put;
};

export const noteRootKey: Mutation<{ id: string; at: number }, void> = function* (_tx, { id, at }) {
  yield* change(note, { id, at });
};

export const retireRootKey: Mutation<{ id: string; at: number }, void> = function* (_tx, { id, at }) {
  yield* change(retire, { id, at });
};

export function* rootKeys(): Procedure<RootKeyRow[]> {
  return (yield* rows(known, {})).map((row) => ({
    id: row.id,
    firstUsedAt: row.first_used_at,
    retiredAt: row.retired_at,
  }));
}

export function* countSealed(): Procedure<{ keyId: string; number: number }[]> {
  const counts = new Map<string, number>();
  for (const kind of kinds) {
    for (const row of yield* rows(statements[kind].counts, {})) {
      counts.set(row.key_id, (counts.get(row.key_id) ?? 0) + row.number);
    }
  }
  return [...counts].map(([keyId, number]) => ({ keyId, number }));
}

export function* sealedWithOthers({
  kind,
  keyId,
  after,
  limit,
}: Parameters<SealedStore['sealedWithOthers']>[0]): Procedure<SealedValue[]> {
  const found = yield* rows(statements[kind].others, { key_id: keyId, after, limit });
  return found.map(({ id, sealed }) => ({ kind, id, sealed }));
}

/** The part of the Store port about them. */
export function sealedStore({ read, write }: Backend): SealedStore {
  return {
    counts: () => read(countSealed()),
    sealedWithOthers: (query) => read(sealedWithOthers(query)),
    reseal: (values) => write('resealValues', values),
    rootKeys: () => read(rootKeys()),
    noteRootKey: (input) => write('noteRootKey', input),
    retireRootKey: (input) => write('retireRootKey', input),
  };
}
