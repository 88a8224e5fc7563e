/** What Kling's own doors require and bill otherwise than the general ones (specs/kling.md §3.3 to §3.9, §4). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { film, otherPicture, picture, refused, resolve, type Body } from './doors.ts';

describe('motion control', () => {
  const body = {
    model_name: 'kling-v2-6',
    image: picture,
    metadata: { video_url: film },
    character_orientation: 'image',
    mode: 'std',
  };
  const without = (name: string): Body => ({ ...body, [name]: undefined });

  test('requires what the official route requires, by its names', () => {
    const missing = 'missing_required_parameter';
    refused(without('image'), missing, 'image_url', 'motionControl');
    refused(without('metadata'), missing, 'video_url', 'motionControl');
    refused(without('character_orientation'), missing, 'character_orientation', 'motionControl');
    refused(without('mode'), missing, 'mode', 'motionControl');
  });

  test('holds the longest film and charges what was made', () => {
    const byPicture = resolve(body, 'motionControl');
    assert.deepEqual([byPicture.quote.quantityMax, byPicture.request.billsOutputLength], [10, true]);
    const byFilm = resolve({ ...body, character_orientation: 'video' }, 'motionControl');
    assert.equal(byFilm.quote.quantityMax, 30);
  });

  test('has one switch for grade and level', () => {
    const pro = resolve({ ...body, mode: 'pro' }, 'motionControl');
    assert.deepEqual([pro.request.resolution, pro.request.quality], ['1080P', 'pro']);
    assert.equal(pro.quote.tier, 'kling-2.5-motion-pro-1080p');
    assert.equal(resolve(body, 'motionControl').quote.tier, 'kling-2.5-motion-std-720p');
  });
});

describe('avatar', () => {
  test('requires a picture and exactly one sound', () => {
    const missing = 'missing_required_parameter';
    refused({ sound_file: film }, missing, 'image', 'avatar');
    refused({ image: picture }, missing, 'sound_file', 'avatar');
    refused({ image: picture, sound_file: film, audio_id: '1' }, 'invalid_value', 'audio_id', 'avatar');
    assert.equal(resolve({ image: picture, audio_id: '1' }, 'avatar').request.extensions['audio_id'], '1');
  });

  test('holds the longest sound and charges what was made', () => {
    const { quote, request } = resolve({ image: picture, sound_file: film, mode: 'pro' }, 'avatar');
    assert.deepEqual([quote.tier, quote.quantityMax], ['kling-avatar-1080p', 300]);
    assert.equal(request.billsOutputLength, true);
  });
});

describe('several pictures', () => {
  test('are references even when there is only one', () => {
    const { request } = resolve({ prompt: 'a lake', image_list: [{ image: picture }] }, 'multiImage');
    assert.deepEqual([request.references.length, request.firstFrame], [1, null]);
    assert.equal(
      resolve({ prompt: 'a lake', image_list: [picture, otherPicture] }, 'multiImage').quote.tier,
      'kling-1.6-720p',
    );
  });

  test('and words are required', () => {
    refused({ prompt: 'a lake', image: picture }, 'missing_required_parameter', 'image_list', 'multiImage');
    refused({ image_list: [picture] }, 'missing_required_parameter', 'prompt', 'multiImage');
    const five = Array.from({ length: 5 }, (_, index) => `${picture}?${index}`);
    refused({ prompt: 'a lake', image_list: five }, 'invalid_value', 'image_list[4]', 'multiImage');
  });
});

test('an edited film is held at its longest and charged as made', () => {
  const edit = { prompt: 'in winter', video_list: [{ video_url: film }] };
  const { quote, request } = resolve(edit, 'omniVideo');
  assert.deepEqual([quote.quantityMax, request.billsOutputLength], [10, true]);
});

describe('the new standard', () => {
  test('has names that mean the models of the legacy standard', () => {
    const names = {
      'kling-2.5-turbo': 'kling-v2-5-turbo',
      'kling-2.6': 'kling-v2-6',
      'kling-3.0': 'kling-v3',
      'kling-3.0-omni': 'kling-v3-omni',
      'kling-o1': 'kling-video-o1',
      'kling-3.0-turbo': 'kling-3.0-turbo',
    };
    for (const [model, native] of Object.entries(names)) {
      assert.equal(resolve({ model, prompt: 'a lake', aspect_ratio: '1:1' }).request.model, native);
    }
  });
});

describe('3.0 Turbo', () => {
  test('always has sound, and is priced so', () => {
    const { request, quote } = resolve({ model: 'kling-3.0-turbo', prompt: 'a lake', seconds: 15 });
    assert.deepEqual([request.sound, quote.tier, quote.quantity], [true, 'kling-3.0-turbo-720p', 15]);
    const mute = resolve({ model: 'kling-3.0-turbo', prompt: 'a lake', sound: 'off', mode: 'pro' });
    assert.deepEqual(
      [mute.request.sound, mute.quote.tier, mute.warnings.map(({ code }) => code)],
      [true, 'kling-3.0-turbo-1080p', ['sound_ignored']],
    );
  });

  test('takes a first frame and nothing else', () => {
    const body = { model: 'kling-3.0-turbo', prompt: 'a lake' };
    assert.equal(resolve({ ...body, image: picture }).request.operation, 'image-to-video');
    refused({ ...body, image: picture, image_tail: otherPicture }, 'unsupported_parameter', 'image_tail');
    refused({ ...body, images: [picture, otherPicture] }, 'invalid_value', 'images[1]');
    refused({ ...body, image: picture, element_list: [1] }, 'unsupported_parameter', 'element_list');
    refused({ ...body, mode: '4k' }, 'invalid_value', 'mode');
    refused({ ...body, seconds: 2 }, 'invalid_value', 'seconds');
  });

  test('takes shots as a list, not as it divides them', () => {
    const body = { model: 'kling-3.0-turbo', multi_shot: true };
    const shots = [{ index: 1, prompt: 'a cat', duration: 5 }];
    const listed = resolve({ ...body, shot_type: 'customize', multi_prompt: shots });
    assert.deepEqual(listed.request.multiShot?.shots.length, 1);
    const divided = { ...body, prompt: 'a cat', shot_type: 'intelligence' };
    refused(divided, 'unsupported_parameter', 'shot_type');
  });
});

test('names that make no films are refused where films are made', () => {
  for (const model of ['kling-v2', 'kling-features', 'kolors-virtual-try-on-v1']) {
    refused({ model, prompt: 'a lake' }, 'invalid_value', 'model');
  }
});
