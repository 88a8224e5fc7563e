/**
 * Plays the official platform's legacy standard: credentials, capability matrix, error table, slots, unique
 * external ids, lists and callbacks. The sandbox gives it state, time and films.
 */
import { JsonError, parseJson, writeJson } from '../../lib/json.ts';
import type { Json } from '../../lib/json.ts';
import type {
  SimulatedTask,
  Simulator,
  SimulatorAnswer,
  SimulatorHost,
  SimulatorRequest,
} from '../kit/simulator.ts';
import { authenticate } from './simulator-auth.ts';
import { check } from './simulator-check.ts';
import type { Plan } from './simulator-check.ts';
import { answerCosts } from './simulator-account.ts';
import { answerData, answerRefusal, isKnownCode, Refusal } from './simulator-errors.ts';
import { readScript } from './simulator-fate.ts';
import { formatUnits, milliUnitsOf } from './simulator-matrix.ts';
import { renderCreated, renderTask } from './simulator-task.ts';
import type { TaskDetails } from './simulator-task.ts';
import { isObject, KLING_PATHS } from './wire.ts';
import type { KlingPath, WireObject } from './wire.ts';

const upstream = 'kling';
const pack = 'video';
/** Slots of the video pack unless the control API lowers them. */
const slotsDefault = 200;

/** Pace in sandbox milliseconds; films of a minute ago took about this long on the real platform. */
const submittedMs = 1000;
const processingMs = 10_000;
const processingPerSecondMs = 2000;

/** Films run a little over what was asked, as upstream's do: 5.04 s for 5. */
const overrunSeconds = 0.04;
const lifetimeMs = 30 * 86_400_000;

/** Makes a simulator; it remembers only how lately an account asked for its costs. */
export function createSimulator(): Simulator {
  const costsAskedAt = new Map<string, number>();
  return {
    id: upstream,
    recognises: (path) => path.startsWith('/v1/') || path.startsWith('/account/'),
    handle(request, host) {
      try {
        const account = authenticate(request.headers['authorization'], host.now());
        if (request.path === '/account/costs' && request.method === 'GET') {
          return answerCosts(request, account, host, costsAskedAt);
        }
        return route(request, account, host);
      } catch (error) {
        if (error instanceof Refusal) return answerRefusal(error);
        throw error;
      }
    },
    refusal(code) {
      const number = Number(code ?? 5001);
      return answerRefusal(new Refusal(isKnownCode(number) ? number : 5000));
    },
    callbackBody: (task, status, host) =>
      writeJson(renderTask(task, status, host, { origin: task.origin, isCallback: true })),
  };
}

function route(request: SimulatorRequest, account: string, host: SimulatorHost): SimulatorAnswer {
  const trimmed = request.path.replace(/\/+$/, '');
  const path = Object.values(KLING_PATHS).find(
    (candidate) => trimmed === candidate || trimmed.startsWith(`${candidate}/`),
  );
  if (!path) throw new Refusal(1202);
  if (trimmed !== path) {
    if (request.method !== 'GET') throw new Refusal(1202);
    return query(path, trimmed.slice(path.length + 1), request, account, host);
  }
  if (request.method === 'POST') return create(path, request, account, host);
  if (request.method === 'GET') return page(path, request, account, host);
  throw new Refusal(1202);
}

function create(
  path: KlingPath,
  request: SimulatorRequest,
  account: string,
  host: SimulatorHost,
): SimulatorAnswer {
  const plan = check(path, readBody(request.body), (bytes) => host.keepPicture(bytes));
  const script = readScript(plan.prompt, plan.reference);
  if (script.rejectCode !== null) throw new Refusal(script.rejectCode);
  const behaviour = host.behaviour();
  const isUsed =
    plan.externalTaskId !== null && host.findTask(upstream, account, plan.externalTaskId) !== null;
  if (isUsed && behaviour.duplicates === 'refuse') {
    throw new Refusal(1201, `external_task_id: '${plan.externalTaskId}' already exists`);
  }
  if (host.slotsTaken(upstream, account, pack) >= (behaviour.slots ?? slotsDefault)) throw new Refusal(1303);

  const createdAt = host.now();
  const processingAt = createdAt + host.scaled(submittedMs);
  const workMs = processingMs + plan.seconds * processingPerSecondMs + script.slowMs;
  const task: SimulatedTask = {
    upstream,
    taskId: host.newDecimalId(),
    account,
    dedupHandle: plan.externalTaskId,
    path,
    pack,
    slots: 1,
    createdAt,
    processingAt,
    endsAt: script.fate.end === 'never' ? null : processingAt + host.scaled(workMs),
    fate: script.fate,
    callbackUrl: plan.callbackUrl,
    origin: request.origin,
    details: detailsFor(plan),
    film: script.fate.end === 'succeeded' ? filmFor(plan, path) : null,
  };
  host.addTask(task);
  return answerData(renderCreated(task));
}

function detailsFor(plan: Plan): Json {
  const details: TaskDetails = {
    watermark: plan.watermark,
    units: formatUnits(milliUnitsOf(plan)),
    seconds: (plan.seconds + overrunSeconds).toFixed(2),
  };
  return { ...details };
}

function filmFor(plan: Plan, path: KlingPath): SimulatedTask['film'] {
  return {
    shortSide: plan.shortSide,
    aspectRatio: plan.aspectRatio,
    seconds: plan.seconds + overrunSeconds,
    sound: plan.sound,
    prompt: plan.prompt,
    title: `${plan.model} · ${path.split('/').at(-1)}`,
    firstFrame: plan.firstFrame,
    lastFrame: plan.lastFrame,
    watermark: plan.watermark,
  };
}

function readBody(text: string): WireObject {
  let body: Json;
  try {
    body = parseJson(text);
  } catch (error) {
    if (error instanceof JsonError) throw new Refusal(1200, `invalid request body: ${error.message}`);
    throw error;
  }
  if (!isObject(body)) throw new Refusal(1200, 'invalid request body: must be a JSON object');
  return body;
}

function query(
  path: KlingPath,
  encodedId: string,
  request: SimulatorRequest,
  account: string,
  host: SimulatorHost,
): SimulatorAnswer {
  const task = host.findTask(upstream, account, decodeId(encodedId));
  const isKnown = task !== null && task.path === path && task.createdAt > host.now() - lifetimeMs;
  if (!isKnown) throw new Refusal(1203, 'task does not exist');
  return answerData(
    renderTask(task, host.statusOf(task), host, { origin: request.origin, isCallback: false }),
  );
}

function decodeId(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A broken escape names no task.
    throw new Refusal(1203, 'task does not exist');
  }
}

function page(
  path: KlingPath,
  request: SimulatorRequest,
  account: string,
  host: SimulatorHost,
): SimulatorAnswer {
  const pageNumber = pageField(request.query, 'pageNum', 1, 1000);
  const pageSize = pageField(request.query, 'pageSize', 30, 500);
  const tasks = host.listTasks({
    upstream,
    account,
    path,
    createdFrom: host.now() - lifetimeMs,
    offset: (pageNumber - 1) * pageSize,
    limit: pageSize,
  });
  return answerData(
    tasks.map((task) =>
      renderTask(task, host.statusOf(task), host, { origin: request.origin, isCallback: false }),
    ),
  );
}

function pageField(query: URLSearchParams, field: string, preset: number, max: number): number {
  const text = query.get(field);
  if (text === null) return preset;
  const value = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > max) throw new Refusal(1201, `${field}: must be an integer from 1 to ${max}`);
  return value;
}
