/** What the operators' commands share: the admin API, and finding an account by its name. */
import { Api } from './api.ts';
import { connect, needAdminToken, type Connection } from './connection.ts';
import { CliError, UsageError, type Context, type Input, type Option } from './command.ts';
import type { Account, Page } from './wire.ts';

export const accountOption: Record<string, Option> = {
  account: {
    type: 'string',
    value: '<account>',
    help: 'Id or name of the account (default: the demo account, or the only one).',
  },
};

export interface AdminAccess {
  api: Api;
  connection: Connection;
}

export function adminAccess(input: Input, context: Context): AdminAccess {
  const connection = connect(input, context);
  return { api: new Api(connection.url, needAdminToken(connection), context.signal), connection };
}

/** Reads pages until `limit` items are there. */
export async function readPages<Item>(
  api: Api,
  path: string,
  limit: number,
  query: Record<string, string | undefined> = {},
): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | null = null;
  do {
    const pageSize = Math.min(PAGE_MAX, limit - items.length);
    const { body }: { body: Page<Item> } = await api.call<Page<Item>>(path, {
      query: { ...query, limit: pageSize, cursor: cursor ?? undefined },
    });
    items.push(...body.data);
    cursor = body.next_cursor;
  } while (cursor !== null && items.length < limit);
  return items;
}

/** Pages of the admin API have at most 200 rows. */
const PAGE_MAX = 200;
/** More accounts than this are not searched by name. */
const ACCOUNTS_MAX = 10_000;

/** The account that was named by id or name; the only fitting one when none was named. */
export async function findAccount(
  { api, connection }: AdminAccess,
  named: string | undefined,
): Promise<Account> {
  const accounts = await readPages<Account>(api, '/admin/v1/accounts', ACCOUNTS_MAX);
  const wanted = named ?? connection.accountId;
  if (wanted === null) {
    if (accounts.length === 1) return accounts[0]!;
    const advice =
      accounts.length === 0 ? 'Create one: reelay accounts create <name>.' : 'Name one with --account.';
    throw new UsageError(`There are ${accounts.length} accounts. ${advice}`);
  }
  const byId = accounts.find((account) => account.id === wanted);
  if (byId !== undefined) return byId;
  const byName = accounts.filter((account) => account.name.toLowerCase() === wanted.toLowerCase());
  if (byName.length === 1) return byName[0]!;
  if (byName.length > 1)
    throw new CliError(`${byName.length} accounts are called ${JSON.stringify(wanted)}: use the id.`);
  throw new CliError(`There is no account ${JSON.stringify(wanted)}. See reelay accounts list.`);
}
