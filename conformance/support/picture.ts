import sharp from 'sharp';
import type { Colour } from './film.ts';

/** A picture in one colour, as a file would hold it. */
export function plainPicture(
  colour: Colour,
  size: { width: number; height: number },
  format: 'png' | 'jpeg' = 'png',
): Promise<Buffer> {
  const background = { r: colour.red, g: colour.green, b: colour.blue };
  return sharp({ create: { ...size, channels: 3, background } })
    [format]()
    .toBuffer();
}

export function dataUri(picture: Buffer, type = 'image/png'): string {
  return `data:${type};base64,${picture.toString('base64')}`;
}
