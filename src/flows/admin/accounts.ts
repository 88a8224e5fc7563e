import { GatewayError } from '../../core/errors.ts';
import type { AccountRow, Admin, RememberKey } from '../../core/ports.ts';
import { hasKey, OPERATORS, type Once } from '../once.ts';
import type { AdminContext } from './context.ts';

type AccountVerbs = Pick<Admin, 'listAccounts' | 'createAccount' | 'getAccount' | 'updateAccount'>;

/** Accounts are made, renamed, disabled; never deleted, because their ledger stays. */
export function accountVerbs({ store, clock, newId }: AdminContext, once: Once): AccountVerbs {
  const create = async (name: string, remember: RememberKey | null): Promise<AccountRow> => {
    const row: AccountRow = { id: newId('acct_'), name, status: 'active', createdAt: clock.now() };
    await store.createAccount(row, remember);
    return row;
  };

  return {
    listAccounts: (query) => store.listAccounts(query),
    async createAccount({ name }, intent) {
      if (!hasKey(intent)) return create(name, null);
      return once<AccountRow & { replayed?: true }>(OPERATORS, intent, {
        create: ({ remember }) => create(name, remember),
        async replay({ subjectId }) {
          return { ...((await store.getAccount(subjectId)) ?? unknownAccount(subjectId)), replayed: true };
        },
      });
    },
    async getAccount(id) {
      return (await store.getAccount(id)) ?? unknownAccount(id);
    },
    async updateAccount(id, patch) {
      const row =
        Object.keys(patch).length === 0
          ? await store.getAccount(id)
          : await store.updateAccount(id, patch, clock.now());
      return row ?? unknownAccount(id);
    },
  };
}

/** For verbs below an account: `not_found` when there is none. */
export async function requireAccount({ store }: Pick<AdminContext, 'store'>, id: string): Promise<void> {
  if ((await store.getAccount(id)) === null) unknownAccount(id);
}

function unknownAccount(id: string): never {
  throw new GatewayError('not_found', `There is no account '${id}'.`);
}
