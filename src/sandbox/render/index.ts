/**
 * The sandbox's media renderer: a job description in, a real file on disk out. All drawing and encoding
 * happens in one worker thread, so a render never stalls the server that asked for it.
 */
import { join } from 'node:path';
import { createRenderCache } from './cache.ts';
import { isolateFonts } from './fonts.ts';
import { assertRenderable, extensionOf, keyOf } from './jobs.ts';
import type { ImageJob, RenderedFile, RenderJob, SoundJob, VideoJob } from './jobs.ts';
import { createWorkerHost } from './worker-host.ts';

export type { ImageJob, RenderedFile, SoundJob, VideoJob } from './jobs.ts';
export { probeMedia } from './probe.ts';
export type { MediaFacts } from './probe.ts';

/** Each call rejects when the job cannot be rendered (a size or length out of bounds) or after `close`. */
export interface Renderer {
  video(job: VideoJob): Promise<RenderedFile>;
  image(job: ImageJob): Promise<RenderedFile>;
  sound(job: SoundJob): Promise<RenderedFile>;
  /** Ends the thread; files stay. */
  close(): Promise<void>;
}

export interface RendererOptions {
  /** Where finished files and unpacked fonts are kept; made when missing. */
  cacheDir: string;
  /** `tiny`: one small file of each kind, made once and given for every job: for load and chaos runs. */
  mode: 'full' | 'tiny';
  /** Finished files beyond this size in all make the least recently used ones go. */
  cacheBytesMax?: number;
}

const cacheBytesDefault = 2 * 1024 ** 3;

/** Makes a renderer; its thread starts with the first job. */
export function createRenderer(options: RendererOptions): Renderer {
  const { cacheDir, mode, cacheBytesMax = cacheBytesDefault } = options;
  const cache = createRenderCache(cacheDir, cacheBytesMax);
  const fontDirectory = join(cacheDir, 'fonts');
  isolateFonts(fontDirectory);
  const host = createWorkerHost(new URL('./worker.ts', import.meta.url), { fontDirectory });
  const make = async (job: RenderJob): Promise<RenderedFile> => {
    assertRenderable(job);
    return cache.get(`${keyOf(job)}.${extensionOf(job)}`, (path) => host.run({ job, path }));
  };

  const tinyFiles = new Map<string, Promise<RenderedFile>>();
  const makeTiny = (job: RenderJob): Promise<RenderedFile> => {
    const tiny = shrink(job);
    const slot = `${tiny.kind}.${extensionOf(tiny)}`;
    const known = tinyFiles.get(slot);
    if (known) return known;
    const made = make(tiny);
    tinyFiles.set(slot, made);
    made.catch(() => tinyFiles.delete(slot));
    return made;
  };
  const render = mode === 'tiny' ? makeTiny : make;

  return {
    video: (job) => render({ kind: 'video', ...job }),
    image: (job) => render({ kind: 'image', ...job }),
    sound: (job) => render({ kind: 'sound', ...job }),
    close: () => host.close(),
  };
}

/** The one small job that stands for all of its kind. */
function shrink(job: RenderJob): RenderJob {
  const words = { prompt: 'Reelay', title: 'tiny' };
  if (job.kind === 'video')
    return { kind: 'video', width: 192, height: 108, seconds: 1, sound: true, ...words };
  if (job.kind === 'image') return { kind: 'image', width: 192, height: 108, format: job.format, ...words };
  return { kind: 'sound', seconds: 0.5, text: 'Reelay', format: job.format };
}
