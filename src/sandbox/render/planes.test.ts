import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  blendLayer,
  createBox,
  createPlanes,
  crossfade,
  planesFromRgb,
  rgbFromPlanes,
  toYuv,
  zoom,
} from './planes.ts';

const orange = { red: 240, green: 130, blue: 20 };
const blue = { red: 20, green: 60, blue: 200 };

function plain(colour: { red: number; green: number; blue: number }) {
  const rgb = new Uint8Array(8 * 8 * 3);
  for (let pixel = 0; pixel < 64; pixel += 1) rgb.set([colour.red, colour.green, colour.blue], pixel * 3);
  return planesFromRgb(rgb, 8, 8);
}

function assertColour(rgb: Uint8Array, pixel: number, { red, green, blue: blueValue }: typeof orange): void {
  for (const [channel, value] of [red, green, blueValue].entries()) {
    assert.ok(
      Math.abs(rgb[pixel * 3 + channel]! - value) <= 3,
      `channel ${channel} is ${rgb[pixel * 3 + channel]}`,
    );
  }
}

test('colours survive the way to planes and back', () => {
  for (const colour of [orange, blue, { red: 255, green: 255, blue: 255 }, { red: 0, green: 0, blue: 0 }]) {
    assertColour(rgbFromPlanes(plain(colour)), 27, colour);
    const { luma, blueChroma, redChroma } = toYuv(colour);
    const planes = plain(colour);
    assert.ok(Math.abs(planes.luma[0]! - luma) <= 1);
    assert.ok(Math.abs(planes.blueChroma[0]! - blueChroma) <= 1);
    assert.ok(Math.abs(planes.redChroma[0]! - redChroma) <= 1);
  }
});

test('a layer covers what it covers, and what hangs over the edge is left out', () => {
  const planes = plain(orange);
  blendLayer(planes, createBox(4, -2, 20, 4, 255, toYuv(blue)));
  const rgb = rgbFromPlanes(planes);
  assertColour(rgb, 5, blue);
  assertColour(rgb, 3, orange);
  assertColour(rgb, 2 * 8 + 5, orange);
  assert.doesNotThrow(() => blendLayer(planes, createBox(-40, 90, 4, 4, 255, toYuv(blue))));
});

test('a crossfade begins with the one picture and ends with the other', () => {
  const target = createPlanes(8, 8);
  crossfade(target, plain(orange), plain(blue), 0);
  assert.deepEqual(target.data, plain(orange).data);
  crossfade(target, plain(orange), plain(blue), 1);
  assert.deepEqual(target.data, plain(blue).data);
});

test('a zoom keeps the middle in the middle and moves the edges out', () => {
  const source = plain(orange);
  source.luma.forEach((_, index) => (source.luma[index] = 20 + (index % 8) * 20));
  const target = createPlanes(8, 8);
  zoom(target, source, 1);
  assert.deepEqual(target.data, source.data);
  zoom(target, source, 2);
  assert.equal(target.luma[4], source.luma[4]);
  assert.ok(target.luma[0]! > source.luma[0]! && target.luma[7]! < source.luma[7]!);
});
