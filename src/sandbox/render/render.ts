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
  const sound = composeSound(job.text, soundSecondsWithin(job.seconds));
  return asAudio(await muxMp4({ seconds: job.seconds, sound }));
}

/** Names the file for what it is: by the muxer's general brand (`isom`) it would count as a film. */
function asAudio(mp4: Uint8Array): Uint8Array {
  // The first box is `ftyp`: size, type, then the major brand.
  mp4.set(Buffer.from('M4A ', 'latin1'), 8);
  return mp4;
}
