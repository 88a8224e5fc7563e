/** What an operator does to a task by hand; each needs a note and names its author, for the ledger keeps both. */
import { adminAccess } from './admin.ts';
import { UsageError, type Command, type Context, type Input, type Option } from './command.ts';
import { adminOptions, jsonOption } from './connection.ts';
import { facts } from './table.ts';
import { printJson } from './text.ts';
import type { TaskAction } from './wire.ts';

const auditOptions: Record<string, Option> = {
  note: { type: 'string', value: '<text>', help: 'Why; kept with the ledger entry. Required.' },
  author: {
    type: 'string',
    value: '<name>',
    help: 'Who does it; kept with the ledger entry (default: your user name).',
  },
};

export const tasksRetry: Command = {
  words: ['tasks', 'retry'],
  summary: 'Have a failed task made again, under the same id and a new hold.',
  positionals: ['<task-id>'],
  options: {
    ...auditOptions,
    'accept-possible-duplicate': {
      type: 'boolean',
      help: 'Make it again even where an earlier attempt may exist upstream and cannot be looked up.',
    },
    ...jsonOption,
    ...adminOptions,
  },
  notes: [
    'Where an earlier attempt may exist upstream it is looked up first, and taken over when it is there.',
  ],
  examples: ['reelay tasks retry task_… --note "upstream outage"'],
  async run(input, context) {
    const accept = input.flag('accept-possible-duplicate');
    const done = await act(input, context, 'retry', accept ? { accept_possible_duplicate: true } : {});
    return told(input, context, done, `${done.amount} ${done.task.quote.currency} held again`);
  },
};

export const tasksRefund: Command = {
  words: ['tasks', 'refund'],
  summary: 'Give back the charge of a completed task, or a part of it.',
  positionals: ['<task-id>', '[amount]'],
  options: { ...auditOptions, ...jsonOption, ...adminOptions },
  notes: [
    'Without an amount: all that is left of the charge. The files stay, and so does the usage record.',
    'Never more than was charged less what was refunded already.',
  ],
  examples: [
    'reelay tasks refund task_… --note "wrong picture"',
    'reelay tasks refund task_… 0.10 --note "half"',
  ],
  async run(input, context) {
    const amount = input.positionals[1];
    if (amount !== undefined && !/^\d{1,12}(\.\d{1,6})?$/.test(amount)) {
      throw new UsageError(`The amount must be a decimal like 25 or 0.10, not ${JSON.stringify(amount)}.`);
    }
    const done = await act(input, context, 'refund', amount === undefined ? {} : { amount });
    const { currency } = done.task.quote;
    const total = `${done.task.refunded} of ${done.task.charge ?? '0'} ${currency} given back in all`;
    return told(input, context, done, `${done.amount} ${currency} given back; ${total}`);
  },
};

export const tasksFail: Command = {
  words: ['tasks', 'fail'],
  summary: 'Mark a task failed: ends one that is stuck, or settles one that was lost.',
  positionals: ['<task-id>'],
  options: { ...auditOptions, ...jsonOption, ...adminOptions },
  notes: [
    'What the upstream is making is not stopped there, and not fetched any more; the hold is released.',
  ],
  examples: ['reelay tasks fail task_… --note "stuck since Monday"'],
  async run(input, context) {
    const done = await act(input, context, 'fail', {});
    return told(input, context, done, `${done.amount} ${done.task.quote.currency} released`);
  },
};

async function act(
  input: Input,
  context: Context,
  verb: 'retry' | 'refund' | 'fail',
  more: Record<string, unknown>,
): Promise<TaskAction> {
  const note = input.text('note')?.trim();
  if (!note) throw new UsageError(`Say why with --note "…": the ledger keeps it.`);
  const id = encodeURIComponent(input.positionals[0]!);
  const { api } = adminAccess(input, context);
  const { body } = await api.call<TaskAction>(`/admin/v1/tasks/${id}/${verb}`, {
    method: 'POST',
    json: { note, author: authorOf(input, context), ...more },
  });
  return body;
}

function authorOf(input: Input, { env }: Context): string {
  const author = (input.text('author') ?? env.USER ?? env.LOGNAME ?? env.USERNAME)?.trim();
  if (author) return author;
  throw new UsageError('Say who you are with --author: the ledger keeps it.');
}

function told(input: Input, { terminal }: Context, done: TaskAction, money: string): number {
  if (input.flag('json')) {
    printJson(terminal, done);
    return 0;
  }
  const { task } = done;
  terminal.out(`${terminal.paint('green', '✓')} ${task.id} ${done.action}: ${money}.\n`);
  terminal.out(
    facts([
      ['  state', task.state === 'queued' ? `queued on ${task.channel_id}` : task.state.replace('_', ' ')],
      ['  entry', `${done.posting_id} by ${done.author}: ${done.note}`],
    ]),
  );
  return 0;
}
