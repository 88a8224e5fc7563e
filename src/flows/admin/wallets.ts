import { GatewayError } from '../../core/errors.ts';
import type { Admin, WalletRow } from '../../core/ports.ts';
import { hasKey, OPERATORS, type Once } from '../once.ts';
import { requireAccount } from './accounts.ts';
import type { AdminContext } from './context.ts';

type WalletVerbs = Pick<Admin, 'topUp' | 'wallet' | 'ledger' | 'verifyLedger'>;

export function walletVerbs(context: AdminContext, once: Once): WalletVerbs {
  const { store, clock } = context;
  return {
    async topUp(accountId, { amountMicros, note }, intent) {
      if (amountMicros <= 0n) {
        throw new GatewayError('invalid_value', "'amount' must be above zero.", { param: 'amount' });
      }
      await requireAccount(context, accountId);
      const topUp = { accountId, kind: 'top_up' as const, amountMicros, note };
      if (!hasKey(intent)) {
        await store.post({ ...topUp, at: clock.now() });
        return store.getWallet(accountId);
      }
      return once<WalletRow & { replayed?: true }>(OPERATORS, intent, {
        async create({ remember }) {
          await store.post({ ...topUp, at: clock.now(), remember });
          return store.getWallet(accountId);
        },
        async replay({ response }) {
          const { availableMicros, heldMicros } = response as { availableMicros: string; heldMicros: string };
          return {
            accountId,
            availableMicros: BigInt(availableMicros),
            heldMicros: BigInt(heldMicros),
            replayed: true,
          };
        },
      });
    },
    async wallet(accountId) {
      await requireAccount(context, accountId);
      return store.getWallet(accountId);
    },
    async ledger(accountId, query) {
      await requireAccount(context, accountId);
      return store.listLedger(accountId, query);
    },
    verifyLedger: () => store.verifyLedger(),
  };
}
