import { GatewayError } from '../../core/errors.ts';
import type { Admin } from '../../core/ports.ts';
import { requireAccount } from './accounts.ts';
import type { AdminContext } from './context.ts';

type WalletVerbs = Pick<Admin, 'topUp' | 'wallet' | 'ledger' | 'verifyLedger'>;

export function walletVerbs(context: AdminContext): WalletVerbs {
  const { store, clock } = context;
  return {
    async topUp(accountId, { amountMicros, note }) {
      if (amountMicros <= 0n) {
        throw new GatewayError('invalid_value', "'amount' must be above zero.", { param: 'amount' });
      }
      await requireAccount(context, accountId);
      await store.post({ accountId, kind: 'top_up', amountMicros, note, at: clock.now() });
      return store.getWallet(accountId);
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
