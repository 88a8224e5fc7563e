/**
 * What each provider says of a request, and whether its simulator takes it: the provider's own code submits to the
 * simulator, without a network between them.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UpstreamError } from '../../src/core/errors.ts';
import type { Channel, Observation, Provider, TaskMaker } from '../../src/core/ports.ts';
import { isFeature } from '../../src/core/request/feature.ts';
import type { ResourceKind, TaskRequest } from '../../src/core/request/feature.ts';
import { makerOf } from '../../src/flows/maker.ts';
import { createTestClock } from '../../src/lib/clock.ts';
import type { Simulator, SimulatorHost } from '../../src/providers/kit/simulator.ts';
import { HONEST_BEHAVIOUR } from '../../src/sandbox/behaviour.ts';
import { createFileLinks } from '../../src/sandbox/file-links.ts';
import { createHost } from '../../src/sandbox/host.ts';
import { loadSimulators } from '../../src/sandbox/simulators.ts';
import { openState } from '../../src/sandbox/state.ts';

export interface Upstream {
  provider: Provider;
  /** Why it cannot make this, empty where it makes nothing of the kind; null when it can. */
  missing(request: TaskRequest): string | null;
  /** `null`: there is no simulator. Else why the simulator did not take it, or `true`. */
  simulates(request: TaskRequest): Promise<true | string | null>;
}

/** Longer than any simulated task takes. */
const stepsMax = 40;
const stepMs = 30_000;
const signal = new AbortController().signal;
/** Stands for pictures and sounds of the caller's own. */
const bytes = Buffer.alloc(64, 1);

/** One of each provider, and how to put them away. */
export async function openUpstreams(
  providers: readonly Provider[],
  startMs: number,
): Promise<{ upstreams: Upstream[]; close(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'reelay-coverage-'));
  const state = openState(directory);
  const clock = createTestClock(startMs);
  const host = createHost({
    state,
    clock,
    speed: 1,
    behaviour: () => ({ ...HONEST_BEHAVIOUR, slots: 1000 }),
    pictures: { keep: () => 'picture' } as unknown as Parameters<typeof createHost>[0]['pictures'],
    links: createFileLinks(state.fileKey),
    onAccepted() {},
  });
  const simulators = await loadSimulators();
  const upstreams = providers.map((provider): Upstream => {
    const simulator = simulators.find(({ id }) => id === provider.id);
    const known = new Map<ResourceKind, string[]>();
    let handles = 0;
    return {
      provider,
      missing: (request) => missing(provider, request),
      async simulates(request) {
        const maker = makerOf(provider, request);
        if (!simulator || !maker) return null;
        const channel = channelTo(simulator, provider, host, clock);
        let refusal: string | null = null;
        for (const bound of bindings(request, known)) {
          const handle = `task_coverage${String(++handles).padStart(24, '0')}`;
          try {
            note(await run(maker, bound, handle, channel, clock), known);
            return true;
          } catch (error) {
            if (!(error instanceof UpstreamError)) throw error;
            refusal ??= error.publicMessage;
          }
        }
        return refusal;
      },
    };
  });
  return {
    upstreams,
    async close() {
      state.close();
      if (existsSync(directory)) await rm(directory, { recursive: true });
    },
  };
}

/** As routing asks. */
function missing(provider: Provider, request: TaskRequest): string | null {
  const maker = makerOf(provider, request);
  if (!maker) return '';
  if (!provider.serves.includes(request.model)) return `${provider.title} does not offer ${request.model}`;
  return maker.missing(request);
}

/** Submits and waits for the end, whatever it is. Throws UpstreamError when it is not taken. */
async function run(
  maker: TaskMaker<TaskRequest>,
  request: TaskRequest,
  handle: string,
  channel: Channel,
  clock: ReturnType<typeof createTestClock>,
): Promise<Observation> {
  const { ref, observation } = await maker.submit(request, handle, channel, signal);
  let seen: Observation = observation ?? { status: 'submitted' };
  for (
    let step = 0;
    step < stepsMax && (seen.status === 'submitted' || seen.status === 'processing');
    step++
  ) {
    await clock.advance(stepMs);
    seen = await maker.poll(ref, channel, signal);
  }
  if (seen.status === 'succeeded') return seen;
  const why = seen.status === 'failed' ? seen.message : `it stayed ${seen.status}`;
  throw new UpstreamError('rejected', why);
}

function note(seen: Observation, known: Map<ResourceKind, string[]>): void {
  if (seen.status !== 'succeeded') return;
  const add = (kind: ResourceKind, id: string): void =>
    void known.set(kind, [id, ...(known.get(kind) ?? [])]);
  for (const { kind, upstreamId } of seen.resources ?? []) add(kind, upstreamId);
  for (const { role, upstreamId } of seen.outputs) {
    if (upstreamId !== null && (role === 'video' || role === 'audio')) add(role, upstreamId);
  }
}

/** The request with whatever it names bound to things that earlier requests made, one after the other. */
function bindings(request: TaskRequest, known: Map<ResourceKind, string[]>): TaskRequest[] {
  if (!isFeature(request) || request.resources.length === 0) return [request];
  const count = Math.max(1, ...request.resources.map(({ kind }) => known.get(kind)?.length ?? 0));
  const bound = Array.from({ length: count }, (_, position) => ({
    ...request,
    resources: request.resources.map((use) => ({
      ...use,
      upstreamId: known.get(use.kind)?.[position] ?? use.id,
    })),
  }));
  return [...bound, request];
}

function channelTo(
  simulator: Simulator,
  provider: Provider,
  host: SimulatorHost,
  clock: Channel['clock'],
): Channel {
  return {
    id: `coverage_${provider.id}`,
    provider: provider.id,
    baseUrl: 'http://simulator.invalid',
    credential: provider.sandboxCredential,
    allowsComplianceSwitches: false,
    http: {
      async request({ method, url, headers, body = '' }) {
        const { pathname, searchParams, origin, host: authority } = new URL(url);
        const answer = simulator.handle(
          {
            method,
            path: pathname,
            query: searchParams,
            headers: { host: authority, ...lowerCase(headers) },
            body,
            origin,
          },
          host,
        );
        return { status: answer.status, headers: answer.headers ?? {}, text: answer.body };
      },
    },
    clock,
    readMedia: async () => ({ bytes, contentType: 'image/png' }),
    callbackUrl: () => null,
  };
}

function lowerCase(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
