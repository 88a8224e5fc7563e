/** What the flight recorder keeps of a poll that asked about many tasks at once: what was read of this one. */
import type { Exchange, Json, Observation } from '../core/ports.ts';
import { writeJson } from '../lib/json.ts';

/**
 * The answer itself speaks of tasks of several accounts and is kept with none of them; source URLs are as good as a key
 * to the file and are left out. Nothing for an observation that changes nothing.
 */
export function listExchange(
  observation: Observation | null,
  poll: { at: number; durationMs: number; tasks: number },
): Exchange[] {
  if (observation?.status !== 'succeeded' && observation?.status !== 'failed') return [];
  return [
    {
      at: poll.at,
      method: 'GET',
      path: `(one poll of ${poll.tasks} tasks)`,
      request: null,
      status: null,
      response: writeJson(readOf(observation)),
      durationMs: poll.durationMs,
      error: null,
    },
  ];
}

function readOf(observation: Extract<Observation, { status: 'succeeded' | 'failed' }>): Json {
  if (observation.status === 'failed') {
    const { status, code, message, upstreamCode } = observation;
    return { status, code, message, upstream_code: upstreamCode };
  }
  const { status, outputs, cost } = observation;
  return {
    status,
    outputs: outputs.map(({ role, upstreamId, durationSeconds }) => ({
      role,
      upstream_id: upstreamId,
      duration_seconds: durationSeconds,
    })),
    cost: cost && { amount: cost.amount, unit: cost.unit },
  };
}
