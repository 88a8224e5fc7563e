/** Puts encoded pictures, sound and a cover into one MP4, its index first ("faststart"). */
import { registerAacEncoder } from '@mediabunny/aac-encoder';
import {
  AudioSample,
  AudioSampleSource,
  BufferSource,
  BufferTarget,
  EncodedPacketSink,
  EncodedVideoPacketSource,
  Input,
  MP4,
  Mp4OutputFormat,
  Output,
} from 'mediabunny';
import { sampleRate } from './sound.ts';

const soundBitrate = 96_000;
/** Handed to the sound encoder in pieces, so that it never holds a long clip twice. */
const soundPieceSamples = sampleRate;

let aacReady = false;

export interface Mp4Parts {
  seconds: number;
  title?: string;
  /** An MP4 whose only track is the encoded picture. */
  video?: Uint8Array;
  sound?: Float32Array<ArrayBuffer>;
  cover?: Uint8Array;
}

/**
 * How much sound to compose for `seconds`: AAC comes in packets of 1024 samples, one of them in advance,
 * and what spills over the end would make the file longer than asked for.
 */
export function soundSecondsWithin(seconds: number): number {
  const packets = Math.floor((seconds * sampleRate) / 1024) - 1;
  return (Math.max(1, packets) * 1024) / sampleRate;
}

/** Returns the finished file. The last picture is stretched or cut so that the track lasts exactly `seconds`. */
export async function muxMp4(parts: Mp4Parts): Promise<Uint8Array> {
  const target = new BufferTarget();
  const output = new Output({ format: new Mp4OutputFormat({ fastStart: 'in-memory' }), target });
  const videoSource = parts.video ? new EncodedVideoPacketSource('avc') : null;
  if (videoSource) output.addVideoTrack(videoSource);
  const soundSource = parts.sound ? createSoundSource() : null;
  if (soundSource) output.addAudioTrack(soundSource);
  output.setMetadataTags({
    ...(parts.title ? { title: parts.title } : {}),
    comment: 'Made by the Reelay sandbox',
    ...(parts.cover
      ? { images: [{ data: parts.cover, mimeType: 'image/jpeg', kind: 'coverFront' as const }] }
      : {}),
  });
  await output.start();
  if (videoSource && parts.video) await copyVideo(parts.video, videoSource, parts.seconds);
  if (soundSource && parts.sound) await addSound(parts.sound, soundSource);
  await output.finalize();
  return new Uint8Array(target.buffer!);
}

async function copyVideo(file: Uint8Array, source: EncodedVideoPacketSource, seconds: number): Promise<void> {
  const input = new Input({ source: new BufferSource(file), formats: [MP4] });
  const track = await input.getPrimaryVideoTrack();
  const decoderConfig = await track?.getDecoderConfig();
  if (!track || !decoderConfig) throw new Error('the encoder made no picture track');
  const colorSpace = { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', fullRange: false } as const;
  const sink = new EncodedPacketSink(track);
  for await (const packet of sink.packets()) {
    const last = packet.timestamp + packet.duration > seconds - packet.duration / 2;
    const exact = last ? packet.clone({ duration: seconds - packet.timestamp }) : packet;
    await source.add(exact, { decoderConfig: { ...decoderConfig, colorSpace } });
  }
  source.close();
  input.dispose();
}

function createSoundSource(): AudioSampleSource {
  if (!aacReady) registerAacEncoder();
  aacReady = true;
  return new AudioSampleSource({ codec: 'aac', bitrate: soundBitrate });
}

async function addSound(samples: Float32Array<ArrayBuffer>, source: AudioSampleSource): Promise<void> {
  for (let start = 0; start < samples.length; start += soundPieceSamples) {
    const sample = new AudioSample({
      data: samples.subarray(start, start + soundPieceSamples),
      format: 'f32',
      numberOfChannels: 1,
      sampleRate,
      timestamp: start / sampleRate,
    });
    await source.add(sample);
    sample.close();
  }
  source.close();
}
