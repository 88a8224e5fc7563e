/** Films from text, pictures and sounds at the official platform, in whichever standard knows the model. */
import type { Channel, TaskMaker } from '../../core/ports.ts';
import type { VideoRequest } from '../../core/request/types.ts';
import { UpstreamError } from '../../core/errors.ts';
import { writeJson } from '../../lib/json.ts';
import { bodyOf, missingFor, routeFor } from './body.ts';
import { call } from './call.ts';
import { mediaText } from './media.ts';
import { FEATURE_ROUTES } from './routes.ts';
import { firstFace, needsFace } from './scene-body.ts';
import type { Face } from './scene-body.ts';
import { readNewTask, readTask } from './task.ts';
import { lookupAt, lookupNew, poll, pollMany, readPush } from './tasks.ts';
import type { KlingRef } from './tasks.ts';
import { isObject, objectsIn, textOf } from './wire.ts';

export const video: TaskMaker<VideoRequest> = {
  missing: missingFor,
  // A film is one slot of the video pack (specs/kling.md §2.6).
  weigh: () => ({ pool: 'video', units: 1 }),
  poll,
  pollMany,
  callback: readPush,

  async submit(request, clientRef, channel, signal) {
    const missing = missingFor(request);
    if (missing) throw new UpstreamError('rejected', `This cannot be made here: ${missing}.`);
    const route = routeFor(request);
    const face = needsFace(request) ? await findFace(request, channel, signal) : null;
    const body = writeJson(await bodyOf(request, clientRef, channel, face));
    const data = await call({ method: 'POST', path: route.path, body }, channel, signal);
    const task = route.standard === 'new' ? readNewTask(data) : readTask(data);
    // Success without an id: it may well have been accepted.
    if (!task) throw new UpstreamError('ambiguous', 'The upstream accepted the task without naming it.');
    const ref: KlingRef =
      route.standard === 'new'
        ? { standard: 'new', task_id: task.taskId }
        : { path: route.path, task_id: task.taskId };
    return { ref };
  },

  async lookup(request, clientRef, channel, signal) {
    const route = routeFor(request);
    if (route.standard === 'new') return lookupNew(clientRef, channel, signal);
    return lookupAt(route.path, clientRef, channel, signal);
  },
};

/** Who speaks: the first face of the film. Nothing is made by looking, so a look that broke off leaves no doubt. */
async function findFace(request: VideoRequest, channel: Channel, signal: AbortSignal): Promise<Face> {
  const { path } = FEATURE_ROUTES['identify-face'];
  const body = writeJson({ video_url: await mediaText(request.referenceVideo!.media, channel) });
  try {
    const data = await call({ method: 'POST', path, body }, channel, signal);
    const session = isObject(data) ? data : {};
    return firstFace({ sessionId: textOf(session['session_id']), faces: objectsIn(session['face_data']) });
  } catch (error) {
    if (!(error instanceof UpstreamError) || error.kind !== 'ambiguous') throw error;
    throw new UpstreamError('unavailable', 'The upstream could not look for faces.', {
      cause: error,
      ...(error.upstreamCode === null ? {} : { upstreamCode: error.upstreamCode }),
    });
  }
}
