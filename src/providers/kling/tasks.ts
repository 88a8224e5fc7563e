/** Tasks at the platform, whatever they make: query, list, look up by our own id, read a push. Both standards. */
import type { Channel, Json, Observation } from '../../core/ports.ts';
import { UpstreamError } from '../../core/errors.ts';
import { call } from './call.ts';
import { codeNotFound } from './errors.ts';
import { isQueriedByOwnId, isTaskPath, NEW_TASKS_PATH } from './routes.ts';
import { observe, readNewTask, readTask } from './task.ts';
import type { WireTask } from './task.ts';
import { isObject } from './wire.ts';
import type { WireObject } from './wire.ts';

/**
 * A ref of ours. Legacy: queries only find a task under the path that created it. New: the id is enough. A step that
 * was answered at once and left no task has no id.
 */
export type KlingRef = { path: string; task_id: string | null } | { standard: 'new'; task_id: string };

/** The most a page may hold (official documentation). */
const pageSize = 500;
/** Pages a list has at most (official documentation). */
const pagesMax = 1000;
/** From so many tasks of one path on, a page costs less than single queries. */
const listFrom = 3;
/** Single queries at a time, for what a page did not show. */
const queriesAtOnce = 8;
/** Ids in one `GET /tasks`; the documentation names no number, and so many make a URL of 1 KB. */
const idsAtOnce = 50;

export async function poll(ref: Json, channel: Channel, signal: AbortSignal): Promise<Observation> {
  return observe(await findByRef(readRef(ref), channel, signal), channel);
}

export async function pollMany(
  refs: Json[],
  channel: Channel,
  signal: AbortSignal,
): Promise<(Observation | null)[]> {
  const wanted = refs.map(readRef);
  const found: (Observation | null)[] = wanted.map(() => null);
  const single: number[] = [];
  for (const key of new Set(wanted.map(laneOf))) {
    const positions = wanted.flatMap((ref, position) => (laneOf(ref) === key ? [position] : []));
    if (positions.length < listFrom) {
      single.push(...positions);
      continue;
    }
    const ids = positions.flatMap((position) => wanted[position]!.task_id ?? []);
    const listed = key === null ? await listNew(ids, channel, signal) : await list(key, ids, channel, signal);
    for (const position of positions) {
      const task = listed.get(wanted[position]!.task_id ?? '');
      if (task) found[position] = observe(task, channel);
      else single.push(position);
    }
  }
  await inTurns(single, queriesAtOnce, async (position) => {
    found[position] = await pollQuietly(wanted[position]!, channel, signal);
  });
  return found;
}

/** By our own id under a legacy path; where the documentation knows queries by task id only, the newest page, too. */
export async function lookupAt(
  path: string,
  clientRef: string,
  channel: Channel,
  signal: AbortSignal,
): Promise<{ ref: Json } | null> {
  let task = await find(path, clientRef, channel, signal);
  if (!task && !isQueriedByOwnId(path)) {
    const newest = (await listed(path, 1, channel, signal)).flatMap((item) => readTask(item, path) ?? []);
    task = newest.find(({ externalTaskId }) => externalTaskId === clientRef) ?? null;
  }
  return task ? { ref: { path, task_id: task.taskId } } : null;
}

/** By our own id in the new standard. */
export async function lookupNew(
  clientRef: string,
  channel: Channel,
  signal: AbortSignal,
): Promise<{ ref: Json } | null> {
  const [task] = await queryNew(`external_task_ids=${encodeURIComponent(clientRef)}`, channel, signal);
  return task ? { ref: { standard: 'new', task_id: task.taskId } } : null;
}

/** A push of either standard; only a hint. */
export function readPush(body: Json): { clientRef: string } | null {
  const task = readTask(body) ?? readNewTask(body);
  return task?.externalTaskId ? { clientRef: task.externalTaskId } : null;
}

function readRef(ref: Json): KlingRef {
  const { path, standard, task_id: taskId } = isObject(ref) ? ref : {};
  if (standard === 'new' && typeof taskId === 'string') return { standard, task_id: taskId };
  if (isTaskPath(path) && (typeof taskId === 'string' || taskId === null)) return { path, task_id: taskId };
  throw new TypeError('not a ref of the kling provider');
}

/** Tasks that one list shows together: those of a legacy path, or (null) all of the new standard. */
function laneOf(ref: KlingRef): string | null {
  return 'path' in ref ? ref.path : null;
}

async function findByRef(ref: KlingRef, channel: Channel, signal: AbortSignal): Promise<WireTask | null> {
  if (ref.task_id === null) return null;
  if ('path' in ref) return find(ref.path, ref.task_id, channel, signal);
  return (await listNew([ref.task_id], channel, signal)).get(ref.task_id) ?? null;
}

/** Null when the upstream does not know the id under this path. */
async function find(
  path: string,
  id: string,
  channel: Channel,
  signal: AbortSignal,
): Promise<WireTask | null> {
  try {
    const data = await call({ method: 'GET', path: `${path}/${encodeURIComponent(id)}` }, channel, signal);
    const task = readTask(data, path);
    if (task) return task;
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
  throw new UpstreamError('ambiguous', 'The upstream answered a query without a task.');
}

function isNotFound(error: unknown): boolean {
  return error instanceof UpstreamError && error.upstreamCode === String(codeNotFound);
}

/** One page of a list, as it came. */
async function listed(path: string, page: number, channel: Channel, signal: AbortSignal): Promise<Json[]> {
  const query = `pageNum=${page}&pageSize=${pageSize}`;
  const data = await call({ method: 'GET', path: `${path}?${query}` }, channel, signal);
  return Array.isArray(data) ? data : [];
}

/**
 * The newest pages, until all wanted tasks were seen or single queries for the rest cost fewer requests than going on.
 * A failure means that nothing is known.
 */
async function list(
  path: string,
  ids: string[],
  channel: Channel,
  signal: AbortSignal,
): Promise<Map<string, WireTask>> {
  const tasks = new Map<string, WireTask>();
  const missing = new Set(ids);
  for (let page = 1; missing.size >= listFrom && page < missing.size && page <= pagesMax; page++) {
    const found = await listed(path, page, channel, signal);
    for (const item of found) {
      // Most of a page concerns tasks that nobody asked about now.
      const id = isObject(item) ? item['task_id'] : undefined;
      if (typeof id !== 'string' || !missing.delete(id)) continue;
      const task = readTask(item, path);
      if (task) tasks.set(id, task);
    }
    if (found.length < pageSize) break;
  }
  return tasks;
}

async function listNew(ids: string[], channel: Channel, signal: AbortSignal): Promise<Map<string, WireTask>> {
  const tasks = new Map<string, WireTask>();
  for (let from = 0; from < ids.length; from += idsAtOnce) {
    const some = ids.slice(from, from + idsAtOnce).map(encodeURIComponent);
    for (const task of await queryNew(`task_ids=${some.join(',')}`, channel, signal)) {
      tasks.set(task.taskId, task);
    }
  }
  return tasks;
}

async function queryNew(query: string, channel: Channel, signal: AbortSignal): Promise<WireTask[]> {
  let data: Json;
  try {
    data = await call({ method: 'GET', path: `${NEW_TASKS_PATH}?${query}` }, channel, signal);
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
  if (!Array.isArray(data))
    throw new UpstreamError('ambiguous', 'The upstream answered a query without a list.');
  return data.flatMap((item) => readNewTask(item) ?? []);
}

/** One task's trouble must not hide the others' news. */
async function pollQuietly(
  ref: KlingRef,
  channel: Channel,
  signal: AbortSignal,
): Promise<Observation | null> {
  try {
    return observe(await findByRef(ref, channel, signal), channel);
  } catch (error) {
    if (error instanceof UpstreamError) return null;
    throw error;
  }
}

async function inTurns<Item>(
  items: Item[],
  atOnce: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
}

/** The fields every create carries. */
export function envelopeFields(clientRef: string, channel: Channel): WireObject {
  const callbackUrl = channel.callbackUrl(clientRef);
  return { ...(callbackUrl ? { callback_url: callbackUrl } : {}), external_task_id: clientRef };
}
