import { accountOption, adminAccess, findAccount, readPages } from './admin.ts';
import type { Command } from './command.ts';
import { adminOptions, jsonOption } from './connection.ts';
import { wholeNumber } from './parse.ts';
import { table, type Column } from './table.ts';
import { printJson, time } from './text.ts';
import type { LedgerEntry, LedgerVerdict } from './wire.ts';

export const entryColumns: Column<LedgerEntry>[] = [
  { title: 'when (UTC)', text: (entry) => time(entry.created_at) },
  { title: 'kind', text: (entry) => entry.kind },
  { title: 'book', text: (entry) => entry.book },
  { title: 'amount', align: 'right', text: (entry) => entry.amount },
  { title: 'task', text: (entry) => entry.task_id ?? '–' },
  { title: 'author', text: (entry) => entry.author ?? '', widthMax: 20 },
  { title: 'note', text: (entry) => entry.note ?? '', widthMax: 40 },
];

export const ledgerList: Command = {
  words: ['ledger', 'list'],
  summary: 'List the ledger entries of an account, newest first.',
  options: {
    ...accountOption,
    limit: { type: 'string', value: '<n>', help: 'Entries to show (default 50).' },
    ...jsonOption,
    ...adminOptions,
  },
  notes: ['Entries of one posting sum to zero: what leaves one book arrives in another.'],
  examples: ['reelay ledger list', 'reelay ledger list --account "Film school" --limit 500 --json'],
  async run(input, context) {
    const limit = wholeNumber('--limit', input.text('limit') ?? '50', 1, 100_000);
    const access = adminAccess(input, context);
    const account = await findAccount(access, input.text('account'));
    const path = `/admin/v1/accounts/${encodeURIComponent(account.id)}/ledger`;
    const entries = await readPages<LedgerEntry>(access.api, path, limit);
    if (input.flag('json')) printJson(context.terminal, entries);
    else context.terminal.out(table(entryColumns, entries));
    return 0;
  },
};

export const ledgerVerify: Command = {
  words: ['ledger', 'verify'],
  summary: 'Recompute every balance, hold and charge; exit code 1 when something does not add up.',
  options: { ...jsonOption, ...adminOptions },
  examples: ['reelay ledger verify'],
  async run(input, context) {
    const { terminal } = context;
    const { api } = adminAccess(input, context);
    const { body } = await api.call<LedgerVerdict>('/admin/v1/ledger/verify');
    if (input.flag('json')) printJson(terminal, body);
    else if (body.ok) {
      terminal.out(
        `${terminal.paint('green', '✓')} ${body.entries} entries, sum ${body.sum}: all of it adds up.\n`,
      );
    } else {
      terminal.out(`${terminal.paint('red', '✗')} ${body.entries} entries, sum ${body.sum}:\n`);
      for (const mismatch of body.mismatches) terminal.out(`  ${mismatch}\n`);
    }
    return body.ok ? 0 : 1;
  },
};
