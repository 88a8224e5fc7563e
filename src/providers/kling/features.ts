/** Everything the platform makes beside films from text and pictures: one table of routes, one way to ask. */
import type { Channel, Observation, TaskMaker, Weight } from '../../core/ports.ts';
import type { FeatureRequest } from '../../core/request/feature.ts';
import { UpstreamError } from '../../core/errors.ts';
import { setPath } from '../../lib/json-path.ts';
import { writeJson } from '../../lib/json.ts';
import { call } from './call.ts';
import { elementId } from './element-id.ts';
import { readFinding } from './findings.ts';
import { mediaText } from './media.ts';
import { routeOf } from './routes.ts';
import type { FeatureRoute } from './routes.ts';
import { observe, readTask } from './task.ts';
import { envelopeFields, lookupAt, poll, pollMany, readPush } from './tasks.ts';
import type { WireObject } from './wire.ts';

export const feature: TaskMaker<FeatureRequest> = {
  missing: missingFor,
  weigh: weightOf,
  poll,
  pollMany,
  callback: readPush,

  async submit(request, clientRef, channel, signal) {
    const route = routeOf(request.operation);
    const missing = missingFor(request);
    if (!route || missing) throw new UpstreamError('rejected', `This cannot be made here: ${missing}.`);
    const { path } = route;
    const body = writeJson(await bodyOf(request, route, clientRef, channel));
    const data = await call({ method: 'POST', path, body }, channel, signal);
    if (route.immediate === 'data') {
      return { ref: { path, task_id: null }, observation: readFinding(request, data, channel.clock.now()) };
    }
    const task = readTask(data, path);
    // Success without an id: it may well have been accepted.
    if (!task) throw new UpstreamError('ambiguous', 'The upstream accepted the task without naming it.');
    const ref = { path, task_id: task.taskId };
    if (!route.immediate) return { ref };
    return { ref, observation: atOnce(observe(task, channel)) };
  },

  async lookup(request, clientRef, channel, signal) {
    const route = routeOf(request.operation);
    // A step that is answered at once leaves nothing behind that could be found, and can be taken again.
    if (!route || route.immediate) return null;
    return lookupAt(route.path, clientRef, channel, signal);
  },
};

/** The answer to a create of an immediate feature must be the end of it: there is no query for it. */
function atOnce(observation: Observation): Observation {
  if (observation.status === 'succeeded' || observation.status === 'failed') return observation;
  throw new UpstreamError('ambiguous', 'The upstream accepted the request without answering it.');
}

const packs = { image_unit: 'image', try_on_unit: 'try-on' } as const;

/**
 * What the platform counts, per type of resource pack (specs/kling.md §2.6): a film and a try-on one slot, pictures one
 * each. That an element counts with the pictures is our inference; what is answered at once counts nothing.
 */
function weightOf(request: FeatureRequest): Weight {
  const route = routeOf(request.operation);
  if (route?.immediate) return { pool: 'video', units: 0 };
  if (request.makes === 'element') return { pool: 'image', units: 1 };
  const pool = route?.costUnit ? packs[route.costUnit] : 'video';
  return { pool, units: route?.slots === 'pictures' ? request.count : 1 };
}

/** Places that the platform takes by URL only. */
const byUrlOnly = /(^|\.)(video_url|voice_url|audio_url)$/;

/** Why this upstream cannot make the feature, as a sentence; null when it can. */
function missingFor(request: FeatureRequest): string | null {
  if (!routeOf(request.operation)) return `${request.operation} is no feature of this upstream`;
  const inline = request.media.find(({ path, media }) => byUrlOnly.test(path) && media.kind !== 'url');
  if (inline) return `the upstream takes ${inline.path} by URL only`;
  return null;
}

async function bodyOf(
  request: FeatureRequest,
  route: FeatureRoute,
  clientRef: string,
  channel: Channel,
): Promise<WireObject> {
  const body = structuredClone(request.parameters) as WireObject;
  for (const { path, media } of request.media) setPath(body, path, await mediaText(media, channel));
  for (const { path, kind, id, upstreamId } of request.resources) {
    setPath(body, path, kind === 'element' ? elementId(upstreamId ?? id) : (upstreamId ?? id));
  }
  dropEmptyPlaces(body);
  if (route.takesModel) body['model_name'] = request.model;
  if (request.watermark) body['watermark_info'] = { enabled: true };
  // What is answered at once has neither a name of ours nor anyone to call back.
  return route.immediate ? body : { ...body, ...envelopeFields(clientRef, channel) };
}

/** A place that nothing was put into is no field. */
function dropEmptyPlaces(body: WireObject): void {
  for (const [name, value] of Object.entries(body)) if (value === null) delete body[name];
}
