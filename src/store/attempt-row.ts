/** Between an attempt and its row. */
import type { AttemptRow } from '../core/ports.ts';
import type { AttemptsTable } from './schema.ts';
import { readJson } from './task-row.ts';

export function fromAttemptRow(row: AttemptsTable): AttemptRow {
  return {
    id: row.id,
    taskId: row.task_id,
    channelId: row.channel_id,
    number: row.number,
    state: row.state,
    ref: row.ref === null ? null : readJson(row.ref),
    owner: row.owner,
    submitDeadlineAt: row.submit_deadline_at,
    createdAt: row.created_at,
    acceptedAt: row.accepted_at,
    endedAt: row.ended_at,
    outputs: row.outputs === null ? null : readJson(row.outputs),
    found: row.found === null ? null : readJson(row.found),
    cost: row.cost === null ? null : readJson(row.cost),
    upstreamCode: row.upstream_code,
    message: row.message,
  };
}
