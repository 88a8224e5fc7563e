import { adminAccess, readPages } from './admin.ts';
import { Api } from './api.ts';
import type { Command, Context, Input, Option } from './command.ts';
import { adminOptions, callerOptions, connect, jsonOption, needApiKey } from './connection.ts';
import { entryColumns } from './ledger.ts';
import { wholeNumber } from './parse.ts';
import { facts, table } from './table.ts';
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
    ...jsonOption,
    ...callerOptions,
    'admin-token': adminOptions['admin-token']!,
  },
  examples: ['reelay tasks list', 'reelay tasks list --admin --limit 200 --json'],
  async run(input, context) {
    const limit = wholeNumber('--limit', input.text('limit') ?? '20', 1, 100_000);
    return input.flag('admin') ? listAsOperator(input, context, limit) : listAsCaller(input, context, limit);
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
  const tasks = await readPages<AdminTask>(adminAccess(input, context).api, '/admin/v1/tasks', limit);
  if (input.flag('json')) printJson(context.terminal, tasks);
  else {
    context.terminal.out(
      table(
        [
          { title: 'id', text: (task) => task.id },
          { title: 'account', text: (task) => task.account_id },
          { title: 'state', text: (task) => task.state },
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
  return task.charge === null ? `(${task.quote.amount})` : task.charge;
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

function recordText(record: TaskRecord): string {
  const { task } = record;
  const head = facts([
    ['task', task.id],
    ['account', task.account_id],
    ['state', task.state],
    ['error', task.error && `${task.error.code}: ${task.error.message}`],
    ['asked for', `${task.requested_model} at ${task.surface}`],
    [
      'billed as',
      `${task.tier}, quote ${task.quote.amount} ${task.quote.currency}, charge ${task.charge ?? 'open'}`,
    ],
    ['prompt', task.prompt],
    ['created', `${time(task.created_at)} UTC`],
    ['ended', task.ended_at === null ? null : `${time(task.ended_at)} UTC`],
  ]);
  const attempts = table(
    [
      { title: '#', align: 'right', text: (attempt) => String(attempt.number) },
      { title: 'channel', text: (attempt) => attempt.channel_id },
      { title: 'state', text: (attempt) => attempt.state },
      { title: 'opened (UTC)', text: (attempt) => time(attempt.created_at) },
      { title: 'ended (UTC)', text: (attempt) => time(attempt.ended_at) },
      { title: 'upstream code', text: (attempt) => attempt.upstream_code ?? '' },
      { title: 'message', text: (attempt) => attempt.message ?? '', widthMax: 60 },
    ],
    record.attempts,
  );
  const events = table(
    [
      { title: 'when (UTC)', text: (event) => time(event.created_at) },
      { title: 'event', text: (event) => event.type },
    ],
    record.events,
  );
  const exchanges = table(
    [
      { title: 'when (UTC)', text: (exchange) => time(exchange.at) },
      { title: 'exchange', text: (exchange) => `${exchange.method} ${exchange.path}`, widthMax: 70 },
      { title: 'status', align: 'right', text: (exchange) => String(exchange.status ?? '–') },
      { title: 'ms', align: 'right', text: (exchange) => String(Math.round(exchange.duration_ms)) },
      { title: 'error', text: (exchange) => exchange.error ?? '', widthMax: 40 },
    ],
    record.exchanges,
  );
  return [head, attempts, events, exchanges, table(entryColumns, record.ledger)].join('\n');
}
