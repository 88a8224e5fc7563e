import type { FastifyReply, FastifyRequest } from 'fastify';
import { GatewayError } from '../../core/errors.ts';
import type { Gateway, TaskView } from '../../core/ports.ts';
import { isGiven, show } from '../../core/request/read.ts';
import type { LooseFeature } from '../../core/request/feature.ts';
import { createOptions, lowestCost, priorityOf } from './create-options.ts';
import { featureEstimateObject, type EstimateObject } from './estimate.ts';
import { asCreated } from './video-object.ts';
import { markReplayed } from './replayed.ts';
import { setWarnings } from './warnings.ts';

/** Where a feature was asked for, and which one it is. */
export interface FeatureDoor {
  surface: string;
  operation: string;
}

type Body = Record<string, unknown>;

/**
 * What every create route of a feature does: body to claims, then a task or, for a dry run, an estimate. A feature
 * that is answered at once is rendered as it ended; any other looks just queued.
 */
export async function createFeature<Answer>(
  gateway: Gateway,
  door: FeatureDoor,
  request: FastifyRequest,
  reply: FastifyReply,
  render: (view: TaskView) => Answer,
): Promise<Answer | EstimateObject> {
  const options = createOptions(request);
  const { intent } = options;
  const loose = looseFeature(request.body as Body, door);
  loose.maxCost = lowestCost(loose.maxCost, options);
  const priority = priorityOf(options);
  if (priority !== null) loose.priority = priority;
  if (options.dryRun) {
    const estimate = await gateway.createFeature(request.principal, loose, { dryRun: true });
    setWarnings(reply, estimate.warnings);
    return featureEstimateObject(estimate);
  }
  const view = await gateway.createFeature(request.principal, loose, { dryRun: false, intent });
  setWarnings(reply, view.task.warnings);
  markReplayed(reply, view);
  const isAnswered = 'immediate' in view.task.request && view.task.request.immediate;
  return render(isAnswered ? view : asCreated(view));
}

/** The body without its envelope fields. Throws `invalid_value` for a model that is no name. */
export function looseFeature(body: Body, door: FeatureDoor): LooseFeature {
  const {
    model_name: modelName,
    model,
    external_task_id: externalTaskId,
    callback_url: callbackUrl,
    max_cost: maxCost,
    ...rest
  } = body;
  return {
    ...door,
    model: isGiven(modelName) ? readModel('model_name', modelName) : readModel('model', model),
    fields: Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)),
    externalTaskId: given(externalTaskId),
    callbackUrl: given(callbackUrl),
    maxCost: given(maxCost),
  };
}

/** Forms, and some clients, send fields that they leave empty. */
function given(value: unknown): unknown {
  return isGiven(value) ? value : undefined;
}

function readModel(param: string, value: unknown): string | null {
  if (!isGiven(value)) return null;
  if (typeof value === 'string') return value.trim();
  throw new GatewayError('invalid_value', `${param} must be a string, not ${show(value)}.`, { param });
}
