/**
 * The sandbox: one server that hosts the simulators of all upstreams. Embedded or on its own, the gateway
 * reaches it over HTTP with the provider code that reaches the real ones.
 */
import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '../lib/clock.ts';
import { createGuardedHttp } from '../lib/guarded-http.ts';
import { serveBytes } from '../lib/serve-bytes.ts';
import type { SimulatedTask, Simulator, SimulatorRequest } from '../providers/kit/simulator.ts';
import { HONEST_BEHAVIOUR } from './behaviour.ts';
import type { Behaviour } from './behaviour.ts';
import { createCallbacks } from './callbacks.ts';
import { answerControl } from './control.ts';
import type { ControlContext } from './control.ts';
import { createFileLinks } from './file-links.ts';
import type { FileLink } from './file-links.ts';
import { contentTypeOf, createFiles } from './files.ts';
import { createFilms } from './films.ts';
import { createHost, honestStatus } from './host.ts';
import {
  addressOf,
  cut,
  flatten,
  isLoopback,
  listen,
  notFound,
  originOf,
  readBody,
  send,
  tooLarge,
} from './http-io.ts';
import { openPictures } from './pictures.ts';
import { createRenderer } from './render/index.ts';
import type { RenderedFile, Renderer } from './render/index.ts';
import { loadSimulators } from './simulators.ts';
import { openState } from './state.ts';

export interface SandboxOptions {
  /** Made when missing; the database in it survives a kill. */
  dataDir: string;
  host: string;
  /** 0: any free one. */
  port: number;
  /** How many times faster than real time the simulated upstreams work. */
  speed: number;
  render: 'full' | 'tiny';
  clock: Clock;
  /** Instead of the built-in one; closed by its owner. What it leaves out cannot be downloaded. */
  renderer?: Pick<Renderer, 'video'> & Partial<Renderer>;
  /** Origins (`http://10.0.0.5:8787`) that may be pushed to although they are private; loopback always may. */
  gatewayCallbackOrigins?: () => readonly string[];
  /** Hosts and CIDRs that reference URLs may name although they are private. */
  allowPrivate?: readonly string[];
}

export interface Sandbox {
  url: string;
  /** Finishes answers in hand, stops callbacks and renders. */
  close(): Promise<void>;
}

/** Rejects when the address cannot be listened on or the directory cannot be written. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { dataDir, clock } = options;
  const simulators = await loadSimulators();
  const state = openState(dataDir);
  const guarded = createGuardedHttp({ allow: options.allowPrivate ?? [], userAgent: 'Reelay-Sandbox' });
  const pictures = openPictures(join(dataDir, 'pictures'), guarded, clock);
  const ownRenderer = options.renderer
    ? null
    : createRenderer({ cacheDir: join(dataDir, 'renders'), mode: options.render });
  const films = createFilms(options.renderer ?? ownRenderer!, pictures);
  const files = createFiles(options.renderer ?? ownRenderer!, pictures);
  const links = createFileLinks(state.fileKey);
  const control: ControlContext = { state, now: () => clock.now(), behaviour: HONEST_BEHAVIOUR };
  const behaviour = () => control.behaviour;

  const host = createHost({
    state,
    clock,
    speed: options.speed,
    behaviour,
    pictures,
    links,
    onAccepted(task) {
      films.prepare(task);
      callbacks.schedule(task);
    },
  });
  const callbacks = createCallbacks({
    state,
    clock,
    host,
    http: guarded,
    behaviour,
    simulatorOf: (upstream) => simulators.find(({ id }) => id === upstream),
    trusts: (origin) => isLoopback(origin) || (options.gatewayCallbackOrigins?.() ?? []).includes(origin),
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = URL.parse(request.url ?? '/', 'http://sandbox');
    if (!url) return send(response, notFound());
    const path = url.pathname;
    if (path.startsWith('/_files/')) return serveFile(request, response, url);
    const body = await readBody(request);
    if (body === null) return send(response, tooLarge());
    if (path.startsWith('/_control/')) {
      // Browsers name the page they act for: no page shall steer a sandbox on its visitor's machine.
      if (request.headers.origin !== undefined) return send(response, notFound());
      return send(response, answerControl(request.method ?? 'GET', path, body, control));
    }
    const target = findSimulator(simulators, path);
    if (!target) return send(response, notFound());
    const answering = answerUpstream(
      target.simulator,
      {
        method: request.method ?? 'GET',
        path: target.path,
        query: url.searchParams,
        headers: flatten(request),
        body,
        origin: originOf(request, listening),
      },
      response,
    );
    inHand.add(answering);
    await answering.finally(() => inHand.delete(answering));
  }

  /** The upstream's answer, with the misbehaviour that was asked for around it. */
  async function answerUpstream(
    simulator: Simulator,
    request: SimulatorRequest,
    response: ServerResponse,
  ): Promise<void> {
    const manner = mannerFor(control.behaviour, request.method);
    if (manner.latency_ms > 0) await clock.sleep(manner.latency_ms, stopping.signal).catch(() => {});
    if (manner.outage === 'maintenance') return send(response, simulator.refusal(null));
    if (manner.outage === 'reset') return cut(response);
    if (Math.random() < manner.error_rate)
      return send(response, simulator.refusal(manner.error_code ?? '5000'));
    const isCut = Math.random() < manner.reset_rate;
    if (isCut && manner.reset_when === 'before') return cut(response);
    const answer = simulator.handle(request, host);
    return isCut ? cut(response) : send(response, answer);
  }

  async function serveFile(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const link = links.read(url.pathname, url.searchParams.get('token'));
    const task = link ? state.getTask(link.taskId)?.task : undefined;
    const isThere =
      task &&
      honestStatus(task, clock.now()) === 'succeeded' &&
      clock.now() - task.createdAt < linkLifetimeMs;
    const file = link && isThere ? await openFile(task, link) : null;
    if (!file || !task) return send(response, notFound());
    const answer = await serveBytes(
      { method: request.method ?? 'GET', headers: request.headers },
      {
        bytes: file.bytes,
        contentType: file.contentType,
        etag: `"${file.filename}"`,
        modifiedAt: task.endsAt ?? task.createdAt,
        filename: file.filename,
        open: async (range) => createReadStream(file.path, range),
      },
      'inline',
    );
    response.writeHead(answer.status, answer.headers);
    if (answer.stream) await pipeline(answer.stream, response, { signal: stopping.signal });
    else response.end();
  }

  async function openFile(
    task: SimulatedTask,
    link: FileLink,
  ): Promise<(RenderedFile & { contentType: string; filename: string }) | null> {
    if ('variant' in link) {
      if (!task.film) return null;
      const film = await films.film(task, link.variant);
      const ending = link.variant === 'plain' ? '' : '-watermarked';
      return { ...film, contentType: 'video/mp4', filename: `${task.taskId}${ending}.mp4` };
    }
    const plan = task.files?.find(({ name }) => name === link.name);
    if (!plan) return null;
    const filename = `${task.taskId}-${plan.name}`;
    return { ...(await files.file(plan)), contentType: contentTypeOf(plan), filename };
  }

  const stopping = new AbortController();
  const inHand = new Set<Promise<void>>();
  // By import, Node would load WebSocket and fetch as well.
  const { createServer } = process.getBuiltinModule('node:http');
  const server = createServer({ keepAliveTimeout: 30_000 }, (request, response) => {
    handle(request, response).catch(() => {
      // A fault of ours: answered, not fatal. An answer that has begun can only be cut.
      if (response.headersSent) response.destroy();
      else send(response, { status: 500, body: '{"error":{"message":"The sandbox itself failed."}}' });
    });
  });
  const closeParts = async () => {
    await callbacks.stop();
    await guarded.close();
    // Downloads that wait for a film fail now; whoever asked will ask again.
    await ownRenderer?.close();
    await Promise.allSettled(inHand);
  };
  try {
    await listen(server, options.port, options.host);
  } catch (error) {
    await closeParts();
    state.close();
    throw error;
  }
  const listening = addressOf(server, options.host);
  callbacks.resume();

  return {
    url: listening,
    async close() {
      stopping.abort();
      const closed = new Promise((resolve) => server.close(resolve));
      await closeParts();
      server.closeAllConnections();
      await closed;
      state.close();
    },
  };
}

/** Upstreams delete results after this. */
const linkLifetimeMs = 30 * 86_400_000;

/** By mount prefix, else whichever simulator knows the bare path. */
function findSimulator(simulators: Simulator[], path: string): { simulator: Simulator; path: string } | null {
  for (const simulator of simulators) {
    if (path === `/${simulator.id}` || path.startsWith(`/${simulator.id}/`)) {
      return { simulator, path: path.slice(simulator.id.length + 1) || '/' };
    }
  }
  const simulator = simulators.find((one) => one.recognises(path));
  return simulator ? { simulator, path } : null;
}

function mannerFor(behaviour: Behaviour, method: string): Behaviour {
  const kind = method === 'POST' ? 'create' : 'query';
  return behaviour.applies_to === 'all' || behaviour.applies_to === kind ? behaviour : HONEST_BEHAVIOUR;
}
