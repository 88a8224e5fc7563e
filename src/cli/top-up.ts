import { adminAccess, findAccount } from './admin.ts';
import { UsageError, type Command } from './command.ts';
import { adminOptions, jsonOption } from './connection.ts';
import { printJson } from './text.ts';
import type { Wallet } from './wire.ts';

export const topUp: Command = {
  words: ['top-up'],
  summary: 'Put money into the wallet of an account.',
  positionals: ['<account>', '<amount>'],
  options: {
    note: { type: 'string', help: 'Kept with the ledger entry.' },
    ...jsonOption,
    ...adminOptions,
  },
  notes: ['The amount is a decimal in the currency of the gateway, with at most six decimals.'],
  examples: ['reelay top-up demo 25', 'reelay top-up "Film school" 99.50 --note "invoice 2026-114"'],
  async run(input, context) {
    const [named, amount] = input.positionals as [string, string];
    if (!/^\d{1,12}(\.\d{1,6})?$/.test(amount)) {
      throw new UsageError(`The amount must be a decimal like 25 or 99.50, not ${JSON.stringify(amount)}.`);
    }
    const access = adminAccess(input, context);
    const account = await findAccount(access, named);
    const { body } = await access.api.call<Wallet>(
      `/admin/v1/accounts/${encodeURIComponent(account.id)}/top-ups`,
      {
        method: 'POST',
        json: { amount, note: input.text('note') ?? null },
      },
    );
    if (input.flag('json')) printJson(context.terminal, body);
    else {
      context.terminal.out(
        `${account.name} (${account.id}) now has ${body.available} ${body.currency} to spend, ${body.held} held.\n`,
      );
    }
    return 0;
  },
};
