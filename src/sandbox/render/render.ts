/** Job in, bytes out: the choice between the three kinds. Runs inside the worker thread. */
import type { FontShelf } from './fonts.ts';
import { renderImage } from './image.ts';
import type { RenderJob } from './jobs.ts';
import { muxMp4, soundSecondsWithin } from './mux.ts';
import { composeSound, toWav } from './sound.ts';
import { renderVideo } from './video.ts';

/** Makes the file a job describes. */
export async function render(shelf: FontShelf, job: RenderJob): Promise<Uint8Array> {
  if (job.kind === 'video') return renderVideo(shelf, job);
  if (job.kind === 'image') return renderImage(shelf, job);
  if (job.format === 'wav') return toWav(composeSound(job.text, job.seconds));
  return muxMp4({ seconds: job.seconds, sound: composeSound(job.text, soundSecondsWithin(job.seconds)) });
}
