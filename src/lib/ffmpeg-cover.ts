import { execFile } from 'node:child_process';

/**
 * The first frame of a film as JPEG, through `ffmpeg` when it is on the path; null when it is not, or cannot read the
 * file. Bounded in time and size.
 */
export function coverByFfmpeg(path: string): Promise<Buffer | null> {
  const args = ['-v', 'error', '-i', path, '-frames:v', '1', '-vf', 'scale=640:-2', '-f', 'mjpeg', 'pipe:1'];
  return new Promise((resolve) => {
    execFile(
      'ffmpeg',
      args,
      { encoding: 'buffer', timeout: 10_000, maxBuffer: 8 * 1024 * 1024 },
      (error, stdout) => resolve(error || stdout.length === 0 ? null : stdout),
    );
  });
}
