/**
 * Ties a request to the voices, elements, sessions and films it names: each belongs to the account and is known to one
 * channel only, so the task is pinned there. What nobody owns is a preset and passes under its own name; what somebody
 * else owns does not exist.
 */
import { GatewayError } from '../core/errors.ts';
import {
  isFeature,
  type FeatureRequest,
  type ResourceKind,
  type TaskRequest,
} from '../core/request/feature.ts';
import type { VideoRequest } from '../core/request/types.ts';
import type { FlowContext } from './context.ts';

/** Films can be built upon for so long (specs/kling.md §2.8). */
const FILM_LIFETIME_MS = 30 * 86_400_000;
/** Kinds that upstreams also offer ready-made. */
const HAS_PRESETS: ReadonlySet<ResourceKind> = new Set<ResourceKind>(['voice', 'element']);

export interface Bound<Request> {
  request: Request;
  /** The channel that knows what the request names; null: any will do. */
  channelId: string | null;
}

interface Binding {
  upstreamId: string;
  channelId: string | null;
}

export async function bindFeature(
  ctx: FlowContext,
  accountId: string,
  request: FeatureRequest,
): Promise<Bound<FeatureRequest>> {
  if (request.resources.length === 0) return { request, channelId: null };
  const pin = new Pin();
  const resources = [];
  for (const use of request.resources) {
    const binding = await bind(ctx, accountId, use.kind, use.id, use.path);
    pin.add(binding.channelId, use.path);
    resources.push({ ...use, upstreamId: binding.upstreamId });
  }
  return { request: { ...request, resources }, channelId: pin.channelId };
}

export async function bindVideo(
  ctx: FlowContext,
  accountId: string,
  request: VideoRequest,
): Promise<Bound<VideoRequest>> {
  if (request.voiceIds.length === 0 && request.elementIds.length === 0) return { request, channelId: null };
  const pin = new Pin();
  const upstreamIds: Record<string, string> = {};
  for (const [kind, field, ids] of [
    ['voice', 'voice_list', request.voiceIds],
    ['element', 'element_list', request.elementIds],
  ] as const) {
    for (const id of ids) {
      const binding = await bind(ctx, accountId, kind, id, field);
      pin.add(binding.channelId, field);
      upstreamIds[id] = binding.upstreamId;
    }
  }
  return { request: { ...request, upstreamIds }, channelId: pin.channelId };
}

/** Whether what the request names is known to its channel only, so that no other can make it. */
export function isPinned(request: TaskRequest): boolean {
  const names = isFeature(request)
    ? request.resources.map((use) => [use.id, use.upstreamId])
    : Object.entries(request.upstreamIds ?? {});
  return names.some(([id, upstreamId]) => id !== upstreamId);
}

/** The request as the provider is to send it: public ids replaced by those its upstream knows. */
export function withUpstreamIds(request: VideoRequest): VideoRequest {
  const { upstreamIds } = request;
  if (upstreamIds === undefined) return request;
  const named = (id: string) => upstreamIds[id] ?? id;
  return {
    ...request,
    voiceIds: request.voiceIds.map(named),
    elementIds: request.elementIds.map(named),
  };
}

async function bind(
  ctx: FlowContext,
  accountId: string,
  kind: ResourceKind,
  id: string,
  field: string,
): Promise<Binding> {
  const now = ctx.clock.now();
  const unknown = () =>
    new GatewayError('not_found', `${field}: there is no ${kind} ${JSON.stringify(id)} in this account.`, {
      param: field,
    });
  if (kind === 'video') {
    const task = await ctx.store.findTask(accountId, id);
    const film = task?.result?.outputs.find((output) => output.role === 'video');
    if (task === null || film === undefined || film.upstreamId === null) throw unknown();
    if (now - task.createdAt > FILM_LIFETIME_MS) {
      throw new GatewayError(
        'invalid_value',
        `${field}: ${id} is older than 30 days, and upstreams build on younger films only. Send the film by URL.`,
        { param: field },
      );
    }
    const made = await ctx.store.currentAttempt(task.id);
    return { upstreamId: film.upstreamId, channelId: made?.attempt.channelId ?? task.channelId };
  }
  const own = await ctx.store.findResource(accountId, kind, id, now);
  if (own !== null) return { upstreamId: own.upstreamId, channelId: own.channelId };
  if (!HAS_PRESETS.has(kind) || (await ctx.store.isOwnedUpstream(kind, id))) throw unknown();
  return { upstreamId: id, channelId: null };
}

/** All that a request names must be known to the same channel. */
class Pin {
  channelId: string | null = null;
  #field = '';

  add(channelId: string | null, field: string): void {
    if (channelId === null) return;
    if (this.channelId !== null && this.channelId !== channelId) {
      throw new GatewayError(
        'invalid_value',
        `${this.#field} and ${field} were made at different upstream accounts and cannot be used together.`,
        { param: field },
      );
    }
    this.channelId = channelId;
    this.#field = field;
  }
}
