import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createTestDatabase, type TestDatabase } from '../../../test/helpers/test-database.ts';
import { T0 } from '../contract/harness.ts';
import { change, first, rows, statement, type Procedure } from '../statement.ts';
import { openConnection, type Connection } from './connection.ts';
import { openPostgres } from './open.ts';
import { driveTogether } from './together.ts';

const insertAccount = statement<{ id: string; name: string; at: number; limits: string | null }>()(
  (db, arg) =>
    db.insertInto('accounts').values({
      id: arg('id'),
      name: arg('name'),
      status: 'active',
      created_at: arg('at'),
      limits: arg('limits'),
    }),
);
const insertWallet = statement<{ id: string; available: bigint }>()((db, arg) =>
  db
    .insertInto('wallets')
    .values({ account_id: arg('id'), available_micros: arg('available'), held_micros: 0n }),
);
const rename = statement<{ id: string; name: string }>()((db, arg) =>
  db
    .updateTable('accounts')
    .set({ name: arg('name') })
    .where('id', '=', arg('id'))
    .where('status', '=', 'active')
    .returningAll(),
);
const namesFrom = statement<{ after: string; limit: number }>()((db, arg) =>
  db.selectFrom('accounts').select('name').where('id', '>', arg('after')).orderBy('id').limit(arg('limit')),
);
const spend = statement<{ id: string; by: bigint }>()(
  (db, arg) =>
    db
      .updateTable('wallets')
      .set((eb) => ({ available_micros: eb('available_micros', '+', arg('by')) }))
      .where('account_id', '=', arg('id'))
      .where((eb) => eb(eb('available_micros', '+', arg('by')), '>=', 0n))
      .returning('available_micros'),
  { key: 'id', amounts: { by: 'available_micros' } },
);

describe('many callers, one statement', () => {
  let database: TestDatabase;
  let connection: Connection;
  /** Texts that reached the server. */
  const sent: string[] = [];

  before(async () => {
    database = await createTestDatabase();
    await (await openPostgres({ url: database.url, now: () => T0 })).close();
    const opened = await openConnection({ url: database.url, purpose: 'writes' });
    connection = {
      ...opened,
      execute(query) {
        sent.push(query.text);
        return opened.execute(query);
      },
      close: () => opened.close(),
    };
  });

  after(async () => {
    await connection.close();
    await database.drop();
  });

  /** Runs the procedures in step; answers their results and how many statements it took. */
  async function together<Result>(
    procedures: Procedure<Result>[],
  ): Promise<{ results: (Result | undefined)[]; statements: string[] }> {
    sent.length = 0;
    const ends = await driveTogether(connection, procedures);
    const results = ends.map((end) => ('result' in end ? (end.result as Result) : undefined));
    return { results, statements: sent.filter((text) => !/^prepare|^deallocate|pg_prepared/.test(text)) };
  }

  test('many inserts are one statement, whatever the texts hold', async () => {
    const names = [
      'plain',
      'quote " and \\ backslash',
      '',
      'null',
      '{a,b}',
      'line\nbreak — 猫 🐈',
      "it's",
      'nul \0',
    ];
    const { results, statements } = await together(
      names.map((name, index) =>
        change(insertAccount, {
          id: `acc_${index}`,
          name,
          at: T0 + index,
          limits: index % 2 ? null : 'NULL',
        }),
      ),
    );
    assert.deepEqual(
      results,
      names.map(() => 1),
    );
    assert.equal(statements.length, 1);
    const { rows: found } = await connection.execute({
      text: 'select name, created_at::text, limits from accounts order by id',
    });
    assert.deepEqual(
      found,
      names.map((name, index) => ({
        name: name.replace('\0', '\uFFFD'),
        created_at: String(T0 + index),
        limits: index % 2 ? null : 'NULL',
      })),
    );
  });

  test('each caller has the rows of its own change; one about the same row follows', async () => {
    const { results, statements } = await together([
      first(rename, { id: 'acc_1', name: 'one' }),
      first(rename, { id: 'acc_none', name: 'nobody' }),
      first(rename, { id: 'acc_0', name: 'zero' }),
      first(rename, { id: 'acc_1', name: 'one again' }),
    ]);
    assert.deepEqual(
      results.map((row) => row && [row.id, row.name, row.created_at, 'caller' in row]),
      [
        ['acc_1', 'one', T0 + 1, false],
        null,
        ['acc_0', 'zero', T0, false],
        ['acc_1', 'one again', T0 + 1, false],
      ],
    );
    assert.equal(statements.length, 2);
  });

  test('each caller has its rows in their order, and the same question is asked once', async () => {
    const { results, statements } = await together([
      rows(namesFrom, { after: 'acc_1', limit: 2 }),
      rows(namesFrom, { after: 'acc_9', limit: 2 }),
      rows(namesFrom, { after: '', limit: 1 }),
      rows(namesFrom, { after: 'acc_1', limit: 2 }),
    ]);
    assert.deepEqual(results, [
      [{ name: '' }, { name: 'null' }],
      [],
      [{ name: 'zero' }],
      [{ name: '' }, { name: 'null' }],
    ]);
    assert.equal(statements.length, 1);
    const same = await together([1, 2, 3].map(() => rows(namesFrom, { after: 'acc_1', limit: 1 })));
    assert.deepEqual(
      same.statements.map((text) => /unnest/.test(text)),
      [false],
    );
  });

  test('amounts of one row are added up; each caller sees the row as after its own', async () => {
    await together([
      change(insertWallet, { id: 'acc_0', available: 100n }),
      change(insertWallet, { id: 'acc_1', available: 2n ** 60n }),
    ]);
    const { results, statements } = await together([
      first(spend, { id: 'acc_0', by: -10n }),
      first(spend, { id: 'acc_1', by: -1n }),
      first(spend, { id: 'acc_0', by: -20n }),
      first(spend, { id: 'acc_0', by: -30n }),
    ]);
    assert.deepEqual(
      results.map((row) => row?.available_micros),
      [90n, 2n ** 60n - 1n, 70n, 40n],
    );
    assert.equal(statements.length, 1);
  });

  test('where the sum does not fit, as many as can do', async () => {
    const { results } = await together(
      [25n, 25n, 5n, 10n].map((by) => first(spend, { id: 'acc_0', by: -by })),
    );
    assert.deepEqual(
      results.map((row) => row && row.available_micros),
      [15n, null, 10n, 0n],
    );
    // Some add and some take: each in its turn.
    const mixed = await together([50n, -30n, -30n].map((by) => first(spend, { id: 'acc_0', by })));
    assert.deepEqual(
      mixed.results.map((row) => row && row.available_micros),
      [50n, 20n, null],
    );
  });

  test('who gives too little or throws is alone in it', async () => {
    function* broken(): Procedure<number> {
      yield* first(rename, { id: 'acc_0', name: 'x' });
      throw new Error('its own fault');
    }
    const ends = await driveTogether(connection, [
      broken(),
      first(rename, { id: 'acc_1' } as { id: string; name: string }),
      first(rename, { id: 'acc_2', name: 'fine' }),
    ]);
    assert.deepEqual(
      ends.map((end) =>
        'thrown' in end ? (end.thrown as Error).message : (end.result as { name: string }).name,
      ),
      ['its own fault', 'the statement\'s argument "name" is missing', 'fine'],
    );
  });
});
