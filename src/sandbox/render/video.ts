/** Draws a clip frame by frame, encodes it and puts it together. Runs inside the worker thread. */
import h264 from 'h264-mp4-encoder';
import sharp from 'sharp';
import { sceneCaptions, stripCaptions } from './captions.ts';
import type { FontShelf } from './fonts.ts';
import { frameRate } from './jobs.ts';
import type { VideoJob } from './jobs.ts';
import { muxMp4, soundSecondsWithin } from './mux.ts';
import { fitPicture } from './picture.ts';
import { blendLayer, createPlanes, crossfade, even, rgbFromPlanes, zoom } from './planes.ts';
import type { Planes } from './planes.ts';
import { createScene } from './scene.ts';
import { composeSound } from './sound.ts';

/** Quantiser: at 26 flat skies stay smooth and a 720p second is still about 30 kB. */
const quantizer = 26;
/** A key frame every two seconds: players can seek, files stay small. */
const keyFrameEvery = frameRate * 2;
const coverSideMax = 640;
/** How far the camera moves towards a given picture over a clip. */
const zoomReach = 0.12;

/** Makes the whole file in memory. */
export async function renderVideo(shelf: FontShelf, job: VideoJob): Promise<Uint8Array> {
  const width = even(job.width);
  const height = even(job.height);
  const frames = Math.max(1, Math.round(job.seconds * frameRate));
  const painter = await createPainter(shelf, { ...job, width, height });
  const encoder = await h264.createH264MP4Encoder();
  // All encoders of a thread share one file system in memory.
  encoder.outputFilename = 'clip.mp4';
  try {
    encoder.width = width;
    encoder.height = height;
    encoder.frameRate = frameRate;
    encoder.speed = 10;
    encoder.quantizationParameter = quantizer;
    encoder.groupOfPictures = keyFrameEvery;
    encoder.initialize();
    const canvas = createPlanes(width, height);
    let cover: Uint8Array | undefined;
    for (let frame = 0; frame < frames; frame += 1) {
      painter(canvas, frame, frames);
      cover ??= await coverOf(canvas);
      encoder.addFrameYuv(canvas.data);
    }
    encoder.finalize();
    const video = encoder.FS.readFile(encoder.outputFilename);
    const sound = job.sound ? composeSound(job.prompt, soundSecondsWithin(job.seconds)) : undefined;
    return await muxMp4({
      seconds: job.seconds,
      title: job.title,
      video,
      ...(sound ? { sound } : {}),
      ...(cover ? { cover } : {}),
    });
  } finally {
    encoder.FS.unlink(encoder.outputFilename);
    encoder.delete();
  }
}

/** Paints frame `frame` of `frames` over the whole canvas. */
type Painter = (canvas: Planes, frame: number, frames: number) => void;

async function createPainter(shelf: FontShelf, job: VideoJob): Promise<Painter> {
  const { width, height, seconds } = job;
  const text = { prompt: job.prompt, title: job.title, watermark: job.watermark ?? false };
  const first = job.firstFrame && (await fitPicture(shelf, job.firstFrame, width, height));
  const last = job.lastFrame && (await fitPicture(shelf, job.lastFrame, width, height));
  const captions = await (first || last ? stripCaptions : sceneCaptions)(shelf, text, width, height);
  const scene = first ? null : createScene(job.prompt, width, height);
  const from = createPlanes(width, height);
  const to = createPlanes(width, height);

  return (canvas, frame, frames) => {
    const progress = frames > 1 ? frame / (frames - 1) : 0;
    const share = last ? smooth((progress - 0.35) / 0.45) : 0;
    const begin = share > 0 ? from : canvas;
    if (share < 1) {
      if (first) zoom(begin, first, 1 + zoomReach * smooth(progress));
      else scene?.paint(begin, frame / frameRate, seconds);
    }
    if (last && share > 0) {
      const end = share < 1 ? to : canvas;
      zoom(end, last, 1 + zoomReach * smooth(1 - progress));
      if (share < 1) crossfade(canvas, begin, end, share);
    }
    for (const layer of captions.fixed) blendLayer(canvas, layer);
    for (const layer of captions.moving(frame, frames)) blendLayer(canvas, layer);
  };
}

/** Eases 0..1 in and out; what lies outside is held at the ends. */
function smooth(share: number): number {
  const held = Math.max(0, Math.min(1, share));
  return held * held * (3 - 2 * held);
}

async function coverOf(canvas: Planes): Promise<Uint8Array> {
  const { width, height } = canvas;
  return sharp(rgbFromPlanes(canvas), { raw: { width, height, channels: 3 } })
    .resize(coverSideMax, coverSideMax, { fit: 'inside', withoutEnlargement: true })
    .jpeg({ quality: 80 })
    .toBuffer();
}
