/** Sound out of nothing: soft plucked notes over a pad, all chosen by the text they belong to. */
import { seededChance } from './palette.ts';

export const sampleRate = 44_100;

const noteSeconds = 0.3;

/** A major pentatonic scale over two octaves, in semitones: any two of its notes sound well together. */
const scale = [0, 2, 4, 7, 9, 12, 14, 16, 19, 21];

/** Mono samples in -1..1, exactly `seconds` long: the same text always gives the same tune. */
export function composeSound(text: string, seconds: number): Float32Array<ArrayBuffer> {
  const chance = seededChance(`${text}/sound`);
  const samples = new Float32Array(Math.round(seconds * sampleRate));
  const root = 196 * 2 ** (Math.floor(chance() * 8) / 12);
  for (const [semitones, strength] of [
    [-12, 0.09],
    [0, 0.06],
    [7, 0.04],
    [4, 0.03],
  ] as const) {
    addPad(samples, root * 2 ** (semitones / 12), strength);
  }
  let step = Math.floor(chance() * scale.length);
  for (let start = 0; start < seconds; start += noteSeconds) {
    step = Math.max(0, Math.min(scale.length - 1, step + Math.round((chance() - 0.5) * 5)));
    if (chance() < 0.18) continue;
    addPluck(samples, start, root * 2 ** (scale[step]! / 12), 0.12 + chance() * 0.08);
  }
  fadeEnds(samples);
  return samples;
}

function addPad(samples: Float32Array, frequencyHz: number, strength: number): void {
  const stepAngle = (frequencyHz * 2 * Math.PI) / sampleRate;
  const swellAngle = (0.23 * 2 * Math.PI) / sampleRate;
  for (let index = 0; index < samples.length; index += 1) {
    const swell = 0.75 + 0.25 * Math.sin(swellAngle * index + frequencyHz);
    samples[index] = samples[index]! + strength * swell * Math.sin(stepAngle * index);
  }
}

function addPluck(samples: Float32Array, startSeconds: number, frequencyHz: number, strength: number): void {
  const start = Math.round(startSeconds * sampleRate);
  const end = Math.min(samples.length, start + Math.round(1.1 * sampleRate));
  const stepAngle = (frequencyHz * 2 * Math.PI) / sampleRate;
  const decay = Math.exp(-4.5 / sampleRate);
  let loudness = strength;
  for (let index = start; index < end; index += 1) {
    const angle = stepAngle * (index - start);
    const attack = Math.min(1, (index - start) / 260);
    samples[index] =
      samples[index]! +
      attack * loudness * (Math.sin(angle) + 0.35 * Math.sin(2 * angle) * (loudness / strength));
    loudness *= decay;
  }
}

/** A clip cut in full swing clicks. */
function fadeEnds(samples: Float32Array): void {
  const length = Math.min(Math.round(0.08 * sampleRate), samples.length >> 1);
  for (let index = 0; index < length; index += 1) {
    samples[index] = (samples[index]! * index) / length;
    const mirrored = samples.length - 1 - index;
    samples[mirrored] = (samples[mirrored]! * index) / length;
  }
}

/** Wraps samples in a WAV file: 16-bit PCM, mono. */
export function toWav(samples: Float32Array): Buffer {
  const bytes = Buffer.alloc(44 + samples.length * 2);
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(36 + samples.length * 2, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(sampleRate, 24);
  bytes.writeUInt32LE(sampleRate * 2, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36, 'latin1');
  bytes.writeUInt32LE(samples.length * 2, 40);
  for (let index = 0; index < samples.length; index += 1) {
    bytes.writeInt16LE(Math.round(Math.max(-1, Math.min(1, samples[index]!)) * 32_767), 44 + index * 2);
  }
  return bytes;
}
