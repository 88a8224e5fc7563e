/**
 * The first frame of a film as JPEG, through `ffmpeg` when it is on the path. The film is a stranger's: ffmpeg reads it
 * as the container we recognised and as nothing else (a playlist could name other files and hosts), opens no other
 * file and no connection, and is bounded in time, pixels and number.
 */
import { execFile } from 'node:child_process';

/** Every film is decoded by a process of its own; a page of thumbnails must not take the machine. */
const atOnceMax = 2;
const timeoutMs = 10_000;
const pictureBytesMax = 8 * 1024 * 1024;
/** 8K; a frame takes 1.5 bytes a pixel, and a decoder holds up to 16 of them. */
const pixelsMax = 7680 * 4320;

const demuxers = new Map([
  ['video/mp4', 'mov'],
  ['video/quicktime', 'mov'],
  ['video/webm', 'matroska'],
]);

let running = 0;
const waiting: (() => void)[] = [];
/** Asked for again while it is being drawn: one picture serves all. */
const underWay = new Map<string, Promise<Buffer | null>>();

/**
 * Null when there is no ffmpeg, when it cannot read the file as `contentType` (what its first bytes are, not what
 * somebody said), and when it takes too long.
 */
export function coverByFfmpeg(path: string, contentType: string): Promise<Buffer | null> {
  const demuxer = demuxers.get(contentType);
  if (demuxer === undefined) return Promise.resolve(null);
  let drawing = underWay.get(path);
  if (drawing === undefined) {
    drawing = draw(path, demuxer).finally(() => underWay.delete(path));
    underWay.set(path, drawing);
  }
  return drawing;
}

async function draw(path: string, demuxer: string): Promise<Buffer | null> {
  if (running >= atOnceMax) await new Promise<void>((resolve) => waiting.push(resolve));
  else running++;
  try {
    return await runFfmpeg([
      ...['-nostdin', '-v', 'error', '-threads', '1', '-protocol_whitelist', 'file'],
      ...['-max_pixels', String(pixelsMax), '-f', demuxer, '-i', `file:${path}`],
      ...['-frames:v', '1', '-vf', 'scale=640:-2', '-f', 'mjpeg', 'pipe:1'],
    ]);
  } finally {
    const next = waiting.shift();
    // The place goes on to whoever waits.
    if (next === undefined) running--;
    else next();
  }
}

function runFfmpeg(args: string[]): Promise<Buffer | null> {
  return new Promise((resolve) => {
    execFile(
      'ffmpeg',
      args,
      { encoding: 'buffer', timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: pictureBytesMax },
      (error, stdout) => resolve(error || stdout.length === 0 ? null : stdout),
    );
  });
}
