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
import { isFinal, type OutputRole } from '../core/task.ts';
import type { FlowContext } from './context.ts';

/** Films and sounds can be built upon for so long (specs/kling.md §2.8). */
const MADE_LIFETIME_MS = 30 * 86_400_000;
/** Kinds that go by the id of the task that made them, and the files that are meant. */
const MADE_BY_TASKS: Partial<Record<ResourceKind, readonly OutputRole[]>> = {
  video: ['video'],
  audio: ['audio', 'audio_wav'],
};
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
    // As callers write it: `face_choose[0].audio_id`.
    const field = use.path.replace(/\.(\d+)(?=\.|$)/g, '[$1]');
    const binding = await bind(ctx, accountId, use.kind, use.id, field);
    pin.add(binding.channelId, field);
    resources.push({ ...use, upstreamId: binding.upstreamId });
  }
  return { request: { ...request, resources }, channelId: pin.channelId };
}

/** Native fields of a film request that name such things: field -> kind. */
const NAMED_IN_EXTENSIONS: Record<string, ResourceKind> = { audio_id: 'audio', session_id: 'session' };

export async function bindVideo(
  ctx: FlowContext,
  accountId: string,
  request: VideoRequest,
): Promise<Bound<VideoRequest>> {
  const uses = usesOf(request);
  if (uses.length === 0) return { request, channelId: null };
  const pin = new Pin();
  const upstreamIds: Record<string, string> = {};
  for (const { kind, field, id } of uses) {
    const binding = await bind(ctx, accountId, kind, id, field);
    pin.add(binding.channelId, field);
    upstreamIds[id] = binding.upstreamId;
  }
  return { request: { ...request, upstreamIds }, channelId: pin.channelId };
}

function usesOf({
  voiceIds,
  elementIds,
  extensions,
}: VideoRequest): { kind: ResourceKind; field: string; id: string }[] {
  const uses: { kind: ResourceKind; field: string; id: string }[] = [];
  for (const id of voiceIds) uses.push({ kind: 'voice', field: 'voice_list', id });
  for (const id of elementIds) uses.push({ kind: 'element', field: 'element_list', id });
  for (const field in NAMED_IN_EXTENSIONS) {
    const id = extensions[field];
    if (typeof id === 'string') uses.push({ kind: NAMED_IN_EXTENSIONS[field]!, field, id });
  }
  return uses;
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
    extensions: Object.fromEntries(
      Object.entries(request.extensions).map(([field, value]) => [
        field,
        field in NAMED_IN_EXTENSIONS && typeof value === 'string' ? named(value) : value,
      ]),
    ),
  };
}

async function bind(
  ctx: FlowContext,
  accountId: string,
  kind: ResourceKind,
  id: string,
  field: string,
): Promise<Binding> {
  const roles = MADE_BY_TASKS[kind];
  if (roles !== undefined) return bindMade(ctx, accountId, roles, { kind, id, field });
  const own = await ctx.store.findResource(accountId, kind, id, ctx.clock.now());
  if (own !== null) return { upstreamId: own.upstreamId, channelId: own.channelId };
  // What was ours and is deleted is no preset either.
  const isPreset =
    HAS_PRESETS.has(kind) &&
    !(await ctx.store.isResourceId(kind, id)) &&
    !(await ctx.store.isOwnedUpstream(kind, id));
  if (!isPreset) throw unknown(kind, id, field);
  return { upstreamId: id, channelId: null };
}

/** What a finished task made, for as long as its upstream keeps it: our own copy may be gone before. */
async function bindMade(
  ctx: FlowContext,
  accountId: string,
  roles: readonly OutputRole[],
  { kind, id, field }: { kind: ResourceKind; id: string; field: string },
): Promise<Binding> {
  const invalid = (why: string) => new GatewayError('invalid_value', `${field}: ${why}`, { param: field });
  const task = await ctx.store.findTask(accountId, id);
  if (task === null) throw unknown(kind, id, field);
  if (!isFinal(task.state)) {
    throw invalid(`${id} is not completed yet: poll it until its status is completed.`);
  }
  const current = task.state === 'completed' ? await ctx.store.currentAttempt(task.id) : null;
  const files = current?.attempt.outputs?.filter(({ role }) => roles.includes(role)) ?? [];
  if (current === null || files.length === 0) throw unknown(kind, id, field);
  if (ctx.clock.now() - task.createdAt > MADE_LIFETIME_MS) {
    throw invalid(
      `${id} is older than 30 days, and upstreams build on what is younger only. Send the ${kind} by URL.`,
    );
  }
  const upstreamId = files.find((file) => file.upstreamId !== null)?.upstreamId ?? null;
  if (upstreamId === null) {
    throw invalid(`nothing can be built upon ${id}: its upstream gave no id to it. Send the ${kind} by URL.`);
  }
  return { upstreamId, channelId: current.attempt.channelId };
}

function unknown(kind: ResourceKind, id: string, field: string): GatewayError {
  return new GatewayError(
    'not_found',
    `${field}: there is no ${kind} ${JSON.stringify(id)} in this account.`,
    {
      param: field,
    },
  );
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
