/** A task's answer in either standard, and what it tells us about an attempt. */
import type { Channel, Json, Observation, UpstreamCost } from '../../core/ports.ts';
import { publicSentence, saysContentPolicy } from './errors.ts';
import { readLegacyResult, readNewOutputs } from './result.ts';
import type { Made } from './result.ts';
import { costUnitAt } from './routes.ts';
import { isObject, objectsIn, textOf } from './wire.ts';

/** What a task answer tells us; everything else in it is ignored. */
export interface WireTask {
  taskId: string;
  status: string;
  statusMessage: string;
  externalTaskId: string | null;
  made: Made;
  cost: UpstreamCost | null;
}

/** Legacy: `path` is where the task was made, for what its units are counted in. Null when it is no task. */
export function readTask(value: Json | undefined, path = ''): WireTask | null {
  if (!isObject(value)) return null;
  const taskId = textOf(value['task_id']);
  if (!taskId) return null;
  const info = isObject(value['task_info']) ? value['task_info'] : {};
  const result = isObject(value['task_result']) ? value['task_result'] : {};
  return {
    taskId,
    status: textOf(value['task_status']) ?? '',
    statusMessage: textOf(value['task_status_msg']) ?? '',
    externalTaskId: textOf(info['external_task_id']),
    made: readLegacyResult(result),
    cost: costOf(textOf(value['final_unit_deduction']), costUnitAt(path)),
  };
}

/** The new standard's task. Null when it is none. */
export function readNewTask(value: Json | undefined): WireTask | null {
  if (!isObject(value)) return null;
  const taskId = textOf(value['id']);
  if (!taskId) return null;
  return {
    taskId,
    status: textOf(value['status']) ?? '',
    statusMessage: textOf(value['message']) ?? '',
    externalTaskId: textOf(value['external_id']),
    made: readNewOutputs(value['outputs']),
    cost: readBilling(value['billing']),
  };
}

/** What was really taken: units of a pack, or money (the discounted price). */
function readBilling(value: Json | undefined): UpstreamCost | null {
  const [bill] = objectsIn(value);
  if (!bill) return null;
  const isCash = bill['charge_type'] === 'cash';
  const unit = isCash
    ? textOf(bill['currency'])
    : ({ image: 'image_unit', 'try-on': 'try_on_unit', try_on: 'try_on_unit' }[
        String(bill['package_type'])
      ] ?? 'unit');
  return unit === null ? null : costOf(textOf(bill['amount']), unit);
}

function costOf(amount: string | null, unit: string): UpstreamCost | null {
  return amount !== null && /^\d{1,9}(\.\d{1,9})?$/.test(amount) ? { amount, unit } : null;
}

export function observe(task: WireTask | null, channel: Channel): Observation {
  if (!task) return { status: 'unknown' };
  switch (task.status) {
    case 'submitted':
      return { status: 'submitted' };
    // Legacy says succeed, the new standard succeeded; some relays use the new word on the old paths.
    case 'succeed':
    case 'succeeded':
      return succeeded(task);
    case 'failed':
      return {
        status: 'failed',
        code: saysContentPolicy(task.statusMessage) ? 'content_policy' : 'task_failed',
        message: publicSentence(task.statusMessage || 'The upstream could not make this.', channel),
        upstreamCode: null,
      };
    default:
      return { status: 'processing' };
  }
}

function succeeded({ made, cost }: WireTask): Observation {
  // Done, but what it made is not in the answer yet: the next poll will show it.
  if (made.outputs.length === 0 && made.data === undefined) return { status: 'processing' };
  return { status: 'succeeded', ...made, cost };
}
