/** Draws a still picture. Runs inside the worker thread. */
import sharp from 'sharp';
import { sceneCaptions, stripCaptions } from './captions.ts';
import type { FontShelf } from './fonts.ts';
import type { ImageJob } from './jobs.ts';
import { fitPicture } from './picture.ts';
import { blendLayer, createPlanes, rgbFromPlanes } from './planes.ts';
import { createScene } from './scene.ts';

/** Makes the whole file in memory. Odd sizes are drawn one pixel larger and cut. */
export async function renderImage(shelf: FontShelf, job: ImageJob): Promise<Uint8Array> {
  const width = job.width + (job.width & 1);
  const height = job.height + (job.height & 1);
  const text = { prompt: job.prompt, title: job.title, watermark: job.watermark ?? false };
  const canvas = job.sourceImage
    ? await fitPicture(shelf, job.sourceImage, width, height)
    : createPlanes(width, height);
  if (!job.sourceImage) createScene(job.prompt, width, height).paint(canvas, 2, 5);
  const captions = await (job.sourceImage ? stripCaptions : sceneCaptions)(shelf, text, width, height);
  for (const layer of captions.fixed) blendLayer(canvas, layer);
  const picture = sharp(rgbFromPlanes(canvas), { raw: { width, height, channels: 3 } }).extract({
    left: 0,
    top: 0,
    width: job.width,
    height: job.height,
  });
  return job.format === 'png' ? picture.png().toBuffer() : picture.jpeg({ quality: 88 }).toBuffer();
}
