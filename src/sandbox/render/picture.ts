/** Pictures given by the caller, brought to the size of the frame; or drawn, when the bytes are no picture. */
import sharp from 'sharp';
import type { Sharp } from 'sharp';
import { createHash } from 'node:crypto';
import { placeholderLayers } from './captions.ts';
import type { FontShelf } from './fonts.ts';
import { blendLayer, createPlanes, planesFromRgb } from './planes.ts';
import type { Planes } from './planes.ts';
import { createScene } from './scene.ts';

/** Formats we decode. SVG is left out on purpose: it is a document that can refer to others. */
const rasterFormats = new Set(['jpeg', 'png', 'webp', 'gif', 'heif', 'tiff']);

/** A picture of more pixels than this (a "decompression bomb") is treated as undecodable. */
const inputPixelsMax = 64_000_000;

/** Up to this ratio of the two aspect ratios a little cropping is kinder than bars. */
const cropRatioMax = 1.12;

/**
 * Fits an image file into the frame, whole: cropped slightly when it nearly fits, otherwise centred over a
 * blurred copy of itself. Bytes that cannot be decoded give a drawn placeholder; this never fails for its input.
 */
export async function fitPicture(
  shelf: FontShelf,
  bytes: Uint8Array,
  width: number,
  height: number,
): Promise<Planes> {
  const decoded = await decode(bytes, width, height).catch(() => null);
  if (decoded) return planesFromRgb(decoded, width, height);
  const planes = createPlanes(width, height);
  createScene(createHash('sha256').update(bytes).digest('hex'), width, height).paint(planes, 0, 1);
  for (const layer of await placeholderLayers(shelf, width, height)) blendLayer(planes, layer);
  return planes;
}

async function decode(bytes: Uint8Array, width: number, height: number): Promise<Uint8Array | null> {
  if (bytes.length === 0) return null;
  const open = () => sharp(bytes, { limitInputPixels: inputPixelsMax, failOn: 'error' });
  const metadata = await open().metadata();
  if (!rasterFormats.has(metadata.format)) return null;
  const { width: ownWidth, height: ownHeight } = metadata.autoOrient;
  const ratio = ownWidth / ownHeight / (width / height);
  const prepared = () => open().autoOrient().flatten({ background: '#20242c' }).toColourspace('srgb');
  if (Math.max(ratio, 1 / ratio) <= cropRatioMax)
    return raw(prepared().resize(width, height, { fit: 'cover' }));
  // The backdrop is blurred while small: the same look for a hundredth of the work.
  const small = await prepared()
    .resize(Math.ceil(width / 12), Math.ceil(height / 12), { fit: 'cover' })
    .blur(2.5)
    .modulate({ brightness: 0.6 })
    .png()
    .toBuffer();
  const whole = await prepared()
    .resize(width, height, { fit: 'inside' })
    .png({ compressionLevel: 1 })
    .toBuffer();
  const backdrop = await sharp(small)
    .resize(width, height, { fit: 'fill', kernel: 'cubic' })
    .png({ compressionLevel: 1 })
    .toBuffer();
  return raw(sharp(backdrop).composite([{ input: whole, gravity: 'centre' }]));
}

async function raw(image: Sharp): Promise<Uint8Array> {
  return image.removeAlpha().toColourspace('srgb').raw().toBuffer();
}
