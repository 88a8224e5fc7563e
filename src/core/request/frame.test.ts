import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../errors.ts';
import { readAspectRatio, readResolution, readSize } from './frame.ts';

const claim = (value: unknown) => ({ source: 'size', value });

test('a size gives the grade it reaches in full, and the nearest ratio', () => {
  const cases: [string, string, string][] = [
    ['1280x720', '720P', '16:9'],
    ['720×1280', '720P', '9:16'],
    ['1920*1080', '1080P', '16:9'],
    ['3840X2160', '4K', '16:9'],
    ['1024x1024', '720P', '1:1'],
    ['1792x1024', '720P', '16:9'],
    ['640x480', '720P', '1:1'],
    ['900x1600', '720P', '9:16'],
  ];
  for (const [size, resolution, aspectRatio] of cases) {
    const read = readSize(claim(size));
    assert.deepEqual([read.resolution, read.aspectRatio], [resolution, aspectRatio], size);
  }
});

test('a picture and the same picture turned are equally near to the square', () => {
  for (const [width, height] of [
    [1000, 700],
    [1000, 760],
    [1000, 740],
  ] as const) {
    const lying = readSize(claim(`${width}x${height}`)).aspectRatio;
    const standing = readSize(claim(`${height}x${width}`)).aspectRatio;
    assert.equal(standing, { '16:9': '9:16', '9:16': '16:9', '1:1': '1:1' }[lying ?? '1:1']);
  }
});

test('a bare grade gives no ratio', () => {
  for (const [text, grade] of [
    ['720p', '720P'],
    ['1080P', '1080P'],
    ['4k', '4K'],
    ['2160p', '4K'],
  ]) {
    assert.deepEqual(readSize(claim(text)), {
      source: 'size',
      resolution: grade,
      aspectRatio: null,
      width: null,
      height: null,
    });
    assert.equal(readResolution(claim(text)), grade);
  }
});

test('everything else is refused', () => {
  for (const value of ['480P', '0x0', '1x1', '999999x1', '1280', 'x', '', 720, null]) {
    assert.throws(() => readSize(claim(value)), GatewayError, String(value));
    assert.throws(() => readResolution(claim(value)), GatewayError, String(value));
  }
});

test('a ratio is two whole numbers', () => {
  assert.equal(readAspectRatio(claim(' 16 : 9 ')), '16:9');
  for (const value of ['16x9', '16', '', 'auto', 1.77, '1.5:1'])
    assert.throws(() => readAspectRatio(claim(value)), GatewayError);
});
