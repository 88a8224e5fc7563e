/**
 * How changes cross to the writer thread. A structured clone writes the name of every property and looks it up again
 * on the other side: what is asked for thousands of times a second goes as a list of its values instead, at less than
 * half the cost (4.2 to 1.7 µs for an acceptance, both sides together).
 */
import type { ArgsOf, MutationName } from '../mutations.ts';
import type { NewTaskRow } from '../task-row.ts';

/** Any change by its name, or an acceptance by the values of its row. */
export type Parcel =
  | [id: number, name: MutationName, args: unknown]
  | [id: number, name: 'acceptTask', args: TaskValues, attempt: unknown, remember: unknown];

type TaskValues = NewTaskRow[keyof NewTaskRow][];

export function pack(id: number, name: MutationName, args: unknown): Parcel {
  if (name !== 'acceptTask') return [id, name, args];
  const { task, attempt, remember } = args as ArgsOf<'acceptTask'>;
  return [id, name, valuesOf(task), attempt, remember];
}

export function unpack(parcel: Parcel): [id: number, name: MutationName, args: unknown] {
  if (parcel.length === 3) return parcel;
  const [id, name, values, attempt, remember] = parcel;
  return [id, name, { task: rowOf(values), attempt, remember }];
}

/** Written out, because a loop over names is slower than what it saves. */
function valuesOf(row: NewTaskRow): TaskValues {
  return [
    row.id,
    row.account_id,
    row.key_id,
    row.state,
    row.surface,
    row.channel_id,
    row.attempt_id,
    row.pool,
    row.queue_rank,
    row.model,
    row.requested_model,
    row.tier,
    row.hold_micros,
    row.external_task_id,
    row.callback_url,
    row.created_at,
    row.updated_at,
    row.deadline_at,
    row.media_expires_at,
    row.request,
    row.quote,
    row.warnings,
    row.metadata,
  ];
}

function rowOf(values: TaskValues): NewTaskRow {
  return {
    id: values[0],
    account_id: values[1],
    key_id: values[2],
    state: values[3],
    surface: values[4],
    channel_id: values[5],
    attempt_id: values[6],
    pool: values[7],
    queue_rank: values[8],
    model: values[9],
    requested_model: values[10],
    tier: values[11],
    hold_micros: values[12],
    external_task_id: values[13],
    callback_url: values[14],
    created_at: values[15],
    updated_at: values[16],
    deadline_at: values[17],
    media_expires_at: values[18],
    request: values[19],
    quote: values[20],
    warnings: values[21],
    metadata: values[22],
  } satisfies Record<keyof NewTaskRow, unknown> as NewTaskRow;
}
