/** Wallets and the immutable entries they are the sums of. */
import { GatewayError } from '../core/errors.ts';
import { formatMicros } from '../core/money.ts';
import type { LedgerRow, Page, PageQuery, RememberKey, WalletRow } from '../core/ports.ts';
import { adjustmentPostings, topUpPostings, walletChange, type Posting } from '../core/wallet.ts';
import { recordConsumption } from './consumption.ts';
import { recordAccountEvent } from './events.ts';
import { fromPage } from './page.ts';
import { rememberKey } from './repeats.ts';
import type { LedgerEntriesTable, WalletsTable } from './schema.ts';
import { change, first, rows, statement, type Mutation, type Procedure, type Tx } from './statement.ts';

/** Both balances move at once and neither may end below zero: 0 rows changed is the refusal. */
const moveWallet = statement<{ account_id: string; available: bigint; held: bigint }>()(
  (db, arg) =>
    db
      .updateTable('wallets')
      .set((eb) => ({
        available_micros: eb('available_micros', '+', arg('available')),
        held_micros: eb('held_micros', '+', arg('held')),
      }))
      .where('account_id', '=', arg('account_id'))
      .where((eb) => eb(eb('available_micros', '+', arg('available')), '>=', 0n))
      .where((eb) => eb(eb('held_micros', '+', arg('held')), '>=', 0n))
      .returning(['available_micros', 'held_micros', 'low_micros']),
  { key: 'account_id', amounts: { available: 'available_micros', held: 'held_micros' } },
);

type EntryPair = Omit<LedgerEntriesTable, 'id' | 'book' | 'amount_micros'> & {
  from_id: string;
  from_book: LedgerEntriesTable['book'];
  from_amount: bigint;
  to_id: string;
  to_book: LedgerEntriesTable['book'];
  to_amount: bigint;
};

const insertPair = statement<EntryPair>()((db, arg) => {
  const shared = {
    posting_id: arg('posting_id'),
    account_id: arg('account_id'),
    kind: arg('kind'),
    task_id: arg('task_id'),
    note: arg('note'),
    created_at: arg('created_at'),
    author: arg('author'),
  };
  return db.insertInto('ledger_entries').values([
    { ...shared, id: arg('from_id'), book: arg('from_book'), amount_micros: arg('from_amount') },
    { ...shared, id: arg('to_id'), book: arg('to_book'), amount_micros: arg('to_amount') },
  ]);
});

const wallet = statement<{ account_id: string }>()((db, arg) =>
  db.selectFrom('wallets').selectAll().where('account_id', '=', arg('account_id')),
);

const page = statement<{ account_id: string; before: string; limit: number }>()((db, arg) =>
  db
    .selectFrom('ledger_entries')
    .selectAll()
    .where('account_id', '=', arg('account_id'))
    .where('id', '<', arg('before'))
    .orderBy('id', 'desc')
    .limit(arg('limit')),
);

const ofTask = statement<{ task_id: string }>()((db, arg) =>
  db
    .selectFrom('ledger_entries')
    .selectAll()
    .where('task_id', '=', arg('task_id'))
    .orderBy('account_id')
    .orderBy('id'),
);

const funding = statement<{ account_id: string }>()((db, arg) =>
  db
    .selectFrom('ledger_entries')
    .select((eb) => eb.fn.coalesce(eb.fn.sum<bigint>('amount_micros'), eb.lit(0)).as('sum_micros'))
    .where('account_id', '=', arg('account_id'))
    .where('book', '=', 'available')
    .where('kind', 'in', ['top_up', 'adjustment'])
    .where('task_id', 'is', null),
);

/**
 * Writes postings and moves the cached balances with them. False when the account has no wallet or a balance would
 * fall below zero; then nothing was written.
 */
export function* writePostings(
  tx: Tx,
  input: {
    accountId: string;
    postings: Posting[];
    taskId: string | null;
    note: string | null;
    author?: string;
    at: number;
  },
): Procedure<LedgerRow[] | false> {
  const written: LedgerRow[] = [];
  if (input.postings.length === 0) return written;
  const { availableMicros, heldMicros } = walletChange(input.postings);
  const moved = yield* first(moveWallet, {
    account_id: input.accountId,
    available: availableMicros,
    held: heldMicros,
  });
  if (moved === null) return false;
  for (const { kind, entries } of input.postings) {
    const postingId = tx.newId('pst_', input.at);
    const [from, to] = entries;
    const fromId = tx.newId('led_', input.at);
    const toId = tx.newId('led_', input.at);
    yield* change(insertPair, {
      posting_id: postingId,
      account_id: input.accountId,
      kind,
      task_id: input.taskId,
      note: input.note,
      created_at: input.at,
      author: input.author ?? null,
      from_id: fromId,
      from_book: from.book,
      from_amount: from.amountMicros,
      to_id: toId,
      to_book: to.book,
      to_amount: to.amountMicros,
    });
    const shared = {
      postingId,
      accountId: input.accountId,
      kind,
      taskId: input.taskId,
      note: input.note,
      ...(input.author !== undefined && { author: input.author }),
      createdAt: input.at,
    };
    written.push({ ...shared, id: fromId, ...from }, { ...shared, id: toId, ...to });
    const gained = walletChange([{ kind, entries }]);
    const gainedMicros = gained.availableMicros + gained.heldMicros;
    yield* recordConsumption(tx, {
      id: postingId,
      kind,
      accountId: input.accountId,
      gainedMicros,
      balanceMicros: moved.available_micros + moved.held_micros,
      taskId: input.taskId,
      note: input.note,
      at: input.at,
    });
  }
  const { available_micros: now, low_micros: low } = moved;
  // Told once on the way down, not at every posting below.
  if (low !== null && now < low && now - availableMicros >= low) {
    const data = { available: formatMicros(now), threshold: formatMicros(low) };
    yield* recordAccountEvent(tx, input.accountId, 'wallet.low', data, input.at);
  }
  return written;
}

/** Postings that follow from what is held already: a refusal here means the books are broken. */
export function* writeOwedPostings(
  tx: Tx,
  input: {
    accountId: string;
    postings: Posting[];
    taskId: string;
    note?: string;
    author?: string;
    at: number;
  },
): Procedure<LedgerRow[]> {
  const written = yield* writePostings(tx, { note: null, ...input });
  if (written !== false) return written;
  throw new Error(`the wallet of ${input.accountId} holds less than task ${input.taskId} reserved`);
}

/** Money in or a signed correction. */
export const post: Mutation<
  {
    accountId: string;
    kind: 'top_up' | 'adjustment';
    amountMicros: bigint;
    note: string | null;
    at: number;
    remember?: RememberKey | null;
  },
  LedgerRow[]
> = function* (tx, { accountId, kind, amountMicros, note, at, remember }) {
  if (!(yield* first(wallet, { account_id: accountId }))) {
    throw new GatewayError('not_found', `There is no account ${accountId}.`);
  }
  const postings = kind === 'top_up' ? topUpPostings(amountMicros) : adjustmentPostings(amountMicros);
  const written = yield* writePostings(tx, { accountId, postings, taskId: null, note, at });
  if (written === false) {
    throw new GatewayError('insufficient_quota', 'The correction is larger than the available balance.');
  }
  if (remember) {
    const { availableMicros, heldMicros } = yield* getWallet(accountId);
    const response = { availableMicros: availableMicros.toString(), heldMicros: heldMicros.toString() };
    yield* rememberKey(remember, { subjectId: written[0]?.postingId ?? accountId, response, at });
  }
  return written;
};

/** An account without a wallet has nothing. */
export function* getWallet(accountId: string): Procedure<WalletRow> {
  const row: WalletsTable | null = yield* first(wallet, { account_id: accountId });
  return {
    accountId,
    availableMicros: row?.available_micros ?? 0n,
    heldMicros: row?.held_micros ?? 0n,
  };
}

/** Sum of an account's top-ups and adjustments. */
export function* toppedUp(accountId: string): Procedure<bigint> {
  return BigInt((yield* first(funding, { account_id: accountId }))?.sum_micros ?? 0);
}

/** Newest first. */
export function* listLedger(accountId: string, query: PageQuery): Procedure<Page<LedgerRow>> {
  return yield* fromPage(query, fromRow, (before, limit) =>
    rows(page, { account_id: accountId, before, limit }),
  );
}

export function* ledgerOfTask(taskId: string): Procedure<LedgerRow[]> {
  return (yield* rows(ofTask, { task_id: taskId })).map(fromRow);
}

function fromRow(row: LedgerEntriesTable): LedgerRow {
  return {
    id: row.id,
    postingId: row.posting_id,
    accountId: row.account_id,
    kind: row.kind,
    book: row.book,
    amountMicros: row.amount_micros,
    taskId: row.task_id,
    note: row.note,
    ...(row.author !== null && { author: row.author }),
    createdAt: row.created_at,
  };
}
