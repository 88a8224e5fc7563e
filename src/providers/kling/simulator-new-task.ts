/** A simulated task in the words of the new standard, and the queries that go with it. */
import type { Json } from '../../lib/json.ts';
import type {
  SimulatedStatus,
  SimulatedTask,
  SimulatorAnswer,
  SimulatorHost,
  SimulatorRequest,
} from '../kit/simulator.ts';
import { answerData } from './simulator-errors.ts';
import { choice, illegal, integer, list, text } from './simulator-fields.ts';
import { detailsOf, madeId } from './simulator-sources.ts';
import { creatorId, failureOf, imagesOf, isShown, updatedAt, videoOf } from './simulator-task.ts';
import type { RenderOptions } from './simulator-task.ts';
import type { WireObject } from './wire.ts';

const upstream = 'kling';
const lifetimeMs = 30 * 86_400_000;
/** Not documented; a URL with more is refused by most servers. */
const idsMax = 200;

export function renderNewCreated(task: SimulatedTask): Json {
  return {
    id: task.taskId,
    status: 'submitted',
    create_time: task.createdAt,
    update_time: task.createdAt,
    external_id: task.dedupHandle ?? '',
  };
}

export function renderNewTask(
  task: SimulatedTask,
  status: SimulatedStatus,
  host: SimulatorHost,
  options: RenderOptions,
): Json {
  return {
    id: task.taskId,
    status,
    message: failureOf(task, status),
    create_time: task.createdAt,
    update_time: updatedAt(task, status),
    external_id: task.dedupHandle ?? '',
    outputs: status === 'succeeded' ? outputsOf(task, host, options) : [],
    billing:
      status === 'succeeded'
        ? [{ charge_type: 'unit', amount: detailsOf(task).units, package_type: task.pack }]
        : [],
  };
}

function outputsOf(task: SimulatedTask, host: SimulatorHost, options: RenderOptions): Json[] {
  const result = detailsOf(task).result ?? { kind: 'video' };
  const video = (): WireObject => ({ type: 'video', ...videoOf(task, host, options) });
  switch (result.kind) {
    case 'images':
      return imagesOf(task, host, options).map(({ index: _, ...image }) => ({ type: 'image', ...image }));
    case 'audio':
    case 'speech':
      return [
        ...(result.kind === 'audio' && result.withVideo ? [video()] : []),
        {
          type: 'audio',
          id: madeId(task.taskId),
          mp3_url: host.fileUrl(task, 'audio.m4a', options.origin),
          wav_url: host.fileUrl(task, 'audio.wav', options.origin),
          mp3_duration: result.seconds,
          wav_duration: result.seconds,
        },
      ];
    case 'voice':
      return [
        {
          type: 'voice',
          id: result.voiceId,
          name: result.name,
          url: host.fileUrl(task, 'audio.m4a', options.origin),
          owned_by: creatorId,
          status: isDeleted(task, 'voice', result.voiceId, host) ? 'deleted' : 'succeeded',
        },
      ];
    case 'element': {
      const { element_name: name = '', element_description: description = '' } = result.element;
      return [
        {
          type: 'element',
          id: result.elementId,
          name,
          description,
          owned_by: creatorId,
          status: isDeleted(task, 'element', result.elementId, host) ? 'deleted' : 'succeeded',
        },
      ];
    }
    default:
      return [video()];
  }
}

function isDeleted(task: SimulatedTask, kind: string, id: string, host: SimulatorHost): boolean {
  return Boolean(host.findRecord(upstream, task.account, kind, id)?.deletedAt);
}

/** `GET /tasks?task_ids=` or `?external_task_ids=`, exactly one of them. What is unknown is left out. */
export function queryTasks(request: SimulatorRequest, account: string, host: SimulatorHost): SimulatorAnswer {
  const byId = request.query.get('task_ids');
  const byName = request.query.get('external_task_ids');
  if ((byId === null) === (byName === null)) {
    throw illegal('task_ids', 'exactly one of task_ids, external_task_ids must be given');
  }
  const ids = (byId ?? byName ?? '').split(',').filter((id) => id !== '');
  if (ids.length === 0 || ids.length > idsMax) {
    throw illegal(byId === null ? 'external_task_ids' : 'task_ids', `must hold 1 to ${idsMax} ids`);
  }
  const tasks = ids.flatMap((id) => {
    const task = host.findTask(upstream, account, id);
    const isMeant = task && (byId === null ? task.dedupHandle === id : task.taskId === id);
    return isMeant && isShown(task) && task.createdAt > host.now() - lifetimeMs ? [task] : [];
  });
  const options = { origin: request.origin, isCallback: false };
  return answerData(tasks.map((task) => renderNewTask(task, host.statusOf(task), host, options)));
}

const statuses = ['submitted', 'processing', 'succeeded', 'failed'];
const products: Record<string, string> = { video: 'video', image: 'image', try_on: 'try-on' };
/** Tasks looked at in one step of a filtered list. */
const step = 500;

/** `POST /tasks`: newest first. The cursor holds the times it began with and how many tasks it passed over. */
export function searchTasks(
  body: WireObject,
  request: SimulatorRequest,
  account: string,
  host: SimulatorHost,
): SimulatorAnswer {
  const limit = integer(body, 'limit', 1, 500) ?? 100;
  const now = host.now();
  const filter = readFilters(body);
  const begun = cursorOf(body) ?? {
    from: timeOf(body, 'start_time') ?? now - lifetimeMs,
    to: timeOf(body, 'end_time') ?? now,
    passed: 0,
  };
  const { from: createdFrom, to: createdTo } = begun;
  let { passed } = begun;
  const result: Json[] = [];
  const options = { origin: request.origin, isCallback: false };
  for (;;) {
    const tasks = host.listTasks({
      upstream,
      account,
      createdFrom: Math.max(createdFrom, now - lifetimeMs) - 1,
      offset: passed,
      limit: step,
    });
    for (const task of tasks) {
      if (result.length === limit) {
        return answerData({
          result,
          count: result.length,
          next_cursor: `${createdFrom}-${createdTo}-${passed}`,
          has_more: true,
        });
      }
      passed++;
      const status = host.statusOf(task);
      if (task.createdAt > createdTo || !isShown(task) || !filter(task, status)) continue;
      result.push(renderNewTask(task, status, host, options));
    }
    if (tasks.length < step) {
      return answerData({ result, count: result.length, next_cursor: '', has_more: false });
    }
  }
}

function timeOf(body: WireObject, field: string): number | null {
  const value = body[field] ?? null;
  if (value === null || value === '') return null;
  const text = String(value);
  if ((typeof value !== 'string' && typeof value !== 'number') || !/^\d{1,16}$/.test(text)) {
    throw illegal(field, 'must be a time in Unix milliseconds');
  }
  return Number(text);
}

/** With a cursor the times of the request are ignored (official documentation). */
function cursorOf(body: WireObject): { from: number; to: number; passed: number } | null {
  const cursor = text(body, 'cursor', 60);
  if (!cursor) return null;
  const parts = /^(\d{1,16})-(\d{1,16})-(\d{1,9})$/.exec(cursor);
  if (!parts) throw illegal('cursor', 'is none of ours');
  return { from: Number(parts[1]), to: Number(parts[2]), passed: Number(parts[3]) };
}

function readFilters(body: WireObject): (task: SimulatedTask, status: SimulatedStatus) => boolean {
  const filters = list(body, 'filters', 10).map((entry, index) => {
    const place = `filters[${index}].`;
    const key = choice(entry, 'key', ['status', 'product_type'], place);
    if (!key) throw illegal(`${place}key`, 'is required');
    const allowed = key === 'status' ? statuses : Object.keys(products);
    const values = entry['values'];
    if (!Array.isArray(values) || values.some((value) => !allowed.includes(String(value)))) {
      throw illegal(`${place}values`, `must be a list of ${allowed.join(', ')}`);
    }
    return { key, values: values.map(String) };
  });
  return (task, status) =>
    filters.every(({ key, values }) =>
      key === 'status' ? values.includes(status) : values.some((value) => products[value] === task.pack),
    );
}
