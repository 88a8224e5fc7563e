/** Films at the official platform: create, query, list, look up by our own id. */
import type { Channel, Json, Observation, TaskMaker } from '../../core/ports.ts';
import type { VideoRequest } from '../../core/request/types.ts';
import { UpstreamError } from '../../core/errors.ts';
import { writeJson } from '../../lib/json.ts';
import { bodyOf, missingFor, pathOf } from './body.ts';
import { call } from './call.ts';
import { codeNotFound, publicSentence, saysContentPolicy } from './errors.ts';
import { isObject, KLING_PATHS, readTask } from './wire.ts';
import type { KlingPath, WireTask } from './wire.ts';

/** A ref of ours: queries only find a task under the path that created it. */
type KlingRef = { path: KlingPath; task_id: string };

/** The most a page may hold (official documentation). */
const pageSize = 500;
/** From so many tasks of one path on, a page costs less than single queries. */
const listFrom = 3;
/** Single queries at a time, for what a page did not show. */
const queriesAtOnce = 8;

export const video: TaskMaker<VideoRequest> = {
  missing: missingFor,

  async submit(request, clientRef, channel, signal) {
    const missing = missingFor(request);
    if (missing) throw new UpstreamError('rejected', `This cannot be made here: ${missing}.`);
    const path = pathOf(request);
    const body = writeJson(await bodyOf(request, clientRef, channel));
    const task = readTask(await call({ method: 'POST', path, body }, channel, signal));
    // Success without an id: it may well have been accepted.
    if (!task) throw new UpstreamError('ambiguous', 'The upstream accepted the task without naming it.');
    return { ref: { path, task_id: task.taskId } };
  },

  async poll(ref, channel, signal) {
    const { path, task_id: taskId } = readRef(ref);
    return observe(await find(path, taskId, channel, signal), channel);
  },

  async pollMany(refs, channel, signal) {
    const wanted = refs.map(readRef);
    const found: (Observation | null)[] = wanted.map(() => null);
    const single: number[] = [];
    for (const path of new Set(wanted.map((ref) => ref.path))) {
      const positions = wanted.flatMap((ref, position) => (ref.path === path ? [position] : []));
      if (positions.length < listFrom) {
        single.push(...positions);
        continue;
      }
      const listed = await list(path, channel, signal);
      for (const position of positions) {
        const task = listed.get(wanted[position]!.task_id);
        if (task) found[position] = observe(task, channel);
        else single.push(position);
      }
    }
    await inTurns(single, queriesAtOnce, async (position) => {
      found[position] = await pollQuietly(wanted[position]!, channel, signal);
    });
    return found;
  },

  async lookup(request, clientRef, channel, signal) {
    const path = pathOf(request);
    const task = await find(path, clientRef, channel, signal);
    return task ? { ref: { path, task_id: task.taskId } } : null;
  },

  callback(body) {
    const task = readTask(body);
    return task?.externalTaskId ? { clientRef: task.externalTaskId } : null;
  },
};

function readRef(ref: Json): KlingRef {
  const path = isObject(ref) ? ref['path'] : undefined;
  const taskId = isObject(ref) ? ref['task_id'] : undefined;
  const known = Object.values(KLING_PATHS).find((candidate) => candidate === path);
  if (!known || typeof taskId !== 'string') throw new TypeError('not a ref of the kling provider');
  return { path: known, task_id: taskId };
}

/** Null when the upstream does not know the id under this path. */
async function find(
  path: KlingPath,
  id: string,
  channel: Channel,
  signal: AbortSignal,
): Promise<WireTask | null> {
  try {
    const data = await call({ method: 'GET', path: `${path}/${encodeURIComponent(id)}` }, channel, signal);
    const task = readTask(data);
    if (task) return task;
  } catch (error) {
    if (error instanceof UpstreamError && error.upstreamCode === String(codeNotFound)) return null;
    throw error;
  }
  throw new UpstreamError('ambiguous', 'The upstream answered a query without a task.');
}

/** The newest page; a failure means that nothing is known, and single queries will tell. */
async function list(path: KlingPath, channel: Channel, signal: AbortSignal): Promise<Map<string, WireTask>> {
  const tasks = new Map<string, WireTask>();
  const data = await call({ method: 'GET', path: `${path}?pageNum=1&pageSize=${pageSize}` }, channel, signal);
  for (const item of Array.isArray(data) ? data : []) {
    const task = readTask(item);
    if (task) tasks.set(task.taskId, task);
  }
  return tasks;
}

/** One task's trouble must not hide the others' news. */
async function pollQuietly(
  ref: KlingRef,
  channel: Channel,
  signal: AbortSignal,
): Promise<Observation | null> {
  try {
    return observe(await find(ref.path, ref.task_id, channel, signal), channel);
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

function observe(task: WireTask | null, channel: Channel): Observation {
  if (!task) return { status: 'unknown' };
  switch (task.status) {
    case 'submitted':
      return { status: 'submitted' };
    // The new standard's word, which some relays use on the old paths too.
    case 'succeed':
    case 'succeeded':
      return succeeded(task);
    case 'failed':
      return {
        status: 'failed',
        code: saysContentPolicy(task.statusMessage) ? 'content_policy' : 'task_failed',
        message: publicSentence(task.statusMessage || 'The upstream could not make the film.', channel),
        upstreamCode: null,
      };
    default:
      return { status: 'processing' };
  }
}

function succeeded(task: WireTask): Observation {
  // Done, but the film is not in the answer yet: the next poll will show it.
  if (task.videos.length === 0) return { status: 'processing' };
  const outputs = task.videos.flatMap(({ id, url, watermarkUrl, durationSeconds }) => [
    { role: 'video' as const, url, upstreamId: id, durationSeconds },
    ...(watermarkUrl
      ? [{ role: 'watermarked' as const, url: watermarkUrl, upstreamId: id, durationSeconds }]
      : []),
  ]);
  const amount = task.unitDeduction;
  const isDecimal = amount !== null && /^\d{1,9}(\.\d{1,9})?$/.test(amount);
  return { status: 'succeeded', outputs, cost: isDecimal ? { amount, unit: 'unit' } : null };
}
