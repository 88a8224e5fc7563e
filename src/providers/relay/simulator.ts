/**
 * Plays another gateway. It has two accounts: one keeps handles and answers as Reelay does, Kling's envelope and the
 * video object in one body; the other is new-api's: handles are dropped, queries answer its own row, lists do not exist.
 */
import { randomUUID } from 'node:crypto';
import { writeJson } from '../../lib/json.ts';
import type { Json } from '../../lib/json.ts';
import type {
  SimulatedStatus,
  SimulatedTask,
  Simulator,
  SimulatorAnswer,
  SimulatorHost,
  SimulatorRequest,
} from '../kit/simulator.ts';
import { isDoor, VIDEOS_DOOR } from './doors.ts';
import type { Door } from './doors.ts';
import { readPlan } from './simulator-plan.ts';
import { answer, answerRefusal, Refusal, wordOf } from './simulator-words.ts';
import type { WireObject } from './wire.ts';

const upstream = 'relay';
const pack = 'video';
const slotsDefault = 200;

/** Pace in sandbox milliseconds, as of the other simulators. */
const submittedMs = 1000;
const processingMs = 10_000;
const processingPerSecondMs = 2000;
const overrunSeconds = 0.04;
const lifetimeMs = 30 * 86_400_000;

interface Account {
  name: string;
  speaksNewApi: boolean;
}

const accounts: Record<string, Account> = {
  'sandbox-relay-key': { name: 'sandbox', speaksNewApi: false },
  'sandbox-relay-key-forgetful': { name: 'forgetful', speaksNewApi: true },
};

/** Some of what it sells; any name is taken. */
const models = ['kling-v1-6', 'kling-v2-6', 'kling-v3', 'kling-v3-omni'];

export function createSimulator(): Simulator {
  return {
    id: upstream,
    // Every path of it is somebody else's, too.
    recognises: () => false,
    handle(request, host) {
      let account: Account | null = null;
      try {
        account = authenticate(request.headers['authorization']);
        return route(request, account, host);
      } catch (error) {
        if (error instanceof Refusal) return answerRefusal(error, account?.speaksNewApi ?? false);
        throw error;
      }
    },
    refusal: (code) => answerRefusal(new Refusal(wordOf(code ?? 'unavailable') ?? 'internal_error'), false),
    callbackBody: (task, status, host) => writeJson(klingTask(task, status, host, task.origin)),
  };
}

function authenticate(authorization: string | undefined): Account {
  if (!authorization) throw new Refusal('missing_api_key');
  const key = /^Bearer (\S+)$/.exec(authorization)?.[1] ?? '';
  if (!Object.hasOwn(accounts, key)) throw new Refusal('invalid_api_key');
  return accounts[key]!;
}

function route(request: SimulatorRequest, account: Account, host: SimulatorHost): SimulatorAnswer {
  const path = request.path.replace(/\/+$/, '');
  if (path === '/v1/models' && request.method === 'GET') {
    return answer(200, { object: 'list', data: models.map((id) => ({ id, object: 'model' })) });
  }
  if (isDoor(path)) {
    if (request.method === 'POST') return create(path, request, account, host);
    if (request.method === 'GET' && path !== VIDEOS_DOOR && !account.speaksNewApi) {
      return page(path, request, account, host);
    }
    throw new Refusal('not_found');
  }
  const slash = path.lastIndexOf('/');
  const door = path.slice(0, slash);
  if (request.method !== 'GET' || !isDoor(door)) throw new Refusal('not_found');
  return query(door, path.slice(slash + 1), request, account, host);
}

function create(
  door: Door,
  request: SimulatorRequest,
  account: Account,
  host: SimulatorHost,
): SimulatorAnswer {
  const plan = readPlan(request.body, (bytes) => host.keepPicture(bytes));
  if (plan.script.reject !== null) throw new Refusal(plan.script.reject);
  const behaviour = host.behaviour();
  const handle = account.speaksNewApi ? null : plan.handle;
  const isUsed = handle !== null && host.findTask(upstream, account.name, handle) !== null;
  if (isUsed && behaviour.duplicates === 'refuse') throw new Refusal('duplicate_external_task_id');
  if (host.slotsTaken(upstream, account.name, pack) >= (behaviour.slots ?? slotsDefault)) {
    throw new Refusal('concurrency_limit_exceeded');
  }
  const createdAt = host.now();
  const processingAt = createdAt + host.scaled(submittedMs);
  const { fate, slowMs } = plan.script;
  const workMs = processingMs + plan.film.seconds * processingPerSecondMs + slowMs;
  const task: SimulatedTask = {
    upstream,
    taskId: `task_${host.newDecimalId()}`,
    account: account.name,
    dedupHandle: handle,
    path: door,
    pack,
    slots: 1,
    createdAt,
    processingAt,
    endsAt: fate.end === 'never' ? null : processingAt + host.scaled(workMs),
    fate,
    callbackUrl: plan.callbackUrl,
    origin: request.origin,
    details: { model: plan.model, seconds: plan.film.seconds, watermark: plan.film.watermark },
    film: fate.end === 'succeeded' ? { ...plan.film, seconds: plan.film.seconds + overrunSeconds } : null,
  };
  host.addTask(task);
  return answer(200, shown(task, 'submitted', door, account, host, request.origin));
}

function query(
  door: Door,
  id: string,
  request: SimulatorRequest,
  account: Account,
  host: SimulatorHost,
): SimulatorAnswer {
  const task = host.findTask(upstream, account.name, id);
  if (task === null || task.createdAt <= host.now() - lifetimeMs) throw new Refusal('video_not_found');
  const status = host.statusOf(task);
  if (account.speaksNewApi && door !== VIDEOS_DOOR) {
    return answer(200, newApiRow(task, status, host, request.origin));
  }
  return answer(200, shown(task, status, door, account, host, request.origin));
}

function page(door: Door, request: SimulatorRequest, account: Account, host: SimulatorHost): SimulatorAnswer {
  const numberIn = (field: string, preset: number): number => {
    const value = Number(request.query.get(field) ?? preset);
    if (!Number.isInteger(value) || value < 1 || value > 1000) throw new Refusal('invalid_value');
    return value;
  };
  const pageSize = numberIn('pageSize', 30);
  const tasks = host.listTasks({
    upstream,
    account: account.name,
    path: door,
    createdFrom: host.now() - lifetimeMs,
    offset: (numberIn('pageNum', 1) - 1) * pageSize,
    limit: pageSize,
  });
  const data = tasks.map((task) => klingTask(task, host.statusOf(task), host, request.origin));
  return answer(200, { code: 0, message: 'SUCCEED', request_id: randomUUID(), data });
}

/** At Kling's doors its envelope with the video object beside it, elsewhere the object alone. */
function shown(
  task: SimulatedTask,
  status: SimulatedStatus,
  door: Door,
  account: Account,
  host: SimulatorHost,
  origin: string,
): WireObject {
  const object = videoObject(task, status, host, origin);
  if (door === VIDEOS_DOOR || account.speaksNewApi) return object;
  const data = klingTask(task, status, host, origin);
  return { code: 0, message: 'SUCCEED', request_id: randomUUID(), data, ...object };
}

function detailsOf(task: SimulatedTask): { model: string; seconds: number; watermark: boolean } {
  return task.details as unknown as ReturnType<typeof detailsOf>;
}

const videoWords: Record<SimulatedStatus, string> = {
  submitted: 'queued',
  processing: 'in_progress',
  succeeded: 'completed',
  failed: 'failed',
};

function videoObject(
  task: SimulatedTask,
  status: SimulatedStatus,
  host: SimulatorHost,
  origin: string,
): WireObject {
  const { model, seconds } = detailsOf(task);
  const url = status === 'succeeded' ? host.filmUrl(task, 'plain', origin) : null;
  return {
    id: task.taskId,
    task_id: task.taskId,
    object: 'video',
    model,
    status: videoWords[status],
    progress: status === 'succeeded' || status === 'failed' ? 100 : 0,
    created_at: Math.floor(task.createdAt / 1000),
    seconds: String(seconds),
    error: failureOf(task, status),
    metadata: url === null ? {} : { url },
    ...(url === null ? {} : { video_url: url }),
  };
}

function failureOf(task: SimulatedTask, status: SimulatedStatus): WireObject | null {
  if (status !== 'failed' || task.fate.end !== 'failed') return null;
  return { code: task.fate.code, message: task.fate.message };
}

const klingWords: Record<SimulatedStatus, string> = {
  submitted: 'submitted',
  processing: 'processing',
  succeeded: 'succeed',
  failed: 'failed',
};

function klingTask(
  task: SimulatedTask,
  status: SimulatedStatus,
  host: SimulatorHost,
  origin: string,
): WireObject {
  const { seconds, watermark } = detailsOf(task);
  const film: WireObject = {
    id: `${task.taskId}_1`,
    url: host.filmUrl(task, 'plain', origin),
    duration: (seconds + overrunSeconds).toFixed(2),
    ...(watermark ? { watermark_url: host.filmUrl(task, 'watermarked', origin) } : {}),
  };
  return {
    task_id: task.taskId,
    task_status: klingWords[status],
    task_status_msg: textIn(failureOf(task, status)?.['message']),
    task_info: task.dedupHandle === null ? {} : { external_task_id: task.dedupHandle },
    created_at: task.createdAt,
    updated_at: status === 'submitted' ? task.createdAt : task.processingAt,
    // One unit a second: what a gateway says it costs is its own affair.
    ...(status === 'succeeded'
      ? { final_unit_deduction: String(seconds), task_result: { videos: [film] } }
      : {}),
  };
}

function textIn(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

const rowWords: Record<SimulatedStatus, string> = {
  submitted: 'SUBMITTED',
  processing: 'IN_PROGRESS',
  succeeded: 'SUCCESS',
  failed: 'FAILURE',
};

/** new-api's answer to a query (relay/relay_task.go, dto/task.go). */
function newApiRow(
  task: SimulatedTask,
  status: SimulatedStatus,
  host: SimulatorHost,
  origin: string,
): WireObject {
  const url = status === 'succeeded' ? host.filmUrl(task, 'plain', origin) : '';
  return {
    code: 'success',
    message: '',
    data: {
      id: 1,
      task_id: task.taskId,
      action: 'textGenerate',
      status: rowWords[status],
      fail_reason: textIn(failureOf(task, status)?.['message']),
      result_url: url,
      progress: status === 'succeeded' || status === 'failed' ? '100%' : '0%',
      data: null,
    },
  };
}
