import { z } from 'zod';
import type { Admin } from '../../core/ports.ts';
import { moneyField, renderMoney, type AdminRoutes } from './kit.ts';

const verdict = z
  .object({
    ok: z.boolean(),
    entries: z.number().int().meta({ description: 'Entries read.' }),
    sum: moneyField.meta({ description: 'Of all entries: zero, or something is wrong.' }),
    mismatches: z.array(z.string()),
  })
  .meta({ id: 'LedgerVerdict' });

export function addLedgerRoutes(routes: AdminRoutes, admin: Admin): void {
  routes.get(
    '/admin/v1/ledger/verify',
    { schema: { summary: 'Recompute every balance, hold and charge', response: { 200: verdict } } },
    async () => {
      const { ok, entries, sumMicros, mismatches } = await admin.verifyLedger();
      return { ok, entries, sum: renderMoney(sumMicros), mismatches };
    },
  );
}
