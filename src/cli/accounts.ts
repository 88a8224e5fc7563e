import { adminAccess, findAccount, readPages } from './admin.ts';
import type { Command } from './command.ts';
import { adminOptions, jsonOption } from './connection.ts';
import { limitOptions, merged, printLimits, readLimits } from './limits.ts';
import { table } from './table.ts';
import { ownName, printJson, time } from './text.ts';
import type { Account, Wallet } from './wire.ts';

/** As many as a person will read; scripts page through the admin API. */
const SHOWN_MAX = 1000;

export const accountsList: Command = {
  words: ['accounts', 'list'],
  summary: 'List accounts with their balances.',
  options: { ...jsonOption, ...adminOptions },
  examples: ['reelay accounts list'],
  async run(input, context) {
    const { api } = adminAccess(input, context);
    const accounts = await readPages<Account>(api, '/admin/v1/accounts', SHOWN_MAX);
    const rows = [];
    for (const account of accounts) {
      const { body } = await api.call<Wallet>(`/admin/v1/accounts/${encodeURIComponent(account.id)}/wallet`);
      rows.push({ ...account, wallet: body });
    }
    if (input.flag('json')) {
      printJson(context.terminal, rows);
      return 0;
    }
    context.terminal.out(
      table(
        [
          { title: 'id', text: (row) => row.id },
          { title: 'name', text: (row) => row.name, widthMax: 40 },
          { title: 'status', text: (row) => row.status },
          {
            title: 'available',
            align: 'right',
            text: (row) => `${row.wallet.available} ${row.wallet.currency}`,
          },
          { title: 'held', align: 'right', text: (row) => row.wallet.held },
          { title: 'created (UTC)', text: (row) => time(row.created_at) },
        ],
        rows,
      ),
    );
    return 0;
  },
};

export const accountsCreate: Command = {
  words: ['accounts', 'create'],
  summary: 'Create an account.',
  positionals: ['<name>'],
  options: { ...jsonOption, ...adminOptions },
  examples: ['reelay accounts create "Film school"'],
  async run(input, context) {
    const { api } = adminAccess(input, context);
    const name = input.positionals[0]!;
    const { body } = await api.call<Account>('/admin/v1/accounts', { method: 'POST', json: { name } });
    if (input.flag('json')) printJson(context.terminal, body);
    else {
      const self = ownName(context.env);
      context.terminal.out(`${body.id}\n`);
      context.terminal.err(
        `Next: ${self} top-up ${body.id} 100, then ${self} keys create --account ${body.id}.\n`,
      );
    }
    return 0;
  },
};

export const accountsLimits: Command = {
  words: ['accounts', 'limits'],
  summary: 'Show what an account is held to, or change it.',
  positionals: ['<account>'],
  options: { ...limitOptions, ...jsonOption, ...adminOptions },
  notes: ['What is not named stays; "none" takes a limit away.'],
  examples: [
    'reelay accounts limits "Film school"',
    'reelay accounts limits "Film school" --spend-per-day 50 --concurrent-tasks none',
  ],
  async run(input, context) {
    const access = adminAccess(input, context);
    let account = await findAccount(access, input.positionals[0]!);
    const given = readLimits(input);
    if (Object.keys(given).length > 0) {
      const path = `/admin/v1/accounts/${encodeURIComponent(account.id)}`;
      const json = { limits: merged(account.limits, given) };
      account = (await access.api.call<Account>(path, { method: 'PATCH', json })).body;
    }
    printLimits(input, context, `${account.name} (${account.id})`, account.limits);
    return 0;
  },
};
