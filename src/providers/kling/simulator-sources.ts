/** Films and sounds that earlier tasks made, as later features refer to them. */
import type { SimulatedTask } from '../kit/simulator.ts';
import { Refusal } from './simulator-errors.ts';
import { exactlyOne, illegal, url } from './simulator-fields.ts';
import type { Judge, TaskDetails } from './simulator-plan.ts';
import type { WireObject } from './wire.ts';

const upstream = 'kling';
/** Results are purged then (official documentation). */
const lifetimeMs = 30 * 86_400_000;
/** A film by URL is not fetched while the create is answered: it counts as this long. */
const unknownSeconds = 5;

export interface SourceFilm {
  seconds: number;
  /** The task that made it; null: it came by URL. */
  task: SimulatedTask | null;
  details: TaskDetails | null;
  url: string | null;
}

/** The film has an id of its own, next to its task's; derived, so that it never changes. */
export function madeId(taskId: string): string {
  return String(BigInt(taskId) + 1n);
}

/** `video_id` or `video_url`, exactly one. */
export function sourceFilm(body: WireObject, judge: Judge, place = ''): SourceFilm {
  const field = exactlyOne(body, ['video_id', 'video_url'] as const, place);
  if (field === 'video_id') return filmById(body[field], judge, place + field);
  const address = url(body[field], place + field);
  return { seconds: unknownSeconds, task: null, details: null, url: address };
}

/** Throws Refusal 1203 for what is not there, or older than 30 days. */
export function filmById(id: unknown, judge: Judge, field: string): SourceFilm {
  const task = taskThatMade(id, judge, field);
  if (!task.film) throw new Refusal(1203, `${field}: video does not exist`);
  return { seconds: Math.floor(task.film.seconds), task, details: detailsOf(task), url: null };
}

/** Throws Refusal 1203 unless the id is a sound's. */
export function requireAudio(id: unknown, judge: Judge, field: string): number {
  const result = detailsOf(taskThatMade(id, judge, field)).result;
  if (result?.kind !== 'speech' && result?.kind !== 'audio') {
    throw new Refusal(1203, `${field}: audio does not exist`);
  }
  return Number(result.seconds);
}

function taskThatMade(id: unknown, judge: Judge, field: string): SimulatedTask {
  const text = typeof id === 'number' || typeof id === 'bigint' ? String(id) : id;
  if (typeof text !== 'string') throw illegal(field, 'must be a string');
  const { host, account } = judge;
  const found = /^\d{2,30}$/.test(text) ? host.findTask(upstream, account, String(BigInt(text) - 1n)) : null;
  const isThere =
    found !== null &&
    madeId(found.taskId) === text &&
    found.createdAt > host.now() - lifetimeMs &&
    found.endsAt !== null &&
    found.endsAt <= host.now() &&
    found.fate.end === 'succeeded';
  if (!isThere) throw new Refusal(1203, `${field}: '${text.slice(0, 40)}' does not exist or is too old`);
  return found;
}

export function detailsOf(task: SimulatedTask): TaskDetails {
  return task.details as unknown as TaskDetails;
}
