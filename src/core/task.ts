/**
 * The task as the caller sees it, and its state machine. Pure: decides, never does.
 */
import type { Json } from '../lib/json.ts';
import type { Warning } from './errors.ts';
import type { TaskRequest } from './request/feature.ts';
import type { AspectRatio, VideoRequest } from './request/types.ts';
import type { Quote } from './ports.ts';

export type TaskState = 'queued' | 'in_progress' | 'completed' | 'failed' | 'cancelled';

/**
 * Why a task failed. `expired`: our deadline passed. `lost`: whether it was accepted could not be found out.
 * `ended_by_operator`: an operator marked it failed; callers see `task_failed`.
 */
export type FailureCode =
  'task_failed' | 'content_policy' | 'cancelled' | 'expired' | 'lost' | 'ended_by_operator';

/** What an operator should look at: an attempt of the task was lost, and may exist upstream. */
export type Attention = 'lost';

/** `audio` is compressed (MP3), `audio_wav` the same sound uncompressed. */
export type OutputRole = 'video' | 'watermarked' | 'cover' | 'audio' | 'audio_wav' | 'image';

/** The file that was made, as it lies in our own storage. */
export interface StoredOutput {
  role: OutputRole;
  /** Position among outputs of the same role; absent: the first. */
  index?: number;
  /** Dotted path in the result's `data` where the link to this file belongs. */
  path?: string;
  /** Of sounds and films, where it was told. */
  durationSeconds?: number | null;
  key: string;
  contentType: string;
  bytes: number;
  sha256: string;
  /** Upstream's id of the file, for features that refer to it. */
  upstreamId: string | null;
}

export interface TaskResult {
  outputs: StoredOutput[];
  /** Of the real file; null where it could not be read. */
  width: number | null;
  height: number | null;
  durationSeconds: number | null;
  hasSound: boolean | null;
  /** What was found or made beside files (faces, voices, elements), in the family's own words, with public ids. */
  data?: Json;
}

export interface Task {
  id: string;
  accountId: string;
  keyId: string;
  state: TaskState;
  /** The surface it was created at: `openai.videos`, `kling.text2video`, … */
  surface: string;
  requestedModel: string;
  model: string;
  tier: string;
  request: TaskRequest;
  quote: Quote;
  warnings: Warning[];
  externalTaskId: string | null;
  callbackUrl: string | null;
  /** The channel it waits for or runs on. */
  channelId: string;
  /** In which of the channel's pools it counts: what the upstream caps together. */
  pool: string;
  /** Among its account's waiting tasks: higher first. */
  priority: number;
  /** The current attempt, open or made; null while it waits for its lane. */
  attemptId: string | null;
  createdAt: number;
  /** First seen running at the upstream. */
  startedAt: number | null;
  /** When it became final. */
  endedAt: number | null;
  updatedAt: number;
  deadlineAt: number;
  /** When our copies of the files will be deleted; null: not decided yet, or never. */
  mediaExpiresAt: number | null;
  error: { code: FailureCode; message: string } | null;
  result: TaskResult | null;
  /** What was really charged; null until settled. */
  chargeMicros: bigint | null;
  metadata: Record<string, Json>;
  /** What was given back of the charge; absent: nothing. */
  refundedMicros?: bigint;
  /** How often an operator had it made again, and when last; absent: never. */
  retries?: number;
  retriedAt?: number;
  /** What it is called upstream, where that is not its id (`handleOf`). */
  upstreamHandle?: string;
  /** Absent: nothing calls for an operator. */
  attention?: Attention;
}

/** The dedup handle under which upstreams know the task: its id, until an operator had it made anew. */
export function handleOf(task: Pick<Task, 'id' | 'upstreamHandle'>): string {
  return task.upstreamHandle ?? task.id;
}

/** The next handle of a task that is to be made anew: an upstream takes each only once. */
export function freshHandle(task: Pick<Task, 'id' | 'upstreamHandle'>): string {
  const used = task.upstreamHandle?.slice(`${task.id}-r`.length);
  return `${task.id}-r${Number(used ?? 0) + 1}`;
}

/** The id of the task that a handle belongs to. */
export function taskIdOf(handle: string): string {
  return handle.replace(/-r\d+$/, '');
}

/**
 * Whether an attempt that ended may exist upstream and still be made there: nobody knows whether it was accepted, or it
 * ended here without the upstream's verdict.
 */
export function mayExistUpstream(task: Pick<Task, 'error'>, attempt: { state: string } | null): boolean {
  if (attempt === null || attempt.state === 'refused') return false;
  if (attempt.state === 'lost') return true;
  const code = task.error?.code;
  return code === 'expired' || code === 'lost' || code === 'ended_by_operator';
}

const FINAL: ReadonlySet<TaskState> = new Set(['completed', 'failed', 'cancelled']);

/** Whether nothing can happen to the task any more. */
export function isFinal(state: TaskState): boolean {
  return FINAL.has(state);
}

/** `16:9` at a grade -> the real frame size of the official platform (specs/kling.md §3.1), `4K` = 3840x2160. */
export function frameSize(
  resolution: VideoRequest['resolution'],
  ratio: AspectRatio,
): { width: number; height: number } {
  const short = { '720P': 720, '1080P': 1080, '4K': 2160 }[resolution];
  const long = (short / 9) * 16;
  if (ratio === '16:9') return { width: long, height: short };
  if (ratio === '9:16') return { width: short, height: long };
  return { width: short, height: short };
}

/** No film is made in less; what fails sooner is told a moment later, and a push makes the poll due at once. */
const POLL_FIRST_MS = 3_000;

/**
 * How long to wait before the next poll of an attempt that was accepted `ageMs` ago. It follows from the age alone,
 * so an unchanged poll needs no write: often while young (a failed submit shows at once), then ever more seldom.
 * `jitter` in [0, 1) spreads tasks that were created together.
 */
export function pollDelayMs(ageMs: number, jitter: number, speed: number): number {
  const base = Math.min(15_000, Math.max(POLL_FIRST_MS, ageMs / 10));
  return (base * (0.9 + 0.2 * jitter)) / speed;
}
