import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createRenderer } from '../../sandbox/render/index.ts';
import { soundSeconds } from './sound-length.ts';

/** A WAV head before `bytes` of silence: 16 bits, mono. */
function wav(bytes: number, sampleRate = 16_000): Buffer {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(36 + bytes, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  head.writeUInt32LE(16, 16);
  head.writeUInt32LE(sampleRate, 24);
  head.writeUInt32LE(sampleRate * 2, 28);
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(bytes, 40);
  return Buffer.concat([head, Buffer.alloc(bytes)]);
}

/** Empty frames of MPEG-1 Layer III, 128 kbit/s at 44.1 kHz: 417 bytes each. */
function mp3(frames: number): Buffer {
  const frame = Buffer.alloc(417);
  frame.writeUInt32BE(0xfffb9000);
  return Buffer.concat(Array.from({ length: frames }, () => frame));
}

describe('the length of a sound', () => {
  test('of a WAV follows from its data', () => {
    assert.equal(soundSeconds(wav(32_000 * 3)), 3);
    assert.equal(soundSeconds(wav(44_100, 44_100)), 0.5);
  });

  test('of a WAV that was cut off is what is left of it', () => {
    assert.equal(soundSeconds(wav(32_000 * 3).subarray(0, 44 + 32_000)), 1);
  });

  test('of an MP3 is the sum of its frames, whatever tag stands before them', () => {
    const expected = (100 * 1152) / 44_100;
    assert.ok(Math.abs(soundSeconds(mp3(100))! - expected) < 1e-9);
    const tag = Buffer.concat([Buffer.from('ID3\x04\x00\x00\x00\x00\x01\x00', 'latin1'), Buffer.alloc(128)]);
    assert.ok(Math.abs(soundSeconds(Buffer.concat([tag, mp3(100)]))! - expected) < 1e-9);
  });

  test('of an M4A stands in its movie header', async () => {
    const cacheDir = await mkdtemp(join(tmpdir(), 'reelay-sound-'));
    const renderer = createRenderer({ cacheDir, mode: 'full' });
    const { path } = await renderer.sound({ seconds: 2, text: 'hello', format: 'm4a' });
    const seconds = soundSeconds(readFileSync(path));
    assert.ok(seconds !== null && Math.abs(seconds - 2) < 0.1, String(seconds));
    await renderer.close();
    await rm(cacheDir, { recursive: true });
  });

  test('of anything else is not known', () => {
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('RIFF'),
      Buffer.from('not a sound at all, only words'),
      Buffer.alloc(64, 0xff),
      wav(0),
      Buffer.from('\x00\x00\x00\x18ftypM4A \x00\x00\x00\x00\x00\x00\x00\x08moov', 'latin1'),
    ]) {
      assert.equal(soundSeconds(bytes), null);
    }
  });
});
