/** Films at another gateway: create, query, and the look-up of a doubtful create. */
import type { Channel, Json, Observation, TaskMaker } from '../../core/ports.ts';
import type { VideoRequest } from '../../core/request/types.ts';
import { UpstreamError } from '../../core/errors.ts';
import { writeJson } from '../../lib/json.ts';
import { observe, readTask } from './answer.ts';
import { call, credentialOf } from './call.ts';
import { doorFor, isDoor, VIDEOS_DOOR } from './doors.ts';
import type { Door } from './doors.ts';
import { findByHandle, findsByHandle, findTask, rememberHandle } from './handles.ts';
import { klingBody } from './kling-body.ts';
import { envelopeFields } from './shared-body.ts';
import { videosBody } from './videos-body.ts';
import { isObject } from './wire.ts';

/** A task that was accepted. */
type AcceptedRef = { door: Door; task_id: string };
/** One that may have been: known by our handle only, and looked for since then (Unix ms). */
type DoubtRef = { door: Door; handle: string; since: number };

/** A create that was on its way shows within moments, through however many gateways it went. */
const doubtMs = 120_000;

export const video: TaskMaker<VideoRequest> = {
  missing,

  async submit(request, clientRef, channel, signal) {
    const reason = missing(request);
    if (reason) throw new UpstreamError('rejected', `This cannot be made here: ${reason}.`);
    const door = doorFor(request, credentialOf(channel).dialect);
    const fields =
      door === VIDEOS_DOOR ? await videosBody(request, channel) : await klingBody(request, door, channel);
    const body = writeJson({ ...fields, ...envelopeFields(clientRef, channel) });
    const task = readTask(await call({ method: 'POST', path: door, body }, channel, signal));
    // Success without an id: it may well have been accepted.
    if (!task) throw new UpstreamError('ambiguous', 'The upstream accepted the task without naming it.');
    rememberHandle(channel, { door, handle: clientRef, taskId: task.taskId });
    return { ref: { door, task_id: task.taskId } };
  },

  async poll(ref, channel, signal) {
    const known = readRef(ref);
    if (!('task_id' in known)) return pollDoubt(known, channel, signal);
    const task = await findTask(known.door, known.task_id, channel, signal);
    return task ? observe(task, channel) : { status: 'unknown' };
  },

  /** Null only where the far side has proved that it finds tasks by our handle; else the doubt goes into the ref. */
  async lookup(request, clientRef, channel, signal) {
    const door = doorFor(request, credentialOf(channel).dialect);
    const task = await findByHandle(door, clientRef, channel, signal);
    if (task) {
      const accepted: AcceptedRef = { door, task_id: task.taskId };
      return { ref: accepted };
    }
    if (await findsByHandle(door, channel, signal)) return null;
    const doubt: DoubtRef = { door, handle: clientRef, since: channel.clock.now() };
    return { ref: doubt };
  },

  callback(body) {
    const handle = isObject(body) ? readTask(body)?.handle : null;
    return handle ? { clientRef: handle } : null;
  },
};

/** What another gateway can do is for it to say: only what no request can carry is missing. */
function missing(request: VideoRequest): string | null {
  if (request.referenceVideo && request.referenceVideo.media.kind !== 'url') {
    return 'the upstream takes a reference video by URL only';
  }
  return null;
}

/** Never sent again, so at worst it is lost: made over there, perhaps, but not charged here. */
async function pollDoubt(doubt: DoubtRef, channel: Channel, signal: AbortSignal): Promise<Observation> {
  const task = await findByHandle(doubt.door, doubt.handle, channel, signal);
  if (task) return observe(task, channel);
  if (channel.clock.now() - doubt.since < doubtMs) return { status: 'unknown' };
  return {
    status: 'failed',
    code: 'lost',
    message: 'Whether the upstream accepted this task could not be found out; nothing was charged.',
    upstreamCode: null,
  };
}

function readRef(ref: Json): AcceptedRef | DoubtRef {
  const { door, task_id: taskId, handle, since } = isObject(ref) ? ref : {};
  if (isDoor(door)) {
    if (typeof taskId === 'string') return { door, task_id: taskId };
    if (typeof handle === 'string' && typeof since === 'number') return { door, handle, since };
  }
  throw new TypeError('not a ref of the relay provider');
}
