/**
 * Plays Tencent Cloud VOD as far as Kling needs it: signatures, one application, capability matrix, error
 * table, one running task per account, dedup handles of three days. The sandbox gives it state, time and pixels.
 */
import { JsonError, parseJson, writeJson } from '../../lib/json.ts';
import type { Json } from '../../lib/json.ts';
import type { Simulator, SimulatorAnswer, SimulatorHost, SimulatorRequest } from '../kit/simulator.ts';
import { accept, rememberedMs, upstream } from './simulator-accept.ts';
import type { Asker } from './simulator-accept.ts';
import { authenticate, checkSubAppId } from './simulator-auth.ts';
import { check } from './simulator-check.ts';
import { answerRefusal, answerResponse, knownCode, Refusal } from './simulator-errors.ts';
import { findFaces } from './simulator-faces.ts';
import { absent, illegal, integer, object, onlyKnown, text } from './simulator-fields.ts';
import { filmCreation } from './simulator-film.ts';
import { checkImage } from './simulator-image.ts';
import { renderDetail, renderEvent, renderSummary } from './simulator-task.ts';
import type { Creation } from './simulator-task.ts';
import { checkElement, checkVoice, deleteElement } from './simulator-things.ts';
import { isObject } from './wire.ts';
import type { WireObject } from './wire.ts';

const bodyBytesMax = 10 * 1024 * 1024;

interface Asked extends Asker {
  parameters: WireObject;
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
    callbackBody: (task, status, host) => writeJson(renderEvent(task, status, host, task.origin)),
  };
}

/** An action that makes a task, by the check of its parameters. */
const creates =
  (read: (parameters: WireObject, host: SimulatorHost) => Creation) =>
  (asked: Asked, host: SimulatorHost): object =>
    accept(read(asked.parameters, host), asked, host);

const actions: Record<string, (asked: Asked, host: SimulatorHost) => object> = {
  CreateAigcVideoTask: creates((parameters, host) =>
    filmCreation(check(parameters, (bytes) => host.keepPicture(bytes), host.now())),
  ),
  CreateAigcImageTask: creates((parameters, host) =>
    checkImage(parameters, (bytes) => host.keepPicture(bytes)),
  ),
  CreateAigcCustomVoice: creates(checkVoice),
  CreateAigcAdvancedCustomElement: creates(checkElement),
  DeleteAigcAdvancedCustomElement: ({ parameters, account }, host) =>
    deleteElement(parameters, account, host),
  DescribeTaskDetail: detail,
  DescribeTasks: listTasks,
  DescribeAigcFaceInfo: (asked, host) => findFaces(asked.parameters, asked, host),
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
