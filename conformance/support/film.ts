/**
 * What a film really is, told by programs that are not ours: ffprobe and ffmpeg where the machine has them, else the
 * mediabunny library (which reads containers; it shows no pixels).
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { ALL_FORMATS, BufferSource, Input } from 'mediabunny';

export interface Film {
  videoCodec: string;
  width: number;
  height: number;
  /** Of the picture track, in seconds. */
  durationSeconds: number;
  audioCodec: string | null;
  hasCover: boolean;
  /** The index stands before the bytes, so that a player can start at once. */
  isFastStart: boolean;
}

function hasProgram(name: string): boolean {
  return spawnSync(name, ['-version'], { stdio: 'ignore' }).status === 0;
}

export const hasFfprobe = hasProgram('ffprobe');
/** Why a test that looks at pixels must be skipped, or false. */
export const noFfmpeg: string | false = hasProgram('ffmpeg')
  ? false
  : 'ffmpeg is not on the path: nothing else here decodes pictures';

if (!hasFfprobe)
  console.log('ffprobe is not on the path: films are examined with mediabunny, which decodes no picture');

async function run(program: string, args: string[], input: Uint8Array): Promise<Buffer> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  // A program that has seen enough closes its input early.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number];
  assert.equal(code, 0, `${program}: ${errors}`);
  return Buffer.concat(output);
}

/** Types of the file's outermost boxes, in order. */
function boxTypes(bytes: Uint8Array): string[] {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const types: string[] = [];
  for (let at = 0; at + 8 <= view.length;) {
    const size = view.readUInt32BE(at);
    types.push(view.toString('latin1', at + 4, at + 8));
    const bytesOfBox =
      size === 1 ? Number(view.readBigUInt64BE(at + 8)) : size === 0 ? view.length - at : size;
    assert.ok(bytesOfBox >= 8 && at + bytesOfBox <= view.length, 'a box reaches past the end of the file');
    at += bytesOfBox;
  }
  return types;
}

interface ProbedStream {
  codec_type: string;
  codec_name: string;
  width?: number;
  height?: number;
  duration?: string;
  disposition: { attached_pic: number };
}

async function probeWithFfprobe(bytes: Uint8Array): Promise<Omit<Film, 'isFastStart'>> {
  const json = await run('ffprobe', ['-v', 'error', '-show_streams', '-of', 'json', '-'], bytes);
  const { streams } = JSON.parse(json.toString()) as { streams: ProbedStream[] };
  const isCover = (stream: ProbedStream) => stream.disposition.attached_pic === 1;
  const video = streams.find((stream) => stream.codec_type === 'video' && !isCover(stream));
  const audio = streams.find((stream) => stream.codec_type === 'audio');
  assert.ok(video, 'there is a picture track');
  return {
    videoCodec: video.codec_name,
    width: video.width!,
    height: video.height!,
    durationSeconds: Number(video.duration),
    audioCodec: audio?.codec_name ?? null,
    hasCover: streams.some(isCover),
  };
}

async function probeWithMediabunny(bytes: Uint8Array): Promise<Omit<Film, 'isFastStart'>> {
  const input = new Input({ formats: ALL_FORMATS, source: new BufferSource(bytes) });
  const video = await input.getPrimaryVideoTrack();
  const audio = await input.getPrimaryAudioTrack();
  assert.ok(video, 'there is a picture track');
  const tags = await input.getMetadataTags();
  return {
    videoCodec: video.codec === 'avc' ? 'h264' : String(video.codec),
    width: video.displayWidth,
    height: video.displayHeight,
    durationSeconds: await video.computeDuration(),
    audioCodec: audio?.codec ?? null,
    hasCover: (tags.images ?? []).length > 0,
  };
}

/** Examines an MP4. Rejects when it is none. */
export async function examineFilm(bytes: Uint8Array): Promise<Film> {
  const boxes = boxTypes(bytes);
  assert.equal(boxes[0], 'ftyp', 'an MP4 begins with its type');
  const film = await (hasFfprobe ? probeWithFfprobe(bytes) : probeWithMediabunny(bytes));
  return { ...film, isFastStart: boxes.indexOf('moov') < boxes.indexOf('mdat') };
}

/** A playable H.264 MP4 of this size and length, with an AAC track exactly when sound was asked for, and a cover. */
export async function assertFilm(
  bytes: Uint8Array,
  expected: { width: number; height: number; seconds: number; sound: boolean },
): Promise<void> {
  const { durationSeconds, ...film } = await examineFilm(bytes);
  assert.deepEqual(film, {
    videoCodec: 'h264',
    width: expected.width,
    height: expected.height,
    audioCodec: expected.sound ? 'aac' : null,
    hasCover: true,
    isFastStart: true,
  });
  // The platform's own films run about 0.04 s long.
  assert.ok(
    Math.abs(durationSeconds - expected.seconds) < 0.2,
    `${durationSeconds} s is not ${expected.seconds} s`,
  );
}

export interface Colour {
  red: number;
  green: number;
  blue: number;
}

/** Mean colour of the first frame's middle (a quarter of the picture, where a title is unlikely to dominate). */
export async function firstFrameColour(bytes: Uint8Array): Promise<Colour> {
  const filter = 'crop=iw/2:ih/2,scale=1:1:flags=area';
  const pixel = await run(
    'ffmpeg',
    ['-v', 'error', '-i', '-', '-map', '0:v:0', '-frames:v', '1', '-vf', filter].concat([
      '-pix_fmt',
      'rgb24',
      '-f',
      'rawvideo',
      '-',
    ]),
    bytes,
  );
  assert.equal(pixel.length, 3, 'one pixel');
  return { red: pixel[0]!, green: pixel[1]!, blue: pixel[2]! };
}

/** Fails unless the two look alike: within 40 of 255 in each part, for what encoding and a title over it change. */
export function assertColourNear(seen: Colour, expected: Colour): void {
  for (const part of ['red', 'green', 'blue'] as const) {
    const difference = Math.abs(seen[part] - expected[part]);
    assert.ok(difference <= 40, `${part} is ${seen[part]}, not ${expected[part]} (${JSON.stringify(seen)})`);
  }
}
