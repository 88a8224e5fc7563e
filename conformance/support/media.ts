/** What is behind a link: pictures decoded by sharp, sounds read by mediabunny, films by `film.ts`. */
import assert from 'node:assert/strict';
import { ALL_FORMATS, BufferSource, Input } from 'mediabunny';
import sharp from 'sharp';
import { request } from 'undici';
import { examineFilm, type Film } from './film.ts';

/** Downloads a link without any key, as a browser would. */
export async function download(url: string): Promise<{ bytes: Buffer; contentType: string }> {
  const answer = await request(url);
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  assert.equal(answer.statusCode, 200, `${url}: ${bytes.subarray(0, 300).toString()}`);
  return { bytes, contentType: String(answer.headers['content-type']) };
}

/** A picture that decodes to its last line and is what its type says. */
export async function assertPicture(url: string): Promise<{ width: number; height: number }> {
  const { bytes, contentType } = await download(url);
  const { info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
  const { format } = await sharp(bytes).metadata();
  assert.equal(contentType, `image/${format}`, url);
  return { width: info.width, height: info.height };
}

/** A sound, nothing else, of this many seconds where they are known. */
export async function assertSound(url: string, contentType: string, seconds?: number): Promise<void> {
  const file = await download(url);
  assert.equal(file.contentType, contentType, url);
  const input = new Input({ formats: ALL_FORMATS, source: new BufferSource(file.bytes) });
  assert.equal(await input.getPrimaryVideoTrack(), null);
  const track = await input.getPrimaryAudioTrack();
  assert.ok(track, 'there is a sound track');
  const length = await track.computeDuration();
  if (seconds !== undefined) assert.ok(Math.abs(length - seconds) < 0.2, `${length} s, not ${seconds}`);
}

export async function assertVideo(url: string): Promise<Film> {
  const { bytes, contentType } = await download(url);
  assert.equal(contentType, 'video/mp4', url);
  return examineFilm(bytes);
}

/** A quiet WAV of so many seconds, mono, as a data URI. */
export function plainSound(seconds: number): string {
  const rate = 8000;
  const data = Buffer.alloc(rate * seconds * 2);
  for (let at = 0; at < data.length; at += 2) data.writeInt16LE(Math.round(Math.sin(at / 20) * 2000), at);
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + data.length, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(rate * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(data.length, 40);
  return `data:audio/wav;base64,${Buffer.concat([header, data]).toString('base64')}`;
}
