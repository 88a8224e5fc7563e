/**
 * What keys and accounts are held to, and the counters behind it. Counters move in the transaction that accepts or ends
 * a task; they exist only for owners whose tasks or spend are limited.
 */
import { sql } from 'kysely';
import { GatewayError } from '../core/errors.ts';
import { periodsOf, type Limits } from '../core/limits.ts';
import { formatMicros } from '../core/money.ts';
import { readJson } from './task-row.ts';
import { AFTER_ALL_IDS } from './page.ts';
import type { LimitCountersTable } from './schema.ts';
import { change, keptUntilWritten, rows, statement, type Procedure } from './statement.ts';

type Owners = { account_id: string; key_id: string };

const countersOf = keptUntilWritten(
  ['limit_counters'],
  statement<Owners>()((db, arg) =>
    db
      .selectFrom('limit_counters')
      .selectAll()
      .where('owner_id', 'in', [arg('account_id'), arg('key_id')])
      // Everybody takes them in this order.
      .orderBy('owner_id'),
  ),
);

/** Nothing is changed where a limit would be passed. A day or month that is over counts as nothing. */
const add = statement<{ owner_id: string; day: number; month: number; amount: bigint }>()((db, arg) =>
  db
    .updateTable('limit_counters')
    .set((eb) => ({
      running: eb('running', '+', 1),
      day: eb.case().when('day', '>', arg('day')).then(eb.ref('day')).else(arg('day')).end(),
      day_micros: eb(
        eb.case().when('day', '>=', arg('day')).then(eb.ref('day_micros')).else(0n).end(),
        '+',
        arg('amount'),
      ),
      month: eb.case().when('month', '>', arg('month')).then(eb.ref('month')).else(arg('month')).end(),
      month_micros: eb(
        eb.case().when('month', '>=', arg('month')).then(eb.ref('month_micros')).else(0n).end(),
        '+',
        arg('amount'),
      ),
    }))
    .where('owner_id', '=', arg('owner_id'))
    .where((eb) => eb.or([eb('concurrent_max', 'is', null), eb('running', '<', eb.ref('concurrent_max'))]))
    .where((eb) =>
      eb.or([
        eb('day_max_micros', 'is', null),
        eb(
          eb(
            eb.case().when('day', '>=', arg('day')).then(eb.ref('day_micros')).else(0n).end(),
            '+',
            arg('amount'),
          ),
          '<=',
          eb.ref('day_max_micros'),
        ),
      ]),
    )
    .where((eb) =>
      eb.or([
        eb('month_max_micros', 'is', null),
        eb(
          eb(
            eb.case().when('month', '>=', arg('month')).then(eb.ref('month_micros')).else(0n).end(),
            '+',
            arg('amount'),
          ),
          '<=',
          eb.ref('month_max_micros'),
        ),
      ]),
    ),
);

/** A task has ended: what it did not cost is given back to the day and month it was accepted in. */
const subtract = statement<Owners & { day: number; month: number; unused: bigint }>()((db, arg) =>
  db
    .updateTable('limit_counters')
    .set((eb) => ({
      running: eb('running', '-', 1),
      day_micros: eb
        .case()
        .when('day', '=', arg('day'))
        .then(eb('day_micros', '-', arg('unused')))
        .else(eb.ref('day_micros'))
        .end(),
      month_micros: eb
        .case()
        .when('month', '=', arg('month'))
        .then(eb('month_micros', '-', arg('unused')))
        .else(eb.ref('month_micros'))
        .end(),
    }))
    .where('owner_id', 'in', [arg('account_id'), arg('key_id')]),
);

/** Of what a task had cost, so much was given back. */
const giveBack = statement<Owners & { day: number; month: number; amount: bigint }>()((db, arg) =>
  db
    .updateTable('limit_counters')
    .set((eb) => ({
      day_micros: eb
        .case()
        .when('day', '=', arg('day'))
        .then(eb('day_micros', '-', arg('amount')))
        .else(eb.ref('day_micros'))
        .end(),
      month_micros: eb
        .case()
        .when('month', '=', arg('month'))
        .then(eb('month_micros', '-', arg('amount')))
        .else(eb.ref('month_micros'))
        .end(),
    }))
    .where('owner_id', 'in', [arg('account_id'), arg('key_id')]),
);

type Maxima = Pick<LimitCountersTable, 'owner_id' | 'concurrent_max' | 'day_max_micros' | 'month_max_micros'>;

const setMaxima = statement<Maxima>()((db, arg) =>
  db
    .updateTable('limit_counters')
    .set({
      concurrent_max: arg('concurrent_max'),
      day_max_micros: arg('day_max_micros'),
      month_max_micros: arg('month_max_micros'),
    })
    .where('owner_id', '=', arg('owner_id')),
);

const insert = statement<LimitCountersTable>()((db, arg) =>
  db.insertInto('limit_counters').values({
    owner_id: arg('owner_id'),
    concurrent_max: arg('concurrent_max'),
    day_max_micros: arg('day_max_micros'),
    month_max_micros: arg('month_max_micros'),
    running: arg('running'),
    day: arg('day'),
    day_micros: arg('day_micros'),
    month: arg('month'),
    month_micros: arg('month_micros'),
  }),
);

const remove = statement<{ owner_id: string }>()((db, arg) =>
  db.deleteFrom('limit_counters').where('owner_id', '=', arg('owner_id')),
);

/** By the index of what is open: an account's own holds everything it ever asked for. */
const openTasks = statement<{ account_id: string }>()((db, arg) =>
  db
    .selectFrom('tasks')
    .select('key_id')
    .where('ended_at', 'is', null)
    .where('deadline_at', '>', 0)
    .where(sql<string>`account_id || ''`, '=', arg('account_id')),
);

const spendColumns = [
  'id',
  'key_id',
  'created_at',
  'ended_at',
  'hold_micros',
  'charge_micros',
  'refunded_micros',
  'retried_at',
] as const;

const spendBefore = statement<{ account_id: string; before: string; limit: number }>()((db, arg) =>
  db
    .selectFrom('tasks')
    .select(spendColumns)
    .where('account_id', '=', arg('account_id'))
    .where('id', '<', arg('before'))
    .orderBy('id', 'desc')
    .limit(arg('limit')),
);

/** Those count in the month they were retried in, however old they are. */
const spendOfRetried = statement<{ account_id: string; since: number }>()((db, arg) =>
  db
    .selectFrom('tasks')
    .select(spendColumns)
    .where('account_id', '=', arg('account_id'))
    .where('retried_at', '>=', arg('since'))
    .where('retried_at', 'is not', null),
);

const lockTasks = statement()((_db, _arg, engine) => engine.lockTable('tasks'));

const SPEND_STEP = 1_000;

/** When a task was accepted, or accepted again: its day and month are those of that moment. */
type Counted = Owners & { created_at: number; retried_at?: number | null };

/** Counts a task in, or refuses it. */
export function* countIn(task: Counted & { hold_micros: bigint }): Procedure<void> {
  const owners = { account_id: task.account_id, key_id: task.key_id };
  const counters = yield* rows(countersOf, owners);
  if (counters.length === 0) return;
  const { day, month } = periodsOf(task.retried_at ?? task.created_at);
  const amount = task.hold_micros;
  for (const { owner_id } of counters) {
    if ((yield* change(add, { owner_id, day, month, amount })) === 1) continue;
    // Somebody else may have counted, or taken the limit away, since we looked.
    const now = (yield* rows(countersOf, owners)).find((counter) => counter.owner_id === owner_id);
    if (now) throw refusal(now, owner_id === task.key_id ? 'key' : 'account', { day, month, amount });
  }
}

/** The end of a task that was counted in; `unusedMicros` is what it held and did not cost. */
export function* countOut(task: Counted, unusedMicros: bigint): Procedure<void> {
  const owners = { account_id: task.account_id, key_id: task.key_id };
  if ((yield* rows(countersOf, owners)).length === 0) return;
  yield* change(subtract, {
    ...owners,
    ...periodsOf(task.retried_at ?? task.created_at),
    unused: unusedMicros,
  });
}

/** A refund of a task: it has cost that much less. */
export function* countRefund(task: Counted, amountMicros: bigint): Procedure<void> {
  yield* change(giveBack, {
    account_id: task.account_id,
    key_id: task.key_id,
    ...periodsOf(task.retried_at ?? task.created_at),
    amount: amountMicros,
  });
}

/**
 * Makes the counters follow the limits of a key or, with `keyId` null, of its account. Where none were kept, they begin
 * with what the tasks themselves say.
 */
export function* applyLimits(
  owner: { accountId: string; keyId: string | null },
  limits: Limits | undefined,
  at: number,
): Procedure<void> {
  const maxima: Maxima = {
    owner_id: owner.keyId ?? owner.accountId,
    concurrent_max: limits?.concurrentTasks ?? null,
    day_max_micros: limits?.spendPerDayMicros ?? null,
    month_max_micros: limits?.spendPerMonthMicros ?? null,
  };
  const { owner_id, ...most } = maxima;
  if (Object.values(most).every((value) => value === null)) {
    yield* change(remove, { owner_id });
    return;
  }
  if ((yield* change(setMaxima, maxima)) === 1) return;
  // Whoever accepts or ends a task has changed its row before it looks for counters: once nobody is at it, all tasks
  // are counted, and whoever comes later finds the new counters.
  yield* change(lockTasks, {});
  yield* change(insert, { ...maxima, ...(yield* recount(owner, at)) });
}

function* recount(
  { accountId, keyId }: { accountId: string; keyId: string | null },
  at: number,
): Procedure<Pick<LimitCountersTable, 'running' | 'day' | 'day_micros' | 'month' | 'month_micros'>> {
  const now = periodsOf(at);
  const counts = { running: 0, ...now, day_micros: 0n, month_micros: 0n };
  const isOwn = (row: { key_id: string }) => keyId === null || row.key_id === keyId;
  for (const row of yield* rows(openTasks, { account_id: accountId })) {
    if (isOwn(row)) counts.running++;
  }
  const add = (row: SpendRow) => {
    if (!isOwn(row)) return;
    const { day, month } = periodsOf(row.retried_at ?? row.created_at);
    const charged = (row.charge_micros ?? 0n) - (row.refunded_micros ?? 0n);
    const spent = row.ended_at === null ? row.hold_micros : charged;
    if (day === now.day) counts.day_micros += spent;
    if (month === now.month) counts.month_micros += spent;
  };
  const monthBegan = Date.UTC(Math.floor(now.month / 12), now.month % 12);
  for (const row of yield* rows(spendOfRetried, { account_id: accountId, since: monthBegan })) add(row);
  for (let before: string | null = AFTER_ALL_IDS; before !== null;) {
    const step: SpendRow[] = yield* rows(spendBefore, { account_id: accountId, before, limit: SPEND_STEP });
    for (const row of step) if (row.retried_at === null) add(row);
    const last = step.at(-1);
    const more = step.length === SPEND_STEP && periodsOf(last!.created_at).month === now.month;
    before = more ? last!.id : null;
  }
  return counts;
}

type SpendRow = {
  id: string;
  key_id: string;
  created_at: number;
  ended_at: number | null;
  hold_micros: bigint;
  charge_micros: bigint | null;
  refunded_micros: bigint | null;
  retried_at: number | null;
};

function refusal(
  counter: LimitCountersTable,
  owner: 'key' | 'account',
  asked: { day: number; month: number; amount: bigint },
): GatewayError {
  const whose = owner === 'key' ? 'This key' : 'This account';
  if (counter.concurrent_max !== null && counter.running >= counter.concurrent_max) {
    return new GatewayError(
      'concurrency_limit_exceeded',
      `${whose} may have ${counter.concurrent_max} tasks at once and has them: wait until one has ended.`,
    );
  }
  const today = counter.day >= asked.day ? counter.day_micros : 0n;
  const isDay = counter.day_max_micros !== null && today + asked.amount > counter.day_max_micros;
  const most = isDay ? counter.day_max_micros! : counter.month_max_micros!;
  const spent = isDay ? today : counter.month >= asked.month ? counter.month_micros : 0n;
  return new GatewayError(
    'spend_limit_exceeded',
    `${whose} may spend ${formatMicros(most)} per ${isDay ? 'day' : 'month'} (UTC); ${formatMicros(spent)} is spent ` +
      `or held, and this request costs ${formatMicros(asked.amount)}.`,
  );
}

/** JSON has no bigint that survives parsing: amounts are kept as text. */
type LimitsJson = Omit<Limits, 'spendPerDayMicros' | 'spendPerMonthMicros'> & {
  spendPerDayMicros?: string;
  spendPerMonthMicros?: string;
};

export function toLimitsText(limits: Limits | null | undefined): string | null {
  if (!limits || Object.keys(limits).length === 0) return null;
  const { spendPerDayMicros: day, spendPerMonthMicros: month, ...rest } = limits;
  return JSON.stringify({
    ...rest,
    ...(day !== undefined && { spendPerDayMicros: day.toString() }),
    ...(month !== undefined && { spendPerMonthMicros: month.toString() }),
  } satisfies LimitsJson);
}

export function fromLimitsText(text: string | null): { limits?: Limits } {
  if (text === null) return {};
  const { spendPerDayMicros: day, spendPerMonthMicros: month, ...rest } = readJson<LimitsJson>(text);
  return {
    limits: {
      ...rest,
      ...(day !== undefined && { spendPerDayMicros: BigInt(day) }),
      ...(month !== undefined && { spendPerMonthMicros: BigInt(month) }),
    },
  };
}
