import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { VideoRequest } from '../../core/request/types.ts';
import { inlineBytesMax, missingFor } from './missing.ts';
import { filmMedia, storedMedia, urlMedia, videoRequest } from '../kit/request-sample.ts';

const picture = urlMedia('https://media.example/a.png');
const sound = urlMedia('https://media.example/a.mp3');
const motion = { level: 'std', orientation: 'video', keepOriginalSound: true } as const;

describe('what VOD can make is not missing', () => {
  const able: [string, Partial<VideoRequest>][] = [
    ['text', {}],
    ['a first and an end frame', { firstFrame: picture, lastFrame: picture }],
    ['sound', { model: 'kling-v2-6', sound: true }],
    ['shots', { model: 'kling-v3', multiShot: { type: 'intelligence', shots: [] } }],
    ['voices on 3.0', { model: 'kling-v3', sound: true, voiceIds: ['1'] }],
    ['references', { model: 'kling-v3-omni', references: [picture, picture] }],
    ['a film to be edited', { model: 'kling-video-o1', referenceVideo: filmMedia('base') }],
    [
      'motion from a film alone (003 6.8)',
      { operation: 'motion-control', model: 'kling-v2-6', referenceVideo: filmMedia(), motion },
    ],
    [
      'an avatar from picture and words (003 6.10)',
      { operation: 'avatar', model: 'kling-v2-6', firstFrame: picture, sound: true },
    ],
    [
      'an avatar with a sound',
      { operation: 'avatar', model: 'kling-v2-6', firstFrame: picture, audio: sound, prompt: '' },
    ],
    [
      'lips from picture and words (003 6.11)',
      { operation: 'lip-sync', model: 'kling-v2-6', firstFrame: picture, sound: true },
    ],
    [
      'lips of a film',
      { operation: 'lip-sync', model: 'kling-v2-6', referenceVideo: filmMedia(), audio: sound },
    ],
    [
      'lips by session',
      { operation: 'lip-sync', model: 'kling-v2-6', extensions: { session_id: '1', face_choose: [{}] } },
    ],
    ['seven megabytes', { firstFrame: storedMedia(inlineBytesMax) }],
  ];
  for (const [name, changes] of able) {
    test(name, () => assert.equal(missingFor(videoRequest(changes)), null));
  }
});

describe('what VOD cannot make is named', () => {
  const unable: [RegExp, Partial<VideoRequest>][] = [
    [/kling-v1 is not offered/, { model: 'kling-v1' }],
    [/toString is not offered/, { model: 'toString' }],
    [/4K is only enlarged/, { model: 'kling-v3', resolution: '4K', quality: '4k' }],
    [/no motion masks/, { firstFrame: picture, staticMask: picture }],
    [/no motion masks/, { firstFrame: picture, dynamicMasks: [{ mask: picture, trajectories: [] }] }],
    [/no watermarked copy/, { watermark: true }],
    [/camera control/, { cameraControl: { type: 'down_back', config: null } }],
    [/neither avatars nor lip-sync/, { operation: 'avatar', model: 'kling-v3', firstFrame: picture }],
    [/no sound .*kling-v2-6, kling-v3 and/, { sound: true }],
    [/one shot only/, { model: 'kling-v2-6', multiShot: { type: 'intelligence', shots: [] } }],
    [/no chosen voices/, { model: 'kling-v2-6', sound: true, voiceIds: ['1'] }],
    [/no elements/, { model: 'kling-v2-6', elementIds: ['1'] }],
    [/no reference pictures/, { model: 'kling-v1-6', references: [picture] }],
    [/no reference video/, { model: 'kling-v3', referenceVideo: filmMedia() }],
    [/only beside a first frame/, { lastFrame: picture }],
    [/7 MB/, { firstFrame: storedMedia(inlineBytesMax), lastFrame: storedMedia(1) }],
    [/7 MB/, { firstFrame: { kind: 'inline', text: 'A'.repeat(10_000_000), source: 'image' } }],
    [
      /no motion control/,
      { operation: 'motion-control', model: 'kling-v1-6', referenceVideo: filmMedia(), motion },
    ],
    [
      /needs a reference video/,
      { operation: 'motion-control', model: 'kling-v3', firstFrame: picture, motion },
    ],
    [/needs a picture/, { operation: 'avatar', model: 'kling-v2-6' }],
    [
      /a sound file or a prompt/,
      { operation: 'avatar', model: 'kling-v2-6', firstFrame: picture, prompt: '' },
    ],
    [/needs a sound file/, { operation: 'lip-sync', model: 'kling-v2-6', referenceVideo: filmMedia() }],
    [/needs face_choose/, { operation: 'lip-sync', model: 'kling-v2-6', extensions: { session_id: '1' } }],
    [
      /needs a picture with a prompt/,
      { operation: 'lip-sync', model: 'kling-v2-6', firstFrame: picture, prompt: '' },
    ],
    [
      /by URL only/,
      {
        operation: 'lip-sync',
        model: 'kling-v2-6',
        audio: sound,
        referenceVideo: { ...filmMedia(), media: storedMedia(9, 'video/mp4') },
      },
    ],
  ];
  for (const [sentence, changes] of unable) {
    test(String(sentence), () => assert.match(missingFor(videoRequest(changes)) ?? '', sentence));
  }
});
