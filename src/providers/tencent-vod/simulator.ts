/**
 * Plays Tencent Cloud VOD as far as Kling's films need it: signatures, one application, capability matrix, error
 * table, one running task per account, dedup handles of three days. The sandbox gives it state, time and films.
 */
import { randomBytes } from 'node:crypto';
import { JsonError, parseJson, writeJson } from '../../lib/json.ts';
import type { Json } from '../../lib/json.ts';
import type {
  SimulatedTask,
  Simulator,
  SimulatorAnswer,
  SimulatorHost,
  SimulatorRequest,
} from '../kit/simulator.ts';
import { authenticate, checkSubAppId } from './simulator-auth.ts';
import { check } from './simulator-check.ts';
import type { Plan } from './simulator-check.ts';
import { answerRefusal, answerResponse, knownCode, Refusal } from './simulator-errors.ts';
import { readScript } from './simulator-fate.ts';
import { absent, illegal, integer, list, object, onlyKnown, text, url } from './simulator-fields.ts';
import { faceEndMs, faceId, newSession } from './simulator-scene.ts';
import { renderDetail, renderSummary, renderVideoTask } from './simulator-task.ts';
import type { TaskDetails } from './simulator-task.ts';
import { isObject } from './wire.ts';
import type { WireObject } from './wire.ts';

const upstream = 'tencent-vod';
const pack = 'aigc-video';
/** Where the tasks are listed; this API has one address only. */
const path = 'CreateAigcVideoTask';
/** What an account has unless it asks for more. */
const slotsDefault = 1;
/** Queries, lists and dedup handles go back this far. */
const rememberedMs = 3 * 86_400_000;
const bodyBytesMax = 10 * 1024 * 1024;
/** Pace in sandbox milliseconds, as at the official platform. */
const submittedMs = 1000;
const processingMs = 10_000;
const processingPerSecondMs = 2000;
/** Films run a little over what was asked. */
const overrunSeconds = 0.04;

interface Asked {
  parameters: WireObject;
  account: string;
  subAppId: number;
  origin: string;
}

export function createSimulator(): Simulator {
  return {
    id: upstream,
    // The official SDKs can be pointed at a host, not at a path.
    recognises: (requested) => requested === '/',
    handle(request, host) {
      try {
        return route(request, host);
      } catch (error) {
        if (error instanceof Refusal) return answerRefusal(error);
        throw error;
      }
    },
    refusal: (code) => answerRefusal(new Refusal(knownCode(code ?? 'ServiceUnavailable') ?? 'InternalError')),
    callbackBody: (task, status, host) =>
      writeJson({
        EventType: 'AigcVideoTaskComplete',
        AigcVideoCompleteEvent: renderVideoTask(task, status, host, task.origin),
      }),
  };
}

const actions: Record<string, (asked: Asked, host: SimulatorHost) => object> = {
  CreateAigcVideoTask: create,
  DescribeTaskDetail: detail,
  DescribeTasks: listTasks,
  DescribeAigcFaceInfo: faces,
};

function route(request: SimulatorRequest, host: SimulatorHost): SimulatorAnswer {
  if (request.method !== 'POST') throw new Refusal('UnsupportedProtocol');
  const action = request.headers['x-tc-action'];
  if (!action) throw absent('Action');
  if (request.headers['x-tc-version'] !== '2018-07-17') throw new Refusal('NoSuchVersion');
  const account = authenticate(request, host.now());
  const answer = Object.hasOwn(actions, action) ? actions[action] : undefined;
  if (!answer)
    throw new Refusal('InvalidAction', `The requested action ${action.slice(0, 60)} is not found.`);
  if (Buffer.byteLength(request.body) > bodyBytesMax) throw new Refusal('RequestSizeLimitExceeded');
  const parameters = readBody(request.body);
  const subAppId = checkSubAppId(parameters['SubAppId']);
  return answerResponse(answer({ parameters, account, subAppId, origin: request.origin }, host));
}

function readBody(body: string): WireObject {
  let parameters: Json;
  try {
    parameters = parseJson(body);
  } catch (error) {
    if (error instanceof JsonError) throw new Refusal('InvalidParameter', 'The body is no valid JSON.');
    throw error;
  }
  if (!isObject(parameters)) throw new Refusal('InvalidParameter', 'The body must be a JSON object.');
  return parameters;
}

function create({ parameters, account, subAppId, origin }: Asked, host: SimulatorHost): object {
  const plan = check(parameters, (bytes) => host.keepPicture(bytes), host.now());
  const script = readScript(plan.prompt, plan.reference);
  if (script.rejectCode !== null) throw new Refusal(script.rejectCode);
  const behaviour = host.behaviour();
  if (behaviour.duplicates === 'refuse' && isUsed(plan.sessionId, account, host)) {
    throw new Refusal('InvalidParameterValue.SessionId');
  }
  if (host.slotsTaken(upstream, account, pack) >= (behaviour.slots ?? slotsDefault)) {
    throw new Refusal('RequestLimitExceeded');
  }
  const createdAt = host.now();
  const processingAt = createdAt + host.scaled(submittedMs);
  const workMs = processingMs + plan.seconds * processingPerSecondMs + script.slowMs;
  const task: SimulatedTask = {
    upstream,
    taskId: `${subAppId}-AigcVideoTask-${randomBytes(16).toString('hex')}t`,
    account,
    dedupHandle: plan.sessionId,
    path,
    pack,
    slots: 1,
    createdAt,
    processingAt,
    endsAt: script.fate.end === 'never' ? null : processingAt + host.scaled(workMs),
    fate: script.fate,
    // Pushes go to an address of the account's, which the sandbox's account has none of.
    callbackUrl: null,
    origin,
    details: { ...detailsFor(plan) } as unknown as Json,
    film: script.fate.end === 'succeeded' ? filmFor(plan) : null,
  };
  host.addTask(task);
  return { TaskId: task.taskId };
}

function isUsed(sessionId: string | null, account: string, host: SimulatorHost): boolean {
  if (sessionId === null) return false;
  const earlier = host.findTask(upstream, account, sessionId);
  return earlier !== null && earlier.createdAt > host.now() - rememberedMs;
}

function detailsFor(plan: Plan): TaskDetails {
  return {
    input: {
      ModelName: 'Kling',
      ModelVersion: plan.version,
      Prompt: plan.prompt,
      SceneType: plan.scene ?? '',
      OutputConfig: {
        Duration: plan.seconds,
        Resolution: plan.resolution,
        AspectRatio: plan.aspectRatio ?? '',
      },
    },
    sessionContext: plan.sessionContext,
    seconds: plan.seconds,
    durationSeconds: plan.seconds + overrunSeconds,
  };
}

function filmFor(plan: Plan): SimulatedTask['film'] {
  return {
    shortSide: plan.resolution === '1080P' ? 1080 : 720,
    aspectRatio: plan.aspectRatio,
    seconds: plan.seconds + overrunSeconds,
    sound: plan.sound,
    prompt: plan.prompt,
    title: `Kling ${plan.version}${plan.scene ? ` · ${plan.scene}` : ''} · VOD`,
    firstFrame: plan.firstFrame,
    lastFrame: plan.lastFrame,
    watermark: false,
  };
}

function detail({ parameters, account, origin }: Asked, host: SimulatorHost): object {
  onlyKnown(parameters, ['SubAppId', 'TaskId']);
  const taskId = text(parameters, 'TaskId');
  if (taskId === null) throw absent('TaskId');
  const task = host.findTask(upstream, account, taskId);
  const isKnown = task?.taskId === taskId && task.createdAt > host.now() - rememberedMs;
  if (!task || !isKnown) throw new Refusal('ResourceNotFound', 'TaskId: the task does not exist');
  return renderDetail(task, host.statusOf(task), host, origin);
}

/** Newest first only; filters other than the start of the time are not played. */
function listTasks({ parameters, account }: Asked, host: SimulatorHost): object {
  onlyKnown(parameters, ['SubAppId', 'CreateTime', 'Sort', 'Limit', 'ScrollToken']);
  const limit = integer(parameters, 'Limit') ?? 10;
  if (limit < 1 || limit > 100) throw illegal('Limit', 'must be 1 to 100');
  const sort = object(parameters, 'Sort');
  if (sort && (sort['Field'] !== 'CreateTime' || sort['Order'] !== 'Desc')) {
    throw new Refusal('UnsupportedOperation', 'Sort: the sandbox lists by CreateTime, Desc.');
  }
  const after = text(object(parameters, 'CreateTime') ?? {}, 'After', 'CreateTime.');
  const afterMs = after === null ? 0 : Date.parse(after);
  if (Number.isNaN(afterMs)) throw illegal('CreateTime.After', 'must be a time in ISO 8601');
  const token = text(parameters, 'ScrollToken') ?? '0';
  if (!/^\d{1,9}$/.test(token)) throw illegal('ScrollToken', 'is none of ours');
  const offset = Number(token);
  const tasks = host.listTasks({
    upstream,
    account,
    path,
    // The bound is part of the range here, and is not there.
    createdFrom: Math.max(afterMs - 1, host.now() - rememberedMs),
    offset,
    limit: limit + 1,
  });
  return {
    TaskSet: tasks.slice(0, limit).map((task) => renderSummary(task, host.statusOf(task))),
    ScrollToken: tasks.length > limit ? String(offset + limit) : '',
  };
}

/** Every film has one face, unless its address says `no-face`. */
function faces({ parameters, origin }: Asked, host: SimulatorHost): object {
  onlyKnown(parameters, ['SubAppId', 'FileInfos']);
  const files = list(parameters, 'FileInfos');
  if (files.length !== 1) throw illegal('FileInfos', 'must have exactly one entry');
  const [file] = files as [WireObject];
  if (file['Type'] !== 'Url')
    throw new Refusal('ResourceNotFound', 'FileInfos.0.FileId: the file does not exist');
  const address = url(file['Url'], 'FileInfos.0.Url');
  const found = address.includes('no-face')
    ? []
    : [{ FaceId: faceId, FaceImage: `${origin}/face.png`, StartTime: 0, EndTime: faceEndMs }];
  return { FaceInfoSet: [{ SessionId: newSession(host.now()), FaceInfoList: found }] };
}
