/** What a create that passed every check comes to: the same for all features, both standards. */
import type { FilePlan, FilmPlan, FrameSource, SimulatorHost } from '../kit/simulator.ts';
import type { WireObject } from './wire.ts';
import type { Json } from '../../lib/json.ts';
import type { Mode } from './simulator-matrix.ts';
import { optionalUrl, text } from './simulator-fields.ts';

/** Resource packs, each with slots of its own. */
export type Pack = 'video' | 'image' | 'try-on';

/** Who asks, and what a check may look at. */
export interface Judge {
  host: SimulatorHost;
  account: string;
  /** Keeps the bytes of an inline picture, answers its id. */
  keep(bytes: Uint8Array): string;
}

/** What a task will show when it is done. */
export type Result =
  | { kind: 'video' }
  | { kind: 'images'; count: number; series: boolean }
  | { kind: 'audio'; seconds: string; withVideo: boolean }
  | { kind: 'speech'; seconds: string }
  | { kind: 'voice'; voiceId: string; name: string }
  | { kind: 'element'; elementId: string; element: WireObject }
  /** A step without a task of its own; only its files are wanted. */
  | { kind: 'step' };

/** What the simulator keeps of a task beyond what the sandbox knows. */
export interface TaskDetails {
  watermark: boolean;
  /** Decimal strings. */
  units: string;
  seconds: string;
  /** Absent in tasks from before there was more than films: as `video`. */
  result?: Result;
  model?: string;
  mode?: Mode;
  sound?: boolean;
  /** Made by a route of the new standard. */
  isNew?: boolean;
  /** The film it was made from. */
  parent?: { id: string; seconds: string; taskId: string };
  sessionId?: string;
}

export interface TaskPlan {
  pack: Pack;
  slots: number;
  /** Sandbox milliseconds of processing; 0: done at once. */
  workMs: number;
  /** All text the task is about, for titles and switches. */
  prompt: string;
  /** The first thing the platform would have to fetch; null when all came inline. */
  reference: string | null;
  film: FilmPlan | null;
  files: FilePlan[];
  details: TaskDetails;
  externalTaskId: string | null;
  callbackUrl: string | null;
}

/** Films of a minute ago took about this long on the real platform. */
export function filmWorkMs(seconds: number): number {
  return 10_000 + seconds * 2000;
}

/** Films run a little over what was asked, as upstream's do: 5.04 s for 5. */
export const overrunSeconds = 0.04;

/** The envelope every asynchronous create has. */
export function envelopeOf(body: WireObject): Pick<TaskPlan, 'externalTaskId' | 'callbackUrl'> {
  return {
    externalTaskId: text(body, 'external_task_id', 256) || null,
    callbackUrl: optionalUrl(body, 'callback_url'),
  };
}

/** A film plan with what most of them share. */
export function filmOf(film: Pick<FilmPlan, 'seconds' | 'prompt' | 'title'> & Partial<FilmPlan>): FilmPlan {
  return {
    shortSide: 720,
    aspectRatio: null,
    sound: false,
    firstFrame: null,
    lastFrame: null,
    watermark: false,
    ...film,
  };
}

export function urlOf(...sources: (FrameSource | null)[]): string | null {
  for (const source of sources) if (source?.kind === 'url') return source.url;
  return null;
}

export function asJson(details: TaskDetails): Json {
  return { ...details } as unknown as Json;
}
