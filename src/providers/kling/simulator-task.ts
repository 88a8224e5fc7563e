/** A simulated task in the words of the legacy standard. */
import type { Json } from '../../lib/json.ts';
import type { SimulatedStatus, SimulatedTask, SimulatorHost } from '../kit/simulator.ts';

/** What the simulator keeps of a task beyond what the sandbox knows. */
export interface TaskDetails {
  watermark: boolean;
  /** Decimal strings. */
  units: string;
  seconds: string;
}

const words: Record<SimulatedStatus, string> = {
  submitted: 'submitted',
  processing: 'processing',
  succeeded: 'succeed',
  failed: 'failed',
};

/** The answer to a create. */
export function renderCreated(task: SimulatedTask): Json {
  return {
    task_id: task.taskId,
    task_status: 'submitted',
    task_info: info(task),
    created_at: task.createdAt,
    updated_at: task.createdAt,
  };
}

/** The answer to a query, an entry of a list, and (without watermark links) a callback. */
export function renderTask(
  task: SimulatedTask,
  status: SimulatedStatus,
  host: SimulatorHost,
  options: { origin: string; isCallback: boolean },
): Json {
  const details = detailsOf(task);
  const body: { [key: string]: Json } = {
    task_id: task.taskId,
    task_status: words[status],
    task_status_msg: status === 'failed' && task.fate.end === 'failed' ? task.fate.message : '',
    task_info: info(task),
    created_at: task.createdAt,
    updated_at: updatedAt(task, status),
  };
  if (details.watermark && !options.isCallback) body['watermark_info'] = { enabled: true };
  if (status === 'succeeded') {
    body['final_unit_deduction'] = details.units;
    const video: { [key: string]: Json } = {
      // The film has an id of its own, which later features refer to; derived, so that it never changes.
      id: String(BigInt(task.taskId) + 1n),
      url: host.filmUrl(task, 'plain', options.origin),
      duration: details.seconds,
    };
    if (details.watermark && !options.isCallback) {
      video['watermark_url'] = host.filmUrl(task, 'watermarked', options.origin);
    }
    body['task_result'] = { videos: [video] };
  }
  if (status === 'failed') body['final_unit_deduction'] = '0';
  return body;
}

export function detailsOf(task: SimulatedTask): TaskDetails {
  return task.details as unknown as TaskDetails;
}

function info(task: SimulatedTask): { [key: string]: Json } {
  return task.dedupHandle === null ? {} : { external_task_id: task.dedupHandle };
}

function updatedAt(task: SimulatedTask, status: SimulatedStatus): number {
  if (status === 'submitted') return task.createdAt;
  return status === 'processing' ? task.processingAt : (task.endsAt ?? task.processingAt);
}
