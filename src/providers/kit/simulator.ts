/**
 * What a simulator is: the part of a provider's folder that plays its upstream. The sandbox hosts it and
 * gives it state, time and pixels; it brings the wire, the credentials, the limits and the error words.
 */
import type { Json } from '../../lib/json.ts';

/** One request to the simulated upstream, its mount prefix already taken off the path. */
export interface SimulatorRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  /** Names in lower case; a repeated header is joined by a comma. */
  headers: Record<string, string>;
  /** The body as it came, decoded as UTF-8. */
  body: string;
  /** Scheme and authority under which the caller reached the sandbox; links are built from it. */
  origin: string;
}

export interface SimulatorAnswer {
  status: number;
  headers?: Record<string, string>;
  /** JSON text. */
  body: string;
}

/** How a simulated task will go. It is settled at submit; its status at any moment follows from the time. */
export type SimulatedFate =
  { end: 'succeeded' } | { end: 'failed'; code: string | null; message: string } | { end: 'never' };

export type SimulatedStatus = 'submitted' | 'processing' | 'succeeded' | 'failed';

/** A task the simulated upstream has accepted, as the sandbox keeps it. Times are Unix ms. */
export interface SimulatedTask {
  upstream: string;
  taskId: string;
  account: string;
  /** The caller's own name for it, unique per account where the upstream enforces that; null: none given. */
  dedupHandle: string | null;
  /** Where it was created; lists and look-ups are per path where the upstream does it so. */
  path: string;
  /** The resource pack whose slots it takes while it runs, and how many. */
  pack: string;
  slots: number;
  createdAt: number;
  processingAt: number;
  /** null: it never ends. */
  endsAt: number | null;
  fate: SimulatedFate;
  callbackUrl: string | null;
  /** Scheme and authority of the submit; links in callbacks are built from it. */
  origin: string;
  /** What the simulator wants to remember: opaque to the sandbox. */
  details: Json;
  film: FilmPlan | null;
  /** Files beside the film: pictures and sounds, each under a name of its own. */
  files?: FilePlan[];
}

/** What to render for a task, frames still as references. */
export interface FilmPlan {
  /** Pixels of the shorter side. */
  shortSide: number;
  /** null: the nearest of 16:9, 9:16 and 1:1 to the first frame's own ratio. */
  aspectRatio: '16:9' | '9:16' | '1:1' | null;
  /** Length of the file, the usual overrun included. */
  seconds: number;
  sound: boolean;
  prompt: string;
  title: string;
  firstFrame: FrameSource | null;
  lastFrame: FrameSource | null;
  /** Whether the watermarked variant was asked for, too. */
  watermark: boolean;
}

/** A still or a sound to render for a task. `name` is the last part of its link, ending included. */
export type FilePlan = ImagePlan | SoundPlan;

export interface ImagePlan {
  kind: 'image';
  name: string;
  /** Pixels; null: as large as the source. */
  size: { width: number; height: number } | null;
  /** How much wider and higher than `size` it is; absent: as large. */
  stretch?: { width: number; height: number };
  prompt: string;
  title: string;
  source: FrameSource | null;
  watermark: boolean;
}

export interface SoundPlan {
  kind: 'sound';
  name: string;
  seconds: number;
  /** What it is about: the same words give the same tune. */
  text: string;
  format: 'wav' | 'm4a';
}

/** A thing that an account made and that outlives its task: a voice, an element, a session. */
export interface SimulatedRecord {
  upstream: string;
  account: string;
  kind: string;
  id: string;
  /** Opaque to the sandbox. */
  data: Json;
  createdAt: number;
  deletedAt: number | null;
}

export type FrameSource = { kind: 'picture'; pictureId: string } | { kind: 'url'; url: string };

export type FilmVariant = 'plain' | 'watermarked';

/** What the sandbox's control API can make a simulator do (`src/sandbox/README.md`). */
export interface SimulatorBehaviour {
  /** Slots of every resource pack; null: the simulator's own number. */
  slots: number | null;
  /** Whether a dedup handle that is known already is refused, or makes a second task. */
  duplicates: 'refuse' | 'accept';
  /** `backwards`: every second answer about a running task is one status too early; `twice`: so is every second one about a finished task. */
  status: 'honest' | 'backwards' | 'twice';
}

/** What the sandbox gives a simulator. Everything is synchronous, so that a check and what follows are one step. */
export interface SimulatorHost {
  /** Unix ms. */
  now(): number;
  /** Sandbox milliseconds as milliseconds of the clock: divided by the sandbox's speed. */
  scaled(ms: number): number;
  behaviour(): SimulatorBehaviour;
  /** A new id of 18 decimal digits. */
  newDecimalId(): string;
  /** Keeps picture bytes, answers the id under which a film plan refers to them. */
  keepPicture(bytes: Uint8Array): string;
  /** Accepts: durable when it returns. The sandbox renders, counts slots and sends callbacks from here on. */
  addTask(task: SimulatedTask): void;
  findTask(upstream: string, account: string, taskIdOrHandle: string): SimulatedTask | null;
  /** Newest first; `offset` tasks are skipped. */
  listTasks(query: {
    upstream: string;
    account: string;
    /** Absent: whichever path they were created at. */
    path?: string;
    createdFrom: number;
    offset: number;
    limit: number;
  }): SimulatedTask[];
  /** Slots of a pack that are taken now. */
  slotsTaken(upstream: string, account: string, pack: string): number;
  /** Every task of the account that ended well, for ledgers. */
  succeededTasks(upstream: string, account: string): SimulatedTask[];
  /** The task's status now, lies of the control API included. */
  statusOf(task: SimulatedTask): SimulatedStatus;
  /** An absolute link with a token to the task's film. */
  filmUrl(task: SimulatedTask, variant: FilmVariant, origin: string): string;
  /** An absolute link with a token to one of the task's `files`, by name. */
  fileUrl(task: SimulatedTask, name: string, origin: string): string;
  /** Keeps a record, in place of an older one of the same kind and id: durable when it returns. */
  keepRecord(record: SimulatedRecord): void;
  /** Deleted ones too; null when there never was one. */
  findRecord(upstream: string, account: string, kind: string, id: string): SimulatedRecord | null;
}

export interface Simulator {
  /** The provider's id; the simulator is mounted under `/<id>/`. */
  id: string;
  /** Whether a path without the mount prefix is one of this upstream's own. */
  recognises(path: string): boolean;
  /** Answers; never throws for anything a caller can send. */
  handle(request: SimulatorRequest, host: SimulatorHost): SimulatorAnswer;
  /** The upstream's own words for a refusal by code; null: maintenance. */
  refusal(code: string | null): SimulatorAnswer;
  /** The body of a callback about a task at this status. */
  callbackBody(task: SimulatedTask, status: SimulatedStatus, host: SimulatorHost): string;
}
