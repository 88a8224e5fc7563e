/** Tasks of every kind: create, query, and the list by which a doubtful create is found. */
import type { Channel, Json, Observation } from '../../core/ports.ts';
import { UpstreamError } from '../../core/errors.ts';
import { call } from './call.ts';
import type { VodAction } from './call.ts';
import { saysUnknownTask } from './errors.ts';
import { observe } from './result.ts';
import { readSummary, readTask, textOf } from './wire.ts';
import type { WireObject } from './wire.ts';

/** Tasks are known, and dedup handles remembered, for three days. */
const rememberedMs = 3 * 86_400_000;
/** The most a page may hold. */
const pageSize = 100;
/** More than an account makes in three days; a list that goes on beyond it is no answer. */
const pagesMax = 200;

/** Sends a create; answers the handle of its task. */
export async function create(
  action: VodAction,
  parameters: WireObject,
  channel: Channel,
  signal: AbortSignal,
): Promise<{ ref: Json }> {
  const taskId = textOf((await call(action, parameters, channel, signal))['TaskId']);
  // Success without an id: it may well have been accepted.
  if (!taskId) throw new UpstreamError('ambiguous', 'The upstream accepted the task without naming it.');
  return { ref: { task_id: taskId } };
}

export async function poll(ref: Json, channel: Channel, signal: AbortSignal): Promise<Observation> {
  const taskId = readRef(ref);
  let response: WireObject;
  try {
    response = await call('DescribeTaskDetail', { TaskId: taskId }, channel, signal);
  } catch (error) {
    if (error instanceof UpstreamError && saysUnknownTask(error)) return { status: 'unknown' };
    throw error;
  }
  const task = readTask(response);
  if (!task) throw new UpstreamError('ambiguous', 'The upstream answered a query without a task.');
  return observe(task, channel);
}

/**
 * There is no query by SessionId, but the list of the last three days shows every task's. Null lets the flow send
 * again with the same SessionId, which the upstream refuses as a duplicate when the list was wrong.
 */
export async function lookup(
  clientRef: string,
  channel: Channel,
  signal: AbortSignal,
): Promise<{ ref: Json } | null> {
  const parameters: WireObject = {
    CreateTime: { After: new Date(channel.clock.now() - rememberedMs).toISOString() },
    Sort: { Field: 'CreateTime', Order: 'Desc' },
    Limit: pageSize,
  };
  for (let page = 0; page < pagesMax; page++) {
    const response = await call('DescribeTasks', parameters, channel, signal);
    const listed = response['TaskSet'];
    if (!Array.isArray(listed)) {
      throw new UpstreamError('ambiguous', 'The upstream answered a list without tasks.');
    }
    const found = listed.flatMap(readSummary).find(({ sessionId }) => sessionId === clientRef);
    if (found) return { ref: { task_id: found.taskId } };
    const token = textOf(response['ScrollToken']);
    if (token === null) return null;
    parameters['ScrollToken'] = token;
  }
  throw new UpstreamError('ambiguous', 'The upstream’s list of tasks is too long to be read to its end.');
}

function readRef(ref: Json): string {
  const taskId = typeof ref === 'object' && ref !== null && !Array.isArray(ref) ? ref['task_id'] : undefined;
  if (typeof taskId !== 'string') throw new TypeError('not a ref of the tencent-vod provider');
  return taskId;
}
