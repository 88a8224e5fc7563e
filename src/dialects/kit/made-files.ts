/** What a finished task made, by kind, for dialects that list films, pictures and sounds apart. */
import type { TaskView } from '../../core/ports.ts';
import { isFeature } from '../../core/request/feature.ts';
import { outputsOfRole, type LinkedOutput } from './outputs.ts';

export interface MadeFile {
  index: number;
  url: string;
  watermarkUrl: string | null;
  /** Of films and sounds, where it is known. */
  seconds: number | null;
}

export interface MadeFiles {
  videos: MadeFile[];
  images: MadeFile[];
  /** Each sound compressed and, where there is one, uncompressed. */
  audios: (MadeFile & { wav: MadeFile | null })[];
}

/** Files that have a place of their own in what was found beside them are not listed; nor those that expired. */
export function madeFiles(view: TaskView): MadeFiles {
  const { task, links } = view;
  if (!isFeature(task.request)) {
    if (links === null) return { videos: [], images: [], audios: [] };
    const seconds = task.result?.durationSeconds ?? task.request.seconds;
    const film = { index: 0, url: links.video, watermarkUrl: links.watermarked, seconds };
    return { videos: [film], images: [], audios: [] };
  }
  const own = (role: LinkedOutput['role']) =>
    outputsOfRole(view, role).filter(({ path }) => path === undefined);
  const watermarks = new Map(own('watermarked').map(({ index, url }) => [index ?? 0, url]));
  const fileOf = ({ index = 0, url, durationSeconds = null }: LinkedOutput): MadeFile => ({
    index,
    url,
    watermarkUrl: watermarks.get(index) ?? null,
    seconds: durationSeconds,
  });
  const wavs = new Map(own('audio_wav').map((output) => [output.index ?? 0, fileOf(output)]));
  return {
    videos: own('video').map((output) => {
      const file = fileOf(output);
      return { ...file, seconds: file.seconds ?? task.result?.durationSeconds ?? null };
    }),
    images: own('image').map(fileOf),
    audios: own('audio').map((output) => ({ ...fileOf(output), wav: wavs.get(output.index ?? 0) ?? null })),
  };
}

/** `5.041`, `5`: at most three decimals, as Kling's own answers show. Empty where it is not known. */
export function secondsText(seconds: number | null): string {
  return seconds === null ? '' : String(Math.round(seconds * 1000) / 1000);
}
