import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Channel } from '../../core/ports.ts';
import type { Media, VideoRequest } from '../../core/request/types.ts';
import { writeJson } from '../../lib/json.ts';
import { bodyOf, missingFor, pathOf } from './body.ts';
import { videoRequest } from '../kit/request-sample.ts';

const channel = {
  readMedia: async () => ({ bytes: Buffer.from('picture'), contentType: 'image/png' }),
  callbackUrl: (taskId: string) => `https://gateway.example/callbacks/${taskId}`,
} as unknown as Channel;

const url = (name: string): Media => ({ kind: 'url', url: `https://example.com/${name}`, source: 'image' });
const stored: Media = {
  kind: 'stored',
  key: 'inputs/a',
  contentType: 'image/png',
  bytes: 7,
  width: 400,
  height: 400,
  source: 'image',
};

const build = (changes: Partial<VideoRequest>) => bodyOf(videoRequest(changes), 'task_1', channel);
const always = { external_task_id: 'task_1', callback_url: 'https://gateway.example/callbacks/task_1' };

describe('the body of a create', () => {
  test('text to video', async () => {
    const request = videoRequest({ negativePrompt: 'dogs', cfgScale: 0.7 });
    assert.equal(pathOf(request), '/v1/videos/text2video');
    assert.deepEqual(await bodyOf(request, 'task_1', channel), {
      model_name: 'kling-v1-6',
      prompt: 'a cat playing with yarn',
      negative_prompt: 'dogs',
      cfg_scale: 0.7,
      mode: 'std',
      aspect_ratio: '16:9',
      duration: '5',
      ...always,
    });
  });

  test('image to video: URLs as they are, stored pictures as raw base64, no ratio', async () => {
    const request = videoRequest({
      operation: 'image-to-video',
      model: 'kling-v1-6',
      quality: 'pro',
      firstFrame: stored,
      lastFrame: url('end.png'),
    });
    assert.equal(pathOf(request), '/v1/videos/image2video');
    const body = await bodyOf(request, 'task_1', channel);
    assert.equal(body['image'], Buffer.from('picture').toString('base64'));
    assert.equal(body['image_tail'], 'https://example.com/end.png');
    assert.equal(body['mode'], 'pro');
    assert.ok(!('aspect_ratio' in body));
  });

  test('a data URI loses its prefix', async () => {
    const inline: Media = { kind: 'inline', text: 'data:image/png;base64,QUJD', source: 'image' };
    assert.equal((await build({ firstFrame: inline }))['image'], 'QUJD');
  });

  test('several pictures go to multi-image2video on kling-v1-6', async () => {
    const request = videoRequest({ references: [url('a.png'), url('b.png')] });
    assert.equal(pathOf(request), '/v1/videos/multi-image2video');
    const body = await bodyOf(request, 'task_1', channel);
    assert.deepEqual(body['image_list'], [
      { image: 'https://example.com/a.png' },
      { image: 'https://example.com/b.png' },
    ]);
    assert.equal(body['aspect_ratio'], '16:9');
  });

  test('omni: frames typed, references not, the video with its role', async () => {
    const request = videoRequest({
      model: 'kling-v3-omni',
      quality: 'pro',
      negativePrompt: 'dogs',
      firstFrame: url('first.png'),
      lastFrame: url('last.png'),
      references: [url('ref.png')],
      elementIds: ['829836802793406551'],
      referenceVideo: { media: url('clip.mp4'), role: 'feature', keepOriginalSound: true },
    });
    assert.equal(pathOf(request), '/v1/videos/omni-video');
    const body = await bodyOf(request, 'task_1', channel);
    assert.deepEqual(body, {
      model_name: 'kling-v3-omni',
      prompt: 'a cat playing with yarn',
      mode: 'pro',
      duration: '5',
      sound: 'off',
      multi_shot: false,
      image_list: [
        { image_url: 'https://example.com/first.png', type: 'first_frame' },
        { image_url: 'https://example.com/last.png', type: 'end_frame' },
        { image_url: 'https://example.com/ref.png' },
      ],
      element_list: [{ element_id: 829836802793406551n }],
      video_list: [
        { video_url: 'https://example.com/clip.mp4', refer_type: 'feature', keep_original_sound: 'yes' },
      ],
      ...always,
    });
    assert.match(writeJson(body), /"element_id":829836802793406551\}/);
  });

  test('omni without a first frame needs its ratio', async () => {
    assert.equal((await build({ model: 'kling-video-o1', aspectRatio: '9:16' }))['aspect_ratio'], '9:16');
    assert.equal((await build({ model: 'kling-video-o1', aspectRatio: null }))['aspect_ratio'], '16:9');
  });

  test('several shots are spelled out, and "none" is said', async () => {
    const shots = [
      { index: 1, prompt: 'first', seconds: 2 },
      { index: 2, prompt: 'second', seconds: 3 },
    ];
    const body = await build({ model: 'kling-v3', sound: true, multiShot: { type: 'customize', shots } });
    assert.equal(body['multi_shot'], true);
    assert.equal(body['shot_type'], 'customize');
    assert.deepEqual(body['multi_prompt'], [
      { index: 1, prompt: 'first', duration: '2' },
      { index: 2, prompt: 'second', duration: '3' },
    ]);
    assert.equal(body['sound'], 'on');
    assert.equal((await build({ model: 'kling-v3' }))['multi_shot'], false);
    assert.ok(!('multi_shot' in (await build({}))));
  });

  test('what a model does not know is not sent', async () => {
    const master = await build({ model: 'kling-v2-master', quality: null, cfgScale: 0.5 });
    for (const field of ['mode', 'cfg_scale', 'sound', 'multi_shot']) assert.ok(!(field in master), field);
    assert.equal((await build({ model: 'kling-v2-6', quality: null, resolution: '1080P' }))['mode'], 'pro');
  });

  test('extensions never reach what is priced', async () => {
    const body = await build({
      model: 'kling-v2-master',
      extensions: {
        mode: 'pro',
        duration: '10',
        model_name: 'kling-v3',
        model: 'kling-v3',
        sound: 'on',
        voice_list: [{ voice_id: '1' }],
        external_task_id: 'another',
        callback_url: 'https://evil.example',
        static_note: 'kept',
      },
    });
    assert.equal(body['duration'], '5');
    assert.equal(body['model_name'], 'kling-v2-master');
    assert.equal(body['external_task_id'], 'task_1');
    assert.equal(body['callback_url'], always.callback_url);
    for (const field of ['mode', 'model', 'sound', 'voice_list']) assert.ok(!(field in body), field);
    assert.equal(body['static_note'], 'kept');
  });

  test('an element id that is no number is refused before anything is sent', async () => {
    await assert.rejects(build({ model: 'kling-v3', elementIds: ['abc'] }), { kind: 'rejected' });
  });
});

describe('what this provider cannot make', () => {
  const film = { media: url('v.mp4'), role: 'feature', keepOriginalSound: false } as const;
  const cases: [string, Partial<VideoRequest>, RegExp][] = [
    ['motion control elsewhere', { operation: 'motion-control' }, /kling-v2-6 and kling-v3 have/],
    [
      'motion control without a picture',
      { operation: 'motion-control', model: 'kling-v3', referenceVideo: film },
      /picture of the person/,
    ],
    ['an avatar without a sound', { operation: 'avatar', firstFrame: stored }, /a sound file is missing/],
    ['a lip-sync without a sound', { operation: 'lip-sync', firstFrame: stored }, /a sound file is missing/],
    ['a lip-sync of nobody', { operation: 'lip-sync', audio: stored }, /film, or a picture/],
    ['a last frame of 3.0 turbo', { model: 'kling-3.0-turbo', lastFrame: stored }, /no last one/],
    ['a voice of 3.0 turbo', { model: 'kling-3.0-turbo', voiceIds: ['1'] }, /kling-v3 does/],
    [
      'shots of 3.0 turbo that are left to it',
      { model: 'kling-3.0-turbo', multiShot: { type: 'intelligence', shots: [] } },
      /only as a list/,
    ],
    ['a model without text to video', { model: 'kling-v2-1' }, /first frame is missing/],
    ['references elsewhere', { model: 'kling-v2-6', references: [stored] }, /kling-v1-6/],
    ['references beside frames', { references: [stored], firstFrame: stored }, /not both/],
    [
      'a reference video elsewhere',
      { referenceVideo: { media: url('v.mp4'), role: 'feature', keepOriginalSound: false } },
      /kling-v3-omni/,
    ],
    [
      'a reference video we hold ourselves',
      {
        model: 'kling-v3-omni',
        referenceVideo: { media: stored, role: 'feature', keepOriginalSound: false },
      },
      /by URL only/,
    ],
  ];
  for (const [name, changes, words] of cases) {
    test(`${name} is named`, () => assert.match(missingFor(videoRequest(changes)) ?? '', words));
  }

  test('everything else is not', () => {
    assert.equal(missingFor(videoRequest()), null);
    assert.equal(missingFor(videoRequest({ model: 'kling-v2-1', firstFrame: stored })), null);
    assert.equal(missingFor(videoRequest({ model: 'kling-video-o1', references: [stored] })), null);
  });
});
