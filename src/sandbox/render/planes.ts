/**
 * Pictures as the encoder wants them: planar YUV 4:2:0, BT.709, limited range. Everything here is plain
 * typed-array work, because a 720p second is 12 x 1.4 million samples and must stay in the low milliseconds.
 */

export interface Planes {
  width: number;
  height: number;
  /** Y, then U, then V in one buffer, so that a frame goes to the encoder without being put together first. */
  data: Uint8Array;
  luma: Uint8Array;
  blueChroma: Uint8Array;
  redChroma: Uint8Array;
}

export interface Rgb {
  red: number;
  green: number;
  blue: number;
}

export interface Yuv {
  luma: number;
  blueChroma: number;
  redChroma: number;
}

/** A one-colour stencil: `alpha` at full size, `chromaAlpha` its 2x2 averages. Positions are kept even. */
export interface Layer {
  x: number;
  y: number;
  width: number;
  height: number;
  alpha: Uint8Array;
  chromaAlpha: Uint8Array;
  colour: Yuv;
}

/** Allocates a black picture. Both sides must be even. */
export function createPlanes(width: number, height: number): Planes {
  const data = new Uint8Array((width * height * 3) / 2);
  const lumaSize = width * height;
  const chromaSize = lumaSize / 4;
  const planes = {
    width,
    height,
    data,
    luma: data.subarray(0, lumaSize),
    blueChroma: data.subarray(lumaSize, lumaSize + chromaSize),
    redChroma: data.subarray(lumaSize + chromaSize),
  };
  planes.luma.fill(16);
  data.fill(128, lumaSize);
  return planes;
}

/** BT.709, limited range: the MP4 says so in its `colr` box, so players need not guess by picture size. */
export function toYuv({ red, green, blue }: Rgb): Yuv {
  const brightness = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return {
    luma: Math.round(16 + (brightness * 219) / 255),
    blueChroma: Math.round(128 + ((blue - brightness) * 224) / (1.8556 * 255)),
    redChroma: Math.round(128 + ((red - brightness) * 224) / (1.5748 * 255)),
  };
}

/** Turns packed RGB (3 bytes a pixel) into planes. */
export function planesFromRgb(rgb: Uint8Array, width: number, height: number): Planes {
  const planes = createPlanes(width, height);
  const { luma, blueChroma, redChroma } = planes;
  const chromaWidth = width >> 1;
  for (let y = 0; y < height; y += 2) {
    for (let x = 0; x < width; x += 2) {
      let redSum = 0;
      let greenSum = 0;
      let blueSum = 0;
      for (let corner = 0; corner < 4; corner += 1) {
        const pixel = (y + (corner >> 1)) * width + x + (corner & 1);
        const red = rgb[pixel * 3]!;
        const green = rgb[pixel * 3 + 1]!;
        const blue = rgb[pixel * 3 + 2]!;
        // Coefficients of toYuv times 219/255, in 16-bit fixed point.
        luma[pixel] = (1081344 + red * 11966 + green * 40254 + blue * 4064) >> 16;
        redSum += red;
        greenSum += green;
        blueSum += blue;
      }
      const brightness = 0.2126 * redSum + 0.7152 * greenSum + 0.0722 * blueSum;
      const chroma = (y >> 1) * chromaWidth + (x >> 1);
      blueChroma[chroma] = 128.5 + (blueSum - brightness) * 0.118346;
      redChroma[chroma] = 128.5 + (redSum - brightness) * 0.139449;
    }
  }
  return planes;
}

/** Turns planes into packed RGB, for stills and covers. */
export function rgbFromPlanes(planes: Planes): Uint8Array<ArrayBuffer> {
  const { width, height, luma, blueChroma, redChroma } = planes;
  const clamped = new Uint8ClampedArray(width * height * 3);
  const chromaWidth = width >> 1;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const pixel = y * width + x;
      const chroma = (y >> 1) * chromaWidth + (x >> 1);
      const brightness = 1.164384 * (luma[pixel]! - 16);
      const blueDifference = blueChroma[chroma]! - 128;
      const redDifference = redChroma[chroma]! - 128;
      clamped[pixel * 3] = brightness + 1.792741 * redDifference;
      clamped[pixel * 3 + 1] = brightness - 0.213249 * blueDifference - 0.532909 * redDifference;
      clamped[pixel * 3 + 2] = brightness + 2.112402 * blueDifference;
    }
  }
  return new Uint8Array(clamped.buffer);
}

/** Makes a layer from an alpha mask; odd sides are padded so that chroma lines up. */
export function createLayer(
  mask: Uint8Array,
  width: number,
  height: number,
  x: number,
  y: number,
  colour: Yuv,
): Layer {
  const evenWidth = width + (width & 1);
  const evenHeight = height + (height & 1);
  const alpha = new Uint8Array(evenWidth * evenHeight);
  for (let row = 0; row < height; row += 1) {
    alpha.set(mask.subarray(row * width, (row + 1) * width), row * evenWidth);
  }
  const chromaWidth = evenWidth >> 1;
  const chromaAlpha = new Uint8Array(chromaWidth * (evenHeight >> 1));
  for (let row = 0; row < evenHeight; row += 2) {
    for (let column = 0; column < evenWidth; column += 2) {
      const at = row * evenWidth + column;
      const sum = alpha[at]! + alpha[at + 1]! + alpha[at + evenWidth]! + alpha[at + evenWidth + 1]!;
      chromaAlpha[(row >> 1) * chromaWidth + (column >> 1)] = (sum + 2) >> 2;
    }
  }
  return { x: even(x), y: even(y), width: evenWidth, height: evenHeight, alpha, chromaAlpha, colour };
}

/** A layer of one strength all over, for strips and bars. */
export function createBox(
  x: number,
  y: number,
  width: number,
  height: number,
  alpha: number,
  colour: Yuv,
): Layer {
  return createLayer(new Uint8Array(width * height).fill(alpha), width, height, x, y, colour);
}

/** Blends a layer onto the picture; parts outside the picture are left out. */
export function blendLayer(target: Planes, layer: Layer): void {
  const { x, y, width, height, colour } = layer;
  blendPlane(target.luma, target.width, target.height, layer.alpha, width, height, x, y, colour.luma);
  const half = [layer.chromaAlpha, width >> 1, height >> 1, x >> 1, y >> 1] as const;
  blendPlane(target.blueChroma, target.width >> 1, target.height >> 1, ...half, colour.blueChroma);
  blendPlane(target.redChroma, target.width >> 1, target.height >> 1, ...half, colour.redChroma);
}

function blendPlane(
  plane: Uint8Array,
  planeWidth: number,
  planeHeight: number,
  alpha: Uint8Array,
  width: number,
  height: number,
  x: number,
  y: number,
  value: number,
): void {
  const left = Math.max(0, -x);
  const right = Math.min(width, planeWidth - x);
  const bottom = Math.min(height, planeHeight - y);
  for (let row = Math.max(0, -y); row < bottom; row += 1) {
    const from = row * width;
    const to = (y + row) * planeWidth + x;
    for (let column = left; column < right; column += 1) {
      const strength = alpha[from + column]!;
      if (strength === 0) continue;
      const old = plane[to + column]!;
      plane[to + column] = old + (((value - old) * strength * 257 + 32768) >> 16);
    }
  }
}

/** Writes `from` x (1 - share) + `to` x share into `target`; `share` is 0 to 1. */
export function crossfade(target: Planes, from: Planes, to: Planes, share: number): void {
  const weight = Math.round(share * 256);
  const a = from.data;
  const b = to.data;
  const out = target.data;
  for (let index = 0; index < out.length; index += 1) {
    const old = a[index]!;
    out[index] = old + (((b[index]! - old) * weight) >> 8);
  }
}

/** Copies `source` into `target` enlarged by `scale` (1 or more) around its middle, with linear interpolation. */
export function zoom(target: Planes, source: Planes, scale: number): void {
  if (scale === 1) {
    target.data.set(source.data);
    return;
  }
  const { width, height } = target;
  zoomPlane(target.luma, source.luma, width, height, scale);
  zoomPlane(target.blueChroma, source.blueChroma, width >> 1, height >> 1, scale);
  zoomPlane(target.redChroma, source.redChroma, width >> 1, height >> 1, scale);
}

function zoomPlane(
  target: Uint8Array,
  source: Uint8Array,
  width: number,
  height: number,
  scale: number,
): void {
  const columns = new Int32Array(width);
  const shares = new Int32Array(width);
  for (let x = 0; x < width; x += 1) {
    const position = (x - width / 2) / scale + width / 2;
    const whole = Math.min(Math.floor(position), width - 2);
    columns[x] = whole;
    shares[x] = Math.round((position - whole) * 256);
  }
  for (let y = 0; y < height; y += 1) {
    const position = (y - height / 2) / scale + height / 2;
    const whole = Math.min(Math.floor(position), height - 2);
    const share = Math.round((position - whole) * 256);
    const upper = whole * width;
    const lower = upper + width;
    const row = y * width;
    for (let x = 0; x < width; x += 1) {
      const column = columns[x]!;
      const columnShare = shares[x]!;
      const topLeft = source[upper + column]!;
      const bottomLeft = source[lower + column]!;
      const top = (topLeft << 8) + (source[upper + column + 1]! - topLeft) * columnShare;
      const bottom = (bottomLeft << 8) + (source[lower + column + 1]! - bottomLeft) * columnShare;
      target[row + x] = ((top << 8) + (bottom - top) * share + 32768) >> 16;
    }
  }
}

/** The nearest even whole number at or below `value`. */
export function even(value: number): number {
  return Math.floor(value / 2) * 2;
}
