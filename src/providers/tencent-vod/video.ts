/** Films at VOD: create, query, and the list by which a doubtful create is found. */
import type { Channel, Json, Observation, TaskMaker } from '../../core/ports.ts';
import type { VideoRequest } from '../../core/request/types.ts';
import { UpstreamError } from '../../core/errors.ts';
import { bodyOf } from './body.ts';
import { call } from './call.ts';
import { failureOf, saysUnknownTask } from './errors.ts';
import { missingFor } from './missing.ts';
import { lipSyncFormOf } from './models.ts';
import { readFaces, readSummary, readTask, textOf } from './wire.ts';
import type { WireFace, WireObject, WireTask } from './wire.ts';

/** Tasks are known, and dedup handles remembered, for three days. */
const rememberedMs = 3 * 86_400_000;
/** The most a page may hold. */
const pageSize = 100;
/** More than an account makes in three days; a list that goes on beyond it is no answer. */
const pagesMax = 200;

export const video: TaskMaker<VideoRequest> = {
  missing: missingFor,

  async submit(request, clientRef, channel, signal) {
    const missing = missingFor(request);
    if (missing) throw new UpstreamError('rejected', `This cannot be made here: ${missing}.`);
    const face = needsFace(request) ? await findFace(request, channel, signal) : null;
    const body = await bodyOf(request, clientRef, channel, face);
    const taskId = textOf((await call('CreateAigcVideoTask', body, channel, signal))['TaskId']);
    // Success without an id: it may well have been accepted.
    if (!taskId) throw new UpstreamError('ambiguous', 'The upstream accepted the task without naming it.');
    return { ref: { task_id: taskId } };
  },

  async poll(ref, channel, signal) {
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
  },

  /**
   * There is no query by SessionId, but the list of the last three days shows every task's. Null lets the flow send
   * again with the same SessionId, which the upstream refuses as a duplicate when the list was wrong.
   */
  async lookup(_request, clientRef, channel, signal) {
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
  },
};

function readRef(ref: Json): string {
  const taskId = typeof ref === 'object' && ref !== null && !Array.isArray(ref) ? ref['task_id'] : undefined;
  if (typeof taskId !== 'string') throw new TypeError('not a ref of the tencent-vod provider');
  return taskId;
}

function needsFace(request: VideoRequest): boolean {
  return request.operation === 'lip-sync' && lipSyncFormOf(request) === 'film';
}

/** The first face of the film. Nothing is made by looking, so a look that broke off leaves no doubt. */
async function findFace(
  request: VideoRequest,
  channel: Channel,
  signal: AbortSignal,
): Promise<WireFace | null> {
  const media = request.referenceVideo!.media;
  if (media.kind !== 'url') throw new UpstreamError('rejected', 'The film must be given by URL.');
  const parameters = { FileInfos: [{ Type: 'Url', Url: media.url }] };
  try {
    return readFaces(await call('DescribeAigcFaceInfo', parameters, channel, signal))[0] ?? null;
  } catch (error) {
    if (!(error instanceof UpstreamError) || error.kind !== 'ambiguous') throw error;
    const { upstreamCode } = error;
    throw new UpstreamError('unavailable', 'The upstream could not look for faces.', {
      cause: error,
      ...(upstreamCode === null ? {} : { upstreamCode }),
    });
  }
}

function observe(task: WireTask, channel: Channel): Observation {
  switch (task.status) {
    case 'WAITING':
      return { status: 'submitted' };
    case 'FINISH':
      if (task.errorCode !== 0 || task.errorName !== null) return failed(task, channel);
      return succeeded(task);
    // Not of the documented words of this action, but of its relatives.
    case 'ABORTED':
    case 'FAIL':
    case 'FAILED':
      return failed(task, channel);
    default:
      return { status: 'processing' };
  }
}

function failed(task: WireTask, channel: Channel): Observation {
  return { status: 'failed', ...failureOf(task, channel) };
}

function succeeded(task: WireTask): Observation {
  const [film] = task.files;
  // Done, but the film is not in the answer yet: the next poll will show it.
  if (!film) return { status: 'processing' };
  return {
    status: 'succeeded',
    outputs: [
      { role: 'video', url: film.url, upstreamId: film.fileId, durationSeconds: film.durationSeconds },
    ],
    cost: task.outputSeconds === null ? null : { amount: String(task.outputSeconds), unit: 'second' },
  };
}
