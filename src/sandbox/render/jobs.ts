/** What can be asked of the renderer, and the key under which an answer is kept. */
import { createHash } from 'node:crypto';

/** Frames a second of every clip. */
export const frameRate = 12;

/** A clip: H.264 in MP4, exactly this size and length. */
export interface VideoJob {
  /** Pixels; odd sizes are rounded down to even ones, as H.264 needs. */
  width: number;
  height: number;
  seconds: number;
  /** Whether there is an AAC track at all. */
  sound: boolean;
  prompt: string;
  /** The small line, for example `kling-v3 · text2video · 1280x720 · 5 s`. */
  title: string;
  /** An image file (JPEG, PNG, WebP, GIF, AVIF, TIFF). Bytes that are none become a drawn placeholder. */
  firstFrame?: Uint8Array;
  lastFrame?: Uint8Array;
  watermark?: boolean;
}

/** A still picture of exactly this size. */
export interface ImageJob {
  width: number;
  height: number;
  prompt: string;
  title: string;
  format: 'png' | 'jpeg';
  sourceImage?: Uint8Array;
  watermark?: boolean;
}

/** A piece of sound of exactly this length: a short melody that belongs to the text. */
export interface SoundJob {
  seconds: number;
  text: string;
  format: 'wav' | 'm4a';
}

export type RenderJob =
  ({ kind: 'video' } & VideoJob) | ({ kind: 'image' } & ImageJob) | ({ kind: 'sound' } & SoundJob);

/** A file in the cache. It stays until the cache needs room: open or copy it soon. */
export interface RenderedFile {
  path: string;
  bytes: number;
}

/** Raised whenever the same job would give other bytes, so that old files are not handed out. */
const renderVersion = 2;

/** 8K in either direction; beyond it the encoder's memory ends. */
const sideMax = 8_192;
/** The longest thing a simulator makes is a 300 s avatar clip; this leaves room and still ends. */
const secondsMax = 1_200;

/** Throws a `RangeError` for a size or length that cannot be rendered. */
export function assertRenderable(job: RenderJob): void {
  if (job.kind !== 'sound') {
    for (const side of [job.width, job.height]) {
      if (!(Number.isInteger(side) && side >= 2 && side <= sideMax)) {
        throw new RangeError(`a picture of ${job.width}x${job.height} cannot be rendered`);
      }
    }
  }
  if (job.kind !== 'image' && !(job.seconds > 0 && job.seconds <= secondsMax)) {
    throw new RangeError(`${job.seconds} seconds cannot be rendered`);
  }
}

/** The job's fingerprint, usable as a file name. */
export function keyOf(job: RenderJob): string {
  const plain = Object.entries(job)
    .filter(([, value]) => value !== undefined && value !== false)
    .map(([name, value]) => [name, value instanceof Uint8Array ? digest(value) : value])
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  return digest(JSON.stringify([renderVersion, plain]));
}

/** The file name ending of what a job makes. */
export function extensionOf(job: RenderJob): string {
  if (job.kind === 'video') return 'mp4';
  return job.format === 'jpeg' ? 'jpg' : job.format;
}

function digest(input: string | Uint8Array): string {
  return createHash('sha256').update(input).digest('hex');
}
