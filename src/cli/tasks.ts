import { adminAccess, readPages } from './admin.ts';
import { Api } from './api.ts';
import type { Command, Context, Input, Option } from './command.ts';
import { adminOptions, callerOptions, connect, jsonOption, needApiKey } from './connection.ts';
import { wholeNumber } from './parse.ts';
import { facts, table } from './table.ts';
import { recordText } from './task-record.ts';
import { printJson, printWarnings, time } from './text.ts';
import type { AdminTask, TaskRecord, Video, VideoList } from './wire.ts';

const adminOption: Record<string, Option> = {
  admin: { type: 'boolean', help: 'As the operator, with the admin token: tasks of every account.' },
};

export const tasksList: Command = {
  words: ['tasks', 'list'],
  summary: 'List tasks, newest first.',
  options: {
    limit: { type: 'string', value: '<n>', help: 'Tasks to show (default 20).' },
    ...adminOption,
    attention: { type: 'boolean', help: 'With --admin: only tasks that call for an operator (lost ones).' },
    state: {
      type: 'string',
      value: '<state>',
      help: 'With --admin: queued, in_progress, completed, failed or cancelled.',
    },
    ...jsonOption,
    ...callerOptions,
    'admin-token': adminOptions['admin-token']!,
  },
  examples: [
    'reelay tasks list',
    'reelay tasks list --admin --limit 200 --json',
    'reelay tasks list --admin --attention',
  ],
  async run(input, context) {
    const limit = wholeNumber('--limit', input.text('limit') ?? '20', 1, 100_000);
    const isOperator = input.flag('admin') || input.flag('attention') || input.text('state') !== undefined;
    return isOperator ? listAsOperator(input, context, limit) : listAsCaller(input, context, limit);
  },
};

export const tasksGet: Command = {
  words: ['tasks', 'get'],
  summary: 'Show one task; with --admin its whole record.',
  positionals: ['<task-id>'],
  options: { ...adminOption, ...jsonOption, ...callerOptions, 'admin-token': adminOptions['admin-token']! },
  notes: ['The record holds attempts, every state change, exchanges with the upstream, holds and charges.'],
  examples: ['reelay tasks get task_…', 'reelay tasks get task_… --admin'],
  async run(input, context) {
    const id = encodeURIComponent(input.positionals[0]!);
    if (input.flag('admin')) {
      const { body } = await adminAccess(input, context).api.call<TaskRecord>(`/admin/v1/tasks/${id}`);
      if (input.flag('json')) printJson(context.terminal, body);
      else context.terminal.out(recordText(body));
      return 0;
    }
    const { body } = await callerApi(input, context).call<Video>(`/v1/videos/${id}`);
    if (input.flag('json')) printJson(context.terminal, body);
    else {
      printWarnings(context.terminal, body.metadata?.warnings);
      context.terminal.out(videoText(body));
    }
    return 0;
  },
};

export const tasksDelete: Command = {
  words: ['tasks', 'delete'],
  summary: 'Cancel a task that was not submitted yet, or remove a finished one with its files.',
  positionals: ['<task-id>'],
  options: { ...jsonOption, ...callerOptions },
  notes: ['A running task cannot be stopped. The ledger keeps what was charged.'],
  examples: ['reelay tasks delete task_…'],
  async run(input, context) {
    const id = encodeURIComponent(input.positionals[0]!);
    const { body } = await callerApi(input, context).call(`/v1/videos/${id}`, { method: 'DELETE' });
    if (input.flag('json')) printJson(context.terminal, body);
    else context.terminal.out(`Deleted ${String(body.id)}.\n`);
    return 0;
  },
};

function callerApi(input: Input, context: Context): Api {
  const connection = connect(input, context);
  return new Api(connection.url, needApiKey(connection), context.signal);
}

/** The callers' list answers at most 100 tasks a page. */
const CALLER_PAGE_MAX = 100;

async function listAsCaller(input: Input, context: Context, limit: number): Promise<number> {
  const api = callerApi(input, context);
  const videos: Video[] = [];
  let after: string | undefined;
  let hasMore = true;
  while (hasMore && videos.length < limit) {
    const { body }: { body: VideoList } = await api.call<VideoList>('/v1/videos', {
      query: { limit: Math.min(CALLER_PAGE_MAX, limit - videos.length), after },
    });
    videos.push(...body.data);
    after = body.last_id ?? undefined;
    hasMore = body.has_more && after !== undefined;
  }
  if (input.flag('json')) printJson(context.terminal, videos);
  else {
    context.terminal.out(
      table(
        [
          { title: 'id', text: (video) => video.id },
          { title: 'state', text: (video) => video.status },
          { title: '%', align: 'right', text: (video) => String(video.progress) },
          { title: 'billed as', text: (video) => video.model },
          { title: 's', align: 'right', text: (video) => video.seconds },
          { title: 'created (UTC)', text: (video) => time(video.created_at) },
          { title: 'prompt', text: (video) => video.prompt ?? '', widthMax: 40 },
        ],
        videos,
      ),
    );
  }
  return 0;
}

async function listAsOperator(input: Input, context: Context, limit: number): Promise<number> {
  const { api } = adminAccess(input, context);
  const tasks = await readPages<AdminTask>(api, '/admin/v1/tasks', limit, {
    attention: input.flag('attention') ? 'lost' : undefined,
    state: input.text('state'),
  });
  if (input.flag('json')) printJson(context.terminal, tasks);
  else if (tasks.length === 0 && input.flag('attention')) {
    context.terminal.out('Nothing calls for an operator.\n');
  } else {
    context.terminal.out(
      table(
        [
          { title: 'id', text: (task) => task.id },
          { title: 'account', text: (task) => task.account_id },
          { title: 'state', text: (task) => (task.attention ? `${task.state} (lost)` : task.state) },
          { title: 'billed as', text: (task) => task.tier },
          { title: 'charge', align: 'right', text: chargeText },
          { title: 'channel', text: (task) => task.channel_id },
          { title: 'created (UTC)', text: (task) => time(task.created_at) },
          { title: 'prompt', text: (task) => task.prompt, widthMax: 30 },
        ],
        tasks,
      ),
    );
  }
  return 0;
}

function chargeText(task: AdminTask): string {
  if (task.charge === null) return `(${task.quote.amount})`;
  return Number(task.refunded) === 0 ? task.charge : `${task.charge} − ${task.refunded}`;
}

function videoText(video: Video): string {
  return facts([
    ['task', video.id],
    ['state', `${video.status.replace('_', ' ')}, ${video.progress} %`],
    ['error', video.error && `${video.error.code}: ${video.error.message}`],
    ['model', `${video.requested_model}, billed as ${video.model}`],
    ['picture', `${video.size}, ${video.seconds} s`],
    ['prompt', video.prompt],
    ['created', `${time(video.created_at)} UTC`],
    ['finished', video.completed_at === null ? null : `${time(video.completed_at)} UTC`],
    ['link', video.video_url],
    ['link ends', video.expires_at === null ? null : `${time(video.expires_at)} UTC`],
  ]);
}
