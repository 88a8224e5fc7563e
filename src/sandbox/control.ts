/** The control API: what was accepted, and how the sandbox shall behave. */
import { JsonError, parseJson, writeJson } from '../lib/json.ts';
import type { SimulatorAnswer } from '../providers/kit/simulator.ts';
import { changeBehaviour, HONEST_BEHAVIOUR } from './behaviour.ts';
import type { Behaviour } from './behaviour.ts';
import { honestStatus } from './host.ts';
import type { SandboxState } from './state.ts';

export interface ControlContext {
  state: SandboxState;
  now(): number;
  behaviour: Behaviour;
}

/** Changes `context.behaviour` in place of the old one. Answers 404 and 405 itself. */
export function answerControl(
  method: string,
  path: string,
  body: string,
  context: ControlContext,
): SimulatorAnswer {
  if (path === '/_control/tasks') {
    return method === 'GET' ? answer(200, { tasks: listTasks(context) }) : refuse(405, 'Use GET.');
  }
  if (path === '/_control/behaviour') {
    if (method === 'GET') return answer(200, context.behaviour);
    if (method === 'POST') return change(body, context);
    if (method === 'DELETE') {
      context.behaviour = HONEST_BEHAVIOUR;
      return answer(200, context.behaviour);
    }
    return refuse(405, 'Use GET, POST or DELETE.');
  }
  return refuse(404, 'There are /_control/tasks and /_control/behaviour.');
}

function listTasks({ state, now }: ControlContext): object[] {
  return Array.from(state.allTasks(), ({ task, submits }) => ({
    upstream: task.upstream,
    task_id: task.taskId,
    dedup_handle: task.dedupHandle,
    account: task.account,
    status: honestStatus(task, now()),
    submits,
    created_at: task.createdAt,
  }));
}

function change(body: string, context: ControlContext): SimulatorAnswer {
  let parsed;
  try {
    parsed = parseJson(body);
  } catch (error) {
    if (error instanceof JsonError) return refuse(400, error.message);
    throw error;
  }
  const after = changeBehaviour(context.behaviour, parsed);
  if (typeof after === 'string') return refuse(400, after);
  context.behaviour = after;
  return answer(200, after);
}

function answer(status: number, body: object): SimulatorAnswer {
  return { status, headers: { 'content-type': 'application/json' }, body: writeJson(body) };
}

function refuse(status: number, message: string): SimulatorAnswer {
  return answer(status, { error: { message } });
}
