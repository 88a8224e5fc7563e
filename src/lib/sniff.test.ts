import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import sharp from 'sharp';
import { imageSize, sniff, sniffBytes } from './sniff.ts';

const latin1 = (text: string) => Buffer.from(text, 'latin1');

test('pictures made by an encoder are recognised and measured', async () => {
  for (const [width, height] of [
    [1, 1],
    [300, 200],
    [1280, 720],
  ] as const) {
    const picture = () =>
      sharp({ create: { width, height, channels: 4, background: { r: 9, g: 80, b: 7, alpha: 0.5 } } });
    const made: [Buffer, string][] = [
      [await picture().png().toBuffer(), 'png'],
      [await picture().jpeg().toBuffer(), 'jpg'],
      [
        await picture()
          .jpeg({ progressive: true })
          .withExif({ IFD0: { Copyright: 'x'.repeat(3000) } })
          .toBuffer(),
        'jpg',
      ],
      [await picture().gif().toBuffer(), 'gif'],
      [await picture().webp({ lossless: true }).toBuffer(), 'webp'],
      [await picture().removeAlpha().webp().toBuffer(), 'webp'],
      [await picture().webp({ quality: 50 }).toBuffer(), 'webp'],
    ];
    for (const [bytes, extension] of made) {
      assert.equal(sniff(bytes)?.extension, extension);
      assert.equal(sniff(bytes.subarray(0, sniffBytes))?.extension, extension);
      assert.deepEqual(imageSize(bytes), { width, height }, `${extension} ${width}x${height}`);
    }
  }
});

test('each format is told by its first bytes', () => {
  const cases: [string, string | null][] = [
    ['\x00\x00\x00\x18ftypisom\x00\x00\x02\x00', 'video/mp4'],
    ['\x00\x00\x00\x18ftypmp42', 'video/mp4'],
    ['\x00\x00\x00\x14ftypqt  ', 'video/quicktime'],
    ['\x00\x00\x00\x08wide\x00\x00\x00\x00mdat', 'video/quicktime'],
    ['\x00\x00\x00\x18ftypM4A ', 'audio/mp4'],
    ['\x00\x00\x00\x18ftypavif', null],
    ['\x00\x00\x00\x18ftypheic', null],
    [
      '\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webmB\x87\x81\x04',
      'video/webm',
    ],
    ['\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x88matroskaB\x87\x81\x04', null],
    ['ID3\x04\x00\x00\x00\x00\x00\x00', 'audio/mpeg'],
    ['\xff\xfb\x90\x64', 'audio/mpeg'],
    ['\xff\xf3\x44\xc4', 'audio/mpeg'],
    ['\xff\xf1\x50\x80', 'audio/aac'],
    ['RIFF\x24\x00\x00\x00WAVEfmt ', 'audio/wav'],
    ['RIFF\x24\x00\x00\x00AVI LIST', null],
    ['OggS\x00\x02', 'audio/ogg'],
    ['BM\x36\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00', 'image/bmp'],
    ['BMW is a maker of cars', null],
    ['\xff\xfe<\x00h\x00t\x00', null],
    ['\xff\xff\xff\xff', null],
    ['<html><body>', null],
    ['%PDF-1.7', null],
    ['<svg xmlns=', null],
    ['', null],
  ];
  for (const [text, contentType] of cases) {
    assert.equal(sniff(latin1(text))?.contentType ?? null, contentType, JSON.stringify(text));
  }
});

test('cut, twisted and invented files never throw or hang', async () => {
  const make = sharp({ create: { width: 64, height: 48, channels: 3, background: 'red' } });
  const samples = [
    await make.clone().png().toBuffer(),
    await make.clone().jpeg().toBuffer(),
    await make.clone().webp().toBuffer(),
    await make.clone().gif().toBuffer(),
  ];
  for (const sample of samples) {
    for (let length = 0; length < Math.min(sample.length, 400); length++) {
      const size = imageSize(sample.subarray(0, length));
      if (size) assert.deepEqual(size, { width: 64, height: 48 });
    }
  }
  fc.assert(
    fc.property(
      fc.constantFrom(...samples),
      fc.uint8Array({ maxLength: 60 }),
      fc.nat(60),
      (sample, noise, at) => {
        const bytes = Buffer.from(sample);
        bytes.set(noise.subarray(0, Math.max(0, bytes.length - at)), Math.min(at, bytes.length));
        imageSize(bytes);
        imageSize(noise);
      },
    ),
  );
  const started = performance.now();
  assert.equal(imageSize(Buffer.alloc(32 << 20, 0xff).fill(0xd8, 1, 2)), null);
  assert.equal(
    imageSize(Buffer.concat([latin1('\xff\xd8'), Buffer.alloc(8 << 20, '\xff\xd0', 'latin1')])),
    null,
  );
  assert.ok(performance.now() - started < 2000);
});

test('a picture of no width is none', () => {
  assert.equal(imageSize(latin1('GIF89a\x00\x00\x05\x00')), null);
});
