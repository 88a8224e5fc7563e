/** Recomputes all money from the entries and compares it with everything that was derived from them. */
import type { ExpressionBuilder } from 'kysely';
import type { LedgerVerdict } from '../core/ports.ts';
import type { Database, LedgerEntriesTable, TasksTable } from './schema.ts';
import { rows, statement, type Procedure } from './statement.ts';

/** Where a database is far out of order, this many sentences say so. */
const MISMATCHES_MAX = 1_000;

const totals = statement()((db) =>
  db
    .selectFrom('ledger_entries')
    .select((eb) => [
      eb.fn.countAll<number>().as('entries'),
      eb.fn.coalesce(eb.fn.sum<bigint>('amount_micros'), eb.lit(0)).as('sum_micros'),
    ]),
);

const unbalancedPostings = statement()((db) =>
  db
    .selectFrom('ledger_entries')
    .select((eb) => ['posting_id', eb.fn.sum<bigint>('amount_micros').as('sum_micros')])
    .groupBy('posting_id')
    .having((eb) => eb(eb.fn.sum('amount_micros'), '<>', 0))
    .limit(MISMATCHES_MAX),
);

const books = statement()((db) =>
  db
    .selectFrom('ledger_entries')
    .select((eb) => ['account_id', 'book', eb.fn.sum<bigint>('amount_micros').as('sum_micros')])
    .groupBy(['account_id', 'book']),
);

const wallets = statement()((db) => db.selectFrom('wallets').selectAll());

const owedByAccount = statement()((db) =>
  db
    .selectFrom('tasks')
    .select((eb) => ['account_id', eb.fn.sum<bigint>('hold_micros').as('sum_micros')])
    .where('ended_at', 'is', null)
    .groupBy('account_id'),
);

/** Tasks after one id, each with the sums of its own entries; keyset, so that no answer is large. */
const taskSums = statement<{ after: string; limit: number }>()((db, arg) =>
  db
    .selectFrom((eb) =>
      eb
        .selectFrom('tasks')
        .select(['id', 'state', 'hold_micros', 'charge_micros', 'retries', 'refunded_micros'])
        .where('id', '>', arg('after'))
        .orderBy('id')
        .limit(arg('limit'))
        .as('task'),
    )
    .leftJoin('ledger_entries as entry', 'entry.task_id', 'task.id')
    .leftJoin('usage_records as usage', 'usage.task_id', 'task.id')
    .select((eb) => {
      const sumWhere = (
        kind: 'hold' | 'settle' | 'release' | 'refund',
        book: 'held' | 'revenue' | 'available',
      ) =>
        eb.fn.coalesce(
          eb.fn
            .sum<bigint>('entry.amount_micros')
            .filterWhere('entry.kind', '=', kind)
            .filterWhere('entry.book', '=', book),
          eb.lit(0),
        );
      return [
        'task.id',
        'task.state',
        'task.hold_micros',
        'task.charge_micros',
        'task.retries',
        'task.refunded_micros',
        'usage.amount_micros as usage_micros',
        sumWhere('hold', 'held').as('held_micros'),
        sumWhere('settle', 'revenue').as('settled_micros'),
        sumWhere('release', 'available').as('released_micros'),
        sumWhere('refund', 'available').as('given_back_micros'),
      ];
    })
    .groupBy([
      'task.id',
      'task.state',
      'task.hold_micros',
      'task.charge_micros',
      'task.retries',
      'task.refunded_micros',
      'usage.amount_micros',
    ])
    .orderBy('task.id'),
);

/** Entries of tasks that retention has deleted, where they do not add up among themselves and with the usage record. */
const oddDeletedTasks = statement()((db) =>
  db
    .selectFrom('ledger_entries as entry')
    .leftJoin('tasks as task', 'task.id', 'entry.task_id')
    .leftJoin('usage_records as usage', 'usage.task_id', 'entry.task_id')
    .where('entry.task_id', 'is not', null)
    .where('task.id', 'is', null)
    .select((eb) => [
      'entry.task_id',
      'usage.amount_micros as usage_micros',
      movedBy(eb, 'hold', 'held').as('held_micros'),
      movedBy(eb, 'settle', 'revenue').as('settled_micros'),
      movedBy(eb, 'release', 'available').as('released_micros'),
    ])
    .groupBy(['entry.task_id', 'usage.amount_micros'])
    .having((eb) =>
      eb.or([
        eb(
          movedBy(eb, 'hold', 'held'),
          '<>',
          eb(movedBy(eb, 'settle', 'revenue'), '+', movedBy(eb, 'release', 'available')),
        ),
        eb(movedBy(eb, 'settle', 'revenue'), '<>', eb.fn.coalesce('usage.amount_micros', eb.lit(0) as never)),
      ]),
    )
    .limit(MISMATCHES_MAX),
);

type EntryExpressions = ExpressionBuilder<Database & { entry: Database['ledger_entries'] }, 'entry'>;

/** What postings of this kind moved in a book. */
function movedBy(
  expressions: unknown,
  kind: 'hold' | 'settle' | 'release',
  book: LedgerEntriesTable['book'],
) {
  const eb = expressions as EntryExpressions;
  return eb.fn.coalesce(
    eb.fn
      .sum<bigint>('entry.amount_micros')
      .filterWhere('entry.kind', '=', kind)
      .filterWhere('entry.book', '=', book),
    eb.lit(0) as never,
  );
}

const TASKS_PER_STEP = 2_000;

export function* verifyLedger(): Procedure<LedgerVerdict> {
  const mismatches: string[] = [];
  const say = (sentence: string) => {
    if (mismatches.length < MISMATCHES_MAX) mismatches.push(sentence);
  };

  const [total] = yield* rows(totals, {});
  const sumMicros = BigInt(total?.sum_micros ?? 0n);
  if (sumMicros !== 0n) say(`All ledger entries sum to ${sumMicros} micros instead of 0.`);
  for (const row of yield* rows(unbalancedPostings, {})) {
    say(`The entries of posting ${row.posting_id} sum to ${row.sum_micros} micros instead of 0.`);
  }
  yield* verifyWallets(say);
  yield* verifyTasks(say);
  for (const row of yield* rows(oddDeletedTasks, {})) {
    say(
      `Task ${row.task_id} was deleted; its entries hold ${row.held_micros} micros, charge ${row.settled_micros} and ` +
        `release ${row.released_micros}, its usage record shows ${row.usage_micros ?? 0}.`,
    );
  }
  return { ok: mismatches.length === 0, entries: total?.entries ?? 0, sumMicros, mismatches };
}

function* verifyWallets(say: (sentence: string) => void): Procedure<void> {
  const sums = new Map<string, bigint>();
  for (const row of yield* rows(books, {})) sums.set(`${row.account_id} ${row.book}`, BigInt(row.sum_micros));
  const owed = new Map<string, bigint>();
  for (const row of yield* rows(owedByAccount, {})) owed.set(row.account_id, BigInt(row.sum_micros));

  const accounts = new Set<string>();
  for (const row of yield* rows(wallets, {})) {
    const id = row.account_id;
    accounts.add(id);
    const available = sums.get(`${id} available`) ?? 0n;
    const held = sums.get(`${id} held`) ?? 0n;
    const outstanding = owed.get(id) ?? 0n;
    if (row.available_micros !== available) {
      say(
        `The wallet of account ${id} shows ${row.available_micros} micros available, its entries sum to ${available}.`,
      );
    }
    if (row.held_micros !== held) {
      say(`The wallet of account ${id} shows ${row.held_micros} micros held, its entries sum to ${held}.`);
    }
    if (held !== outstanding) {
      say(
        `The held book of account ${id} sums to ${held} micros, its unfinished tasks reserved ${outstanding}.`,
      );
    }
  }
  for (const key of sums.keys()) {
    const id = key.slice(0, key.indexOf(' '));
    if (!accounts.has(id)) {
      accounts.add(id);
      say(`Account ${id} has ledger entries but no wallet.`);
    }
  }
}

function* verifyTasks(say: (sentence: string) => void): Procedure<void> {
  let after = '';
  for (;;) {
    const found = yield* rows(taskSums, { after, limit: TASKS_PER_STEP });
    for (const row of found) verifyTask(row, say);
    const last = found.at(-1);
    if (!last || found.length < TASKS_PER_STEP) return;
    after = last.id;
  }
}

interface TaskSums {
  id: string;
  state: TasksTable['state'];
  hold_micros: bigint;
  charge_micros: bigint | null;
  retries: number | null;
  refunded_micros: bigint | null;
  usage_micros: bigint | null;
  held_micros: unknown;
  settled_micros: unknown;
  released_micros: unknown;
  given_back_micros: unknown;
}

/** Over a task's whole life: hold = charge + release. Every retry has held its quote once more. */
function verifyTask(row: TaskSums, say: (sentence: string) => void): void {
  const { id, state } = row;
  const [held, settled, released, givenBack] = [
    row.held_micros,
    row.settled_micros,
    row.released_micros,
    row.given_back_micros,
  ].map((sum) => BigInt(sum as bigint)) as [bigint, bigint, bigint, bigint];
  const retries = row.retries ?? 0;
  const reserved = row.hold_micros * BigInt(1 + retries);
  if (held !== reserved) {
    const times = retries === 0 ? '' : ` in ${1 + retries} holds`;
    say(`Task ${id} was to hold ${reserved} micros${times}, its entries hold ${held}.`);
  }
  const refunded = row.refunded_micros ?? 0n;
  if (givenBack !== refunded) {
    say(`Task ${id} shows ${refunded} micros refunded, its entries give back ${givenBack}.`);
  }
  if (state === 'queued' || state === 'in_progress') {
    // What earlier holds reserved was released when each of them came to nothing.
    const before = row.hold_micros * BigInt(retries);
    if (settled + released !== before) {
      say(
        `Task ${id} is ${state}, but of its hold of ${held} micros ${settled + released - before} are gone.`,
      );
    }
    return;
  }
  if (held !== settled + released) {
    say(
      `Task ${id} is ${state} and held ${held} micros, but charge ${settled} + release ${released} is ${settled + released}.`,
    );
  }
  const charge = state === 'completed' ? (row.charge_micros ?? 0n) : 0n;
  if (settled !== charge)
    say(`Task ${id} shows a charge of ${charge} micros, its entries settle ${settled}.`);
  const used = row.usage_micros ?? 0n;
  if (used !== charge) say(`Task ${id} shows a charge of ${charge} micros, its usage record ${used}.`);
  if (refunded > charge) say(`Task ${id} was charged ${charge} micros, and ${refunded} were given back.`);
}
