import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { extractCover } from '../../lib/mp4-cover.ts';
import { readMp4Info } from '../../lib/mp4-info.ts';
import { sniff } from '../../lib/sniff.ts';
import { createRenderer, probeMedia } from './index.ts';
import type { VideoJob } from './index.ts';

const directory = await mkdtemp(join(tmpdir(), 'reelay-render-'));
const renderer = createRenderer({ cacheDir: directory, mode: 'full' });
after(async () => {
  await renderer.close();
  await rm(directory, { recursive: true, force: true });
});

const run = promisify(execFile);
const small = {
  width: 320,
  height: 180,
  seconds: 1,
  sound: false,
  prompt: '一只猫 and a dog',
  title: 'test',
};

/** Whether a tool can be run; says so once when it cannot, because a check is then left out. */
async function has(tool: string): Promise<boolean> {
  const found = await run(tool, ['-version']).then(
    () => true,
    () => false,
  );
  if (!found) console.log(`${tool} is not installed: what it would check is left out`);
  return found;
}
const hasFfprobe = await has('ffprobe');
const hasFfmpeg = await has('ffmpeg');

/** Left half red, right half blue: easy to know again after cropping, captions and compression. */
function halves(left: string, right: string, width = 640, height = 360): Promise<Buffer> {
  const half = { width: width / 2, height, channels: 3 as const };
  return sharp({ create: { width, height, channels: 3, background: left } })
    .composite([{ input: { create: { ...half, background: right } }, left: width / 2, top: 0 }])
    .png()
    .toBuffer();
}

/** One frame, decoded by ffmpeg. */
async function pixelsOf(path: string, frame: number, width: number, height: number): Promise<Buffer> {
  const filter = `select=eq(n\\,${frame})`;
  const output = ['-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'];
  const { stdout } = await run(
    'ffmpeg',
    ['-v', 'error', '-i', path, '-map', '0:v:0', '-vf', filter, ...output],
    {
      encoding: 'buffer',
      maxBuffer: width * height * 4,
    },
  );
  return stdout;
}

const sizes = [
  { width: 320, height: 180, seconds: 1, sound: true },
  { width: 180, height: 320, seconds: 2, sound: false },
  { width: 216, height: 216, seconds: 1.3, sound: true },
];
for (const { width, height, seconds, sound } of sizes) {
  const name = `${width}x${height}, ${seconds} s, ${sound ? 'with' : 'without'} sound`;
  test(`a clip is exactly what was asked for: ${name}`, async () => {
    const { path, bytes } = await renderer.video({ ...small, width, height, seconds, sound });
    const file = await readFile(path);
    assert.equal(bytes, file.length);
    const facts = await probeMedia(path);
    assert.deepEqual(
      { ...facts, durationSeconds: 0 },
      { container: 'MP4', durationSeconds: 0, width, height, hasAudio: sound, videoCodec: 'avc' },
    );
    assert.ok(Math.abs(facts.durationSeconds - seconds) < 0.05, `lasts ${facts.durationSeconds} s`);
    assert.ok(file.indexOf('moov') < file.indexOf('mdat'), 'the index comes first');
    const info = await readMp4Info(path);
    assert.ok(info && Math.abs((info.durationSeconds ?? 0) - seconds) < 0.05);
    assert.deepEqual([info.width, info.height, info.hasAudio], [width, height, sound]);
    const cover = await extractCover(path);
    assert.equal(cover?.contentType, 'image/jpeg');
    const { width: coverWidth, height: coverHeight } = await sharp(cover?.bytes).metadata();
    assert.deepEqual([coverWidth, coverHeight], [width, height]);
  });
}

test('ffprobe sees H.264, AAC and an attached cover', { skip: !hasFfprobe }, async () => {
  const { path } = await renderer.video({ ...small, sound: true });
  const { stdout } = await run('ffprobe', [
    '-v',
    'error',
    '-show_streams',
    '-show_format',
    '-of',
    'json',
    path,
  ]);
  const { streams, format } = JSON.parse(stdout) as {
    streams: { codec_name: string; pix_fmt?: string; disposition: { attached_pic: number } }[];
    format: { duration: string };
  };
  assert.deepEqual(
    streams.map((stream) => [stream.codec_name, stream.disposition.attached_pic]),
    [
      ['h264', 0],
      ['aac', 0],
      ['mjpeg', 1],
    ],
  );
  assert.equal(streams[0]?.pix_fmt, 'yuv420p');
  assert.ok(Math.abs(Number(format.duration) - 1) < 0.05);
});

test(
  'a clip begins with the first picture, ends with the last, and moves between',
  { skip: !hasFfmpeg },
  async () => {
    const { width, height } = small;
    const job = {
      ...small,
      firstFrame: await halves('#e02020', '#2030e0'),
      lastFrame: await halves('#20c040', '#e0e020'),
    };
    const { path } = await renderer.video(job);
    const at = (pixels: Buffer, share: number) => {
      const pixel = (Math.round(height * 0.4) * width + Math.round(width * share)) * 3;
      return [...pixels.subarray(pixel, pixel + 3)];
    };
    const near = (actual: number[], wanted: number[]) =>
      assert.ok(
        actual.every((value, channel) => Math.abs(value - wanted[channel]!) < 14),
        `${actual} is not ${wanted}`,
      );
    const first = await pixelsOf(path, 0, width, height);
    near(at(first, 0.25), [0xe0, 0x20, 0x20]);
    near(at(first, 0.75), [0x20, 0x30, 0xe0]);
    const last = await pixelsOf(path, 11, width, height);
    near(at(last, 0.25), [0x20, 0xc0, 0x40]);
    near(at(last, 0.75), [0xe0, 0xe0, 0x20]);
    assert.notDeepEqual(await pixelsOf(path, 5, width, height), await pixelsOf(path, 6, width, height));
  },
);

test('a picture of another shape is shown whole', { skip: !hasFfmpeg }, async () => {
  const firstFrame = await halves('#e02020', '#2030e0', 200, 600);
  const { path } = await renderer.video({ ...small, seconds: 0.5, firstFrame });
  const first = await pixelsOf(path, 0, 320, 180);
  const at = (x: number) => [...first.subarray((60 * 320 + x) * 3, (60 * 320 + x) * 3 + 3)];
  // 60 pixels wide in the middle of 320: both halves are there, each where it belongs.
  assert.ok(at(140)[0]! > 180 && at(140)[2]! < 80, `left is ${at(140)}`);
  assert.ok(at(180)[2]! > 180 && at(180)[0]! < 80, `right is ${at(180)}`);
});

test('bytes that are no picture become a drawn placeholder, never a failure', async () => {
  const truncated = (await halves('#fff', '#000')).subarray(0, 60);
  const drawing = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
  for (const firstFrame of [new Uint8Array(0), Buffer.from('not a picture'), truncated, drawing]) {
    const { path } = await renderer.video({ ...small, seconds: 0.25, firstFrame });
    assert.equal((await probeMedia(path)).width, small.width);
  }
});

test('the same job gives the same file; any difference gives another', async () => {
  const job: VideoJob = { ...small, seconds: 0.25 };
  const [a, b] = await Promise.all([renderer.video(job), renderer.video({ ...job, watermark: false })]);
  assert.equal(a.path, b.path);
  const others = await Promise.all([
    renderer.video({ ...job, watermark: true }),
    renderer.video({ ...job, title: 'other' }),
    renderer.video({ ...job, firstFrame: Buffer.from('1') }),
    renderer.video({ ...job, lastFrame: Buffer.from('1') }),
  ]);
  assert.equal(new Set([a.path, ...others.map(({ path }) => path)]).size, 5);
});

test('stills have exactly the size and format asked for, odd sizes too', async () => {
  for (const format of ['png', 'jpeg'] as const) {
    const { path } = await renderer.image({ width: 161, height: 91, prompt: '山水', title: 'still', format });
    const metadata = await sharp(path).metadata();
    assert.deepEqual([metadata.format, metadata.width, metadata.height], [format, 161, 91]);
  }
  const sourceImage = await halves('#e02020', '#2030e0');
  const { path } = await renderer.image({
    width: 160,
    height: 90,
    prompt: 'p',
    title: 't',
    format: 'png',
    sourceImage,
  });
  const { data } = await sharp(path).raw().toBuffer({ resolveWithObject: true });
  assert.ok(data[(30 * 160 + 40) * 3]! > 180);
});

test('sounds have the length asked for, and begin like what they are', async () => {
  for (const [format, container, contentType] of [
    ['wav', 'WAVE', 'audio/wav'],
    ['m4a', 'MP4', 'audio/mp4'],
  ] as const) {
    const { path } = await renderer.sound({ seconds: 1.5, text: 'hello', format });
    const facts = await probeMedia(path);
    assert.equal(facts.container, container);
    assert.equal(facts.hasAudio, true);
    assert.ok(Math.abs(facts.durationSeconds - 1.5) < 0.05, `lasts ${facts.durationSeconds} s`);
    assert.equal(sniff(await readFile(path))?.contentType, contentType);
  }
});

test('a job that cannot be drawn is refused alone', async () => {
  const impossible = [
    { ...small, width: 0 },
    { ...small, height: 100_000 },
    { ...small, width: 12.5 },
    { ...small, seconds: 0 },
    { ...small, seconds: Number.NaN },
  ];
  for (const job of impossible) await assert.rejects(renderer.video(job), RangeError);
  const { path } = await renderer.video({ ...small, width: 2, height: 2, seconds: 0.05 });
  assert.equal((await probeMedia(path)).videoCodec, 'avc');
});

test('tiny mode renders one small clip and gives it for every job', async (context) => {
  const tiny = createRenderer({ cacheDir: join(directory, 'tiny'), mode: 'tiny' });
  context.after(() => tiny.close());
  const [a, b] = await Promise.all([
    tiny.video({ ...small, prompt: 'a', width: 3840, height: 2160, seconds: 60 }),
    tiny.video({ ...small, prompt: 'b' }),
  ]);
  assert.equal(a.path, b.path);
  assert.ok(a.bytes < 40_000, `${a.bytes} bytes`);
  assert.equal((await probeMedia(a.path)).hasAudio, true);
});
