import assert from 'node:assert/strict';
import { test } from 'node:test';
import { composeSound, sampleRate, toWav } from './sound.ts';

test('composes exactly the seconds asked for, audible, without clipping, silent at both ends', () => {
  for (const seconds of [0.01, 1, 2.5]) {
    const samples = composeSound('a quiet lake', seconds);
    assert.equal(samples.length, Math.round(seconds * sampleRate));
    assert.ok(samples.every((value) => Math.abs(value) <= 1));
  }
  const second = composeSound('a quiet lake', 1);
  assert.ok(second.some((value) => Math.abs(value) > 0.1));
  assert.equal(second[0], 0);
  assert.equal(Math.abs(second.at(-1)!), 0);
});

test('gives the same text the same tune, and another text another', () => {
  assert.deepEqual(composeSound('rain', 0.5), composeSound('rain', 0.5));
  assert.notDeepEqual(composeSound('rain', 0.5), composeSound('snow', 0.5));
});

test('writes a WAV header that tells the truth', () => {
  const wav = toWav(composeSound('rain', 0.5));
  assert.equal(wav.toString('latin1', 0, 4) + wav.toString('latin1', 8, 12), 'RIFFWAVE');
  assert.equal(wav.readUInt32LE(4), wav.length - 8);
  assert.equal(wav.readUInt32LE(24), sampleRate);
  assert.equal(wav.readUInt32LE(40), wav.length - 44);
});
