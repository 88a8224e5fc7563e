import { z } from 'zod';
import { GatewayError } from '../../core/errors.ts';
import { readIntent } from '../../core/intent.ts';
import { parseMicros, type Currency } from '../../core/money.ts';
import type { Admin, LedgerRow, WalletRow } from '../../core/ports.ts';
import {
  idParams,
  markReplayed,
  moneyField,
  pageOf,
  pageQuery,
  readPageQuery,
  renderMoney,
  renderPage,
  renderTime,
  timeField,
  type AdminRoutes,
} from './kit.ts';

const wallet = z
  .object({
    account_id: z.string(),
    balance: moneyField.meta({ description: 'Available and held together.' }),
    held: moneyField.meta({ description: 'Reserved for tasks that are not final.' }),
    available: moneyField,
    currency: z.enum(['USD', 'CNY']),
  })
  .meta({ id: 'Wallet' });

const ledgerEntry = z
  .object({
    id: z.string(),
    posting_id: z.string().meta({ description: 'Entries of one posting sum to zero.' }),
    account_id: z.string(),
    kind: z.enum(['top_up', 'adjustment', 'hold', 'settle', 'release', 'refund']),
    book: z.enum(['available', 'held', 'revenue', 'funding']),
    amount: moneyField,
    task_id: z.string().nullable(),
    note: z.string().nullable(),
    author: z
      .string()
      .nullable()
      .meta({ description: 'The operator who did it; null where nobody did it by hand.' }),
    created_at: timeField,
  })
  .meta({ id: 'LedgerEntry' });

export function addWalletRoutes(routes: AdminRoutes, admin: Admin, currency: Currency): void {
  routes.get(
    '/admin/v1/accounts/:id/wallet',
    { schema: { summary: 'Balance of an account', params: idParams, response: { 200: wallet } } },
    async (request) => renderWallet(await admin.wallet(request.params.id), currency),
  );

  routes.post(
    '/admin/v1/accounts/:id/top-ups',
    {
      schema: {
        summary: 'Put money into the wallet of an account',
        params: idParams,
        body: z.strictObject({
          amount: z
            .union([z.string(), z.number()])
            .meta({ description: 'Above zero, at most six decimals; better a string than a number.' }),
          note: z.string().max(500).nullable().default(null),
        }),
        response: { 200: wallet },
      },
    },
    async (request, reply) => {
      const amountMicros = readAmount(request.body.amount);
      const { note } = request.body;
      const row = await admin.topUp(request.params.id, { amountMicros, note }, readIntent(request));
      markReplayed(reply, row);
      return renderWallet(row, currency);
    },
  );

  routes.get(
    '/admin/v1/accounts/:id/ledger',
    {
      schema: {
        summary: 'Ledger entries of an account, newest first',
        params: idParams,
        querystring: pageQuery,
        response: { 200: pageOf(ledgerEntry) },
      },
    },
    async (request) =>
      renderPage(await admin.ledger(request.params.id, readPageQuery(request.query)), renderEntry),
  );
}

function readAmount(amount: string | number): bigint {
  const micros = parseMicros(amount);
  if (micros !== null) return micros;
  throw new GatewayError(
    'invalid_value',
    '\'amount\' must be a decimal with at most six decimals, like "12.50".',
    {
      param: 'amount',
    },
  );
}

function renderWallet(row: WalletRow, currency: Currency): z.infer<typeof wallet> {
  return {
    account_id: row.accountId,
    balance: renderMoney(row.availableMicros + row.heldMicros),
    held: renderMoney(row.heldMicros),
    available: renderMoney(row.availableMicros),
    currency,
  };
}

/** One row of the ledger as it goes over the wire; the flight recorder shows the same. */
export function renderEntry(row: LedgerRow): z.infer<typeof ledgerEntry> {
  return {
    id: row.id,
    posting_id: row.postingId,
    account_id: row.accountId,
    kind: row.kind,
    book: row.book,
    amount: renderMoney(row.amountMicros),
    task_id: row.taskId,
    note: row.note,
    author: row.author ?? null,
    created_at: renderTime(row.createdAt),
  };
}

export { ledgerEntry };
