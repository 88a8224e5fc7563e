/**
 * What an operator does to a task by hand: have it made again, give its charge back, mark it failed. What a retry needs
 * to know of the outside world is found out here; the change itself is one transaction of the store.
 */
import { GatewayError } from '../../core/errors.ts';
import type { Intent } from '../../core/intent.ts';
import type {
  Admin,
  AttemptRow,
  OperatorAction,
  OperatorNote,
  RememberKey,
  RetryTask,
  TaskAction,
} from '../../core/ports.ts';
import { isFeature } from '../../core/request/feature.ts';
import { freshHandle, mayExistUpstream, type Task } from '../../core/task.ts';
import { isPinned } from '../bind-resources.ts';
import { makerOf, weightOf } from '../maker.ts';
import { mediaExpiresAt } from '../new-task.ts';
import { hasKey, OPERATORS, type Once } from '../once.ts';
import type { AdminContext } from './context.ts';

type ActionVerbs = Pick<Admin, 'retryTask' | 'refundTask' | 'failTask'>;

/** Where the new attempt of a retry comes from. */
type Plan = Pick<RetryTask, 'channelId' | 'pool' | 'upstreamHandle' | 'attempt'>;

export function taskActionVerbs(context: AdminContext, once: Once): ActionVerbs {
  const { store, clock } = context;

  async function act(
    intent: Intent | null | undefined,
    work: (remember: RememberKey | null) => Promise<OperatorAction>,
  ): Promise<TaskAction> {
    const withTask = async (action: OperatorAction): Promise<TaskAction> => ({
      action,
      task: (await store.getTask(action.taskId)) ?? unknownTask(action.taskId),
    });
    if (!hasKey(intent)) return withTask(await work(null));
    return once<TaskAction>(OPERATORS, intent, {
      create: async ({ remember }) => withTask(await work(remember)),
      async replay({ response }) {
        const kept = response as unknown as Omit<OperatorAction, 'amountMicros'> & { amountMicros: string };
        return { ...(await withTask({ ...kept, amountMicros: BigInt(kept.amountMicros) })), replayed: true };
      },
    });
  }

  return {
    retryTask: (id, { acceptPossibleDuplicate, ...audit }, intent) =>
      act(intent, (remember) => retry(context, id, audit, acceptPossibleDuplicate, remember)),
    refundTask: (id, { amountMicros, ...audit }, intent) =>
      act(intent, (remember) =>
        store.refundTask({ taskId: id, amountMicros, audit, at: clock.now(), remember }),
      ),
    failTask: (id, audit, intent) =>
      act(intent, (remember) => store.failTask({ taskId: id, audit, at: clock.now(), remember })),
  };
}

async function retry(
  context: AdminContext,
  taskId: string,
  audit: OperatorNote,
  acceptPossibleDuplicate: boolean,
  remember: RememberKey | null,
): Promise<OperatorAction> {
  const { store, clock, lanes, settings } = context;
  const record = (await store.taskRecord(taskId)) ?? unknownTask(taskId);
  const { task } = record;
  refuseHopeless(task);
  const last = record.attempts.at(-1) ?? null;
  const isDoubtful = mayExistUpstream(task, last);
  const plan =
    isDoubtful && last !== null && !acceptPossibleDuplicate
      ? await lookUpPlan(context, task, last)
      : await freshPlan(context, task, last);
  const at = clock.now();
  const action = await store.retryTask({
    taskId,
    retries: task.retries ?? 0,
    ...plan,
    deadlineAt: at + settings.taskDeadlineMs,
    mediaExpiresAt: mediaExpiresAt(task.request, at, settings.retentionMs),
    audit,
    at,
    remember,
  });
  if (action === null) {
    throw new GatewayError(
      'conflict',
      `Task ${taskId} cannot be retried: it is not failed any more, or its caller has deleted it.`,
    );
  }
  if (plan.attempt !== null) {
    const queued = await store.getTask(taskId);
    if (queued !== null) lanes.lookAfter(queued, plan.attempt.id);
  }
  return action;
}

function refuseHopeless(task: Task): void {
  const refuse = (reason: string): never => {
    throw new GatewayError('conflict', `Task ${task.id} cannot be retried: ${reason}`);
  };
  if (task.state === 'completed') refuse('it is completed. What was charged can be refunded.');
  if (task.state === 'cancelled') refuse('its caller cancelled it.');
  if (task.state !== 'failed') refuse('it has not ended yet. Mark it failed first, if it is stuck.');
  if (task.error?.code === 'content_policy') {
    refuse('it was refused for its content, and the same content would be refused again.');
  }
  if (isFeature(task.request) && task.request.immediate) {
    refuse('it was to be answered at once, and its caller was told that it failed.');
  }
}

/** Nothing of it can exist upstream, or the operator accepts that: a handle of its own, on whatever channel is able. */
async function freshPlan(context: AdminContext, task: Task, last: AttemptRow | null): Promise<Plan> {
  const channelId = await context.route(task.request, isPinned(task.request) ? task.channelId : null);
  const row = await context.store.getChannel(channelId);
  return {
    channelId,
    pool: weightOf(context.providers.get(row?.provider ?? ''), task.request).pool,
    upstreamHandle: last === null ? (task.upstreamHandle ?? null) : freshHandle(task),
    attempt: null,
  };
}

/**
 * It may exist upstream: an attempt under the same handle, open from the start, which the lane looks up before anything
 * is sent. What is found is taken over; only what is certainly not there is sent, with the same handle.
 */
async function lookUpPlan(context: AdminContext, task: Task, last: AttemptRow): Promise<Plan> {
  const row = await context.store.getChannel(last.channelId);
  const channel = row && context.channels.asItCounts(row);
  const maker = makerOf(context.providers.get(channel?.provider ?? ''), task.request);
  if (channel === null || !channel.enabled || maker?.lookup === undefined) {
    const reason = maker?.lookup === undefined ? 'has no look-up' : 'is switched off or deleted';
    throw new GatewayError(
      'conflict',
      `Attempt ${last.number} of task ${task.id} may exist upstream, and its channel ${reason}. To have the task made ` +
        'again all the same, at the risk that the upstream makes and bills it twice, send "accept_possible_duplicate": true.',
      { param: 'accept_possible_duplicate' },
    );
  }
  return {
    channelId: channel.id,
    pool: weightOf(context.providers.get(channel.provider), task.request).pool,
    upstreamHandle: task.upstreamHandle ?? null,
    attempt: { id: context.newId('att_'), owner: context.owner, submitDeadlineAt: context.clock.now() },
  };
}

function unknownTask(id: string): never {
  throw new GatewayError('task_not_found', `There is no task '${id}'.`);
}
