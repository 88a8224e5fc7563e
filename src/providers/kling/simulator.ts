/**
 * Plays the official platform in both its standards: credentials, capability matrix, error table, slots, unique
 * external ids, sessions, voices and elements, lists, bills and callbacks. The sandbox gives it state, time and files.
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
import { NEW_TASKS_PATH, RESOURCE_ROUTES } from './routes.ts';
import { answerBalanceBills, answerCosts, answerPackageBills } from './simulator-account.ts';
import { authenticate } from './simulator-auth.ts';
import { answerData, answerRefusal, isKnownCode, Refusal } from './simulator-errors.ts';
import { readScript } from './simulator-fate.ts';
import { list } from './simulator-fields.ts';
import { checkNew, readNewPath } from './simulator-new.ts';
import { queryTasks, renderNewCreated, renderNewTask, searchTasks } from './simulator-new-task.ts';
import type { Judge, TaskPlan } from './simulator-plan.ts';
import { asJson } from './simulator-plan.ts';
import { deleteResource, presetElements, presetVoices } from './simulator-resources.ts';
import { ANSWERS, CREATES, filmPlan, settlePath, STEPS } from './simulator-routes.ts';
import { refuseDeleted } from './simulator-sounds.ts';
import { detailsOf } from './simulator-sources.ts';
import { isShown, renderCreated, renderTask } from './simulator-task.ts';
import { isObject } from './wire.ts';
import type { WireObject } from './wire.ts';

const upstream = 'kling';
/** Slots of a pack unless the control API lowers them. */
const slotsDefault = 200;
/** Sandbox milliseconds until a task is worked on. */
const submittedMs = 1000;
const lifetimeMs = 30 * 86_400_000;

/** Makes a simulator; it remembers only how lately an account asked for its costs. */
export function createSimulator(): Simulator {
  const costsAskedAt = new Map<string, number>();
  return {
    id: upstream,
    recognises: (path) =>
      path.startsWith('/v1/') ||
      path.startsWith('/account/') ||
      path === NEW_TASKS_PATH ||
      readNewPath(path) !== null,
    handle(request, host) {
      try {
        const account = authenticate(request.headers['authorization'], host.now());
        return route(request, account, host, costsAskedAt);
      } catch (error) {
        if (error instanceof Refusal) return answerRefusal(error);
        throw error;
      }
    },
    refusal(code) {
      const number = Number(code ?? 5001);
      return answerRefusal(new Refusal(isKnownCode(number) ? number : 5000));
    },
    callbackBody(task, status, host) {
      const render = detailsOf(task).isNew ? renderNewTask : renderTask;
      return writeJson(render(task, status, host, { origin: task.origin, isCallback: true }));
    },
  };
}

function route(
  request: SimulatorRequest,
  account: string,
  host: SimulatorHost,
  costsAskedAt: Map<string, number>,
): SimulatorAnswer {
  const path = settlePath(request.path);
  const judge: Judge = { host, account, keep: (bytes) => host.keepPicture(bytes) };
  if (request.method === 'GET') {
    if (path === '/account/costs') return answerCosts(request, account, host, costsAskedAt);
    if (path === NEW_TASKS_PATH) return queryTasks(request, account, host);
    return get(path, request, account, host);
  }
  if (request.method !== 'POST') throw new Refusal(1202);
  const body = () => readBody(request.body);
  switch (path) {
    case NEW_TASKS_PATH:
      return searchTasks(body(), request, account, host);
    case '/account/billing/package':
      return answerPackageBills(body(), account, host);
    case '/account/billing/balance':
      return answerBalanceBills(body());
    case RESOURCE_ROUTES.voice.remove:
      return deleteResource('voice', body(), account, host);
    case RESOURCE_ROUTES.element.remove:
      return deleteResource('element', body(), account, host);
    default:
      return post(path, body, request, judge);
  }
}

function post(
  path: string,
  body: () => WireObject,
  request: SimulatorRequest,
  judge: Judge,
): SimulatorAnswer {
  const { host } = judge;
  const answer = own(ANSWERS, path);
  if (answer) return answerData(answer(body(), judge));
  const step = own(STEPS, path);
  if (step) {
    const task = accept(step.check(body(), judge), path, request, judge);
    return answerData(step.render(task, host, request.origin, judge));
  }
  const check = own(CREATES, path);
  if (check) {
    const task = accept(checkAlive(body(), check, judge), path, request, judge);
    // Speech is done by the time it is answered.
    if (task.endsAt !== task.createdAt) return answerData(renderCreated(task));
    return answerData(renderTask(task, 'succeeded', host, { origin: request.origin, isCallback: false }));
  }
  const target = readNewPath(path);
  if (!target) throw new Refusal(1202);
  const plan = filmPlan(checkNew(path, body(), judge.keep), target.kind);
  const details = { ...plan.details, isNew: true };
  return answerData(renderNewCreated(accept({ ...plan, details }, path, request, judge)));
}

/** A member of a table, never one of its prototype. */
function own<Value>(table: Record<string, Value>, path: string): Value | null {
  return Object.hasOwn(table, path) ? table[path]! : null;
}

/** What names a voice or element that was deleted is refused, wherever it is named. */
function checkAlive(
  body: WireObject,
  check: (body: WireObject, judge: Judge) => TaskPlan,
  judge: Judge,
): TaskPlan {
  const plan = check(body, judge);
  for (const kind of ['voice', 'element'] as const) {
    list(body, `${kind}_list`, 100).forEach((entry, index) => {
      const field = `${kind}_list[${index}].${kind}_id`;
      refuseDeleted(kind, String(entry[`${kind}_id`]), judge, field);
    });
  }
  return plan;
}

/** Whatever passed its check: script, name, slots, then the task. */
function accept(plan: TaskPlan, path: string, request: SimulatorRequest, judge: Judge): SimulatedTask {
  const { host, account } = judge;
  const script = readScript(plan.prompt, plan.reference);
  if (script.rejectCode !== null) throw new Refusal(script.rejectCode);
  const behaviour = host.behaviour();
  const isUsed =
    plan.externalTaskId !== null && host.findTask(upstream, account, plan.externalTaskId) !== null;
  if (isUsed && behaviour.duplicates === 'refuse') {
    throw new Refusal(1201, `external_task_id: '${plan.externalTaskId}' already exists`);
  }
  const capacity = behaviour.slots ?? slotsDefault;
  if (plan.slots > 0 && host.slotsTaken(upstream, account, plan.pack) + plan.slots > capacity) {
    throw new Refusal(1303);
  }
  const createdAt = host.now();
  const isImmediate = plan.workMs === 0;
  const fate = isImmediate ? ({ end: 'succeeded' } as const) : script.fate;
  const processingAt = isImmediate ? createdAt : createdAt + host.scaled(submittedMs);
  const endsAt = isImmediate ? createdAt : processingAt + host.scaled(plan.workMs + script.slowMs);
  const task: SimulatedTask = {
    upstream,
    taskId: host.newDecimalId(),
    account,
    dedupHandle: plan.externalTaskId,
    path,
    pack: plan.pack,
    slots: plan.slots,
    createdAt,
    processingAt,
    endsAt: fate.end === 'never' ? null : endsAt,
    fate,
    callbackUrl: plan.callbackUrl,
    origin: request.origin,
    details: asJson(plan.details),
    film: fate.end === 'succeeded' ? plan.film : null,
    files: plan.files,
  };
  host.addTask(task);
  if (fate.end === 'succeeded') keepMade(task, judge, endsAt);
  return task;
}

/** Voices and elements live on, from the end of their task until they are deleted. */
function keepMade(task: SimulatedTask, { host, account }: Judge, createdAt: number): void {
  const { result } = detailsOf(task);
  if (result?.kind !== 'voice' && result?.kind !== 'element') return;
  host.keepRecord({
    upstream,
    account,
    kind: result.kind,
    id: result.kind === 'voice' ? result.voiceId : result.elementId,
    data: { task_id: task.taskId },
    createdAt,
    deletedAt: null,
  });
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

/** Lists and single queries. Speech has neither: its create is its answer. */
function get(path: string, request: SimulatorRequest, account: string, host: SimulatorHost): SimulatorAnswer {
  if (path === RESOURCE_ROUTES.voice.presets) return presetVoices(pageOf(request, 1000), host.now());
  if (path === RESOURCE_ROUTES.element.presets) return presetElements(pageOf(request, 500), host.now());
  if (own(CREATES, path)) return listOf(path, request, account, host);
  const [id, parent] = [path.slice(path.lastIndexOf('/') + 1), path.slice(0, path.lastIndexOf('/'))];
  if (!own(CREATES, parent)) throw new Refusal(1202);
  const task = host.findTask(upstream, account, decodeId(id));
  const isKnown = task !== null && task.path === parent && task.createdAt > host.now() - lifetimeMs;
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

/** Tasks of one path, of the last thirty days. */
function listOf(
  path: string,
  request: SimulatorRequest,
  account: string,
  host: SimulatorHost,
): SimulatorAnswer {
  const tasks = host.listTasks({
    upstream,
    account,
    path,
    createdFrom: host.now() - lifetimeMs,
    // Custom voices come in larger pages.
    ...pageOf(request, path === '/v1/general/custom-voices' ? 1000 : 500),
  });
  const options = { origin: request.origin, isCallback: false };
  return answerData(
    tasks.filter(isShown).map((task) => renderTask(task, host.statusOf(task), host, options)),
  );
}

function pageOf(request: SimulatorRequest, sizeMax: number): { offset: number; limit: number } {
  const number = pageField(request.query, 'pageNum', 1, 1000);
  const limit = pageField(request.query, 'pageSize', 30, sizeMax);
  return { offset: (number - 1) * limit, limit };
}

function pageField(query: URLSearchParams, field: string, preset: number, max: number): number {
  const text = query.get(field);
  if (text === null) return preset;
  const value = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > max) throw new Refusal(1201, `${field}: must be an integer from 1 to ${max}`);
  return value;
}
