/** Films with motion, sound or shots: bodies of the real wire, and the simulator that takes them. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Channel, Exchange, Observation } from '../../core/ports.ts';
import type { Media, VideoRequest } from '../../core/request/types.ts';
import { parseJson } from '../../lib/json.ts';
import { toWav } from '../../sandbox/render/sound.ts';
import { neverAborts, openBenchChannel } from '../kit/contract.ts';
import type { ProviderBench } from '../kit/contract.ts';
import { createUpstreamPools } from '../kit/upstream-http.ts';
import { bodyOf, pathOf } from './body.ts';
import { pngOf } from '../kit/picture-sample.ts';
import { kling } from './provider.ts';
import { videoRequest } from '../kit/request-sample.ts';
import { openKlingBench } from './test-bench.ts';

const url = (name: string): Media => ({ kind: 'url', url: `https://example.com/${name}`, source: name });
const inline = (bytes: Buffer): Media => ({ kind: 'inline', text: bytes.toString('base64'), source: 'it' });
const picture = inline(pngOf(640, 480));
const sound = inline(toWav(new Float32Array(44_100 * 3)));
const film = { media: url('film.mp4'), role: 'feature', keepOriginalSound: true } as const;
const channel = { callbackUrl: () => null } as unknown as Channel;
const bodyFor = (changes: Partial<VideoRequest>) => bodyOf(videoRequest(changes), 'task_1', channel);

const motion: Partial<VideoRequest> = {
  operation: 'motion-control',
  model: 'kling-v3',
  firstFrame: picture,
  referenceVideo: film,
  motion: { level: 'pro', orientation: 'image', keepOriginalSound: false },
  quality: 'pro',
};
const avatar: Partial<VideoRequest> = { operation: 'avatar', firstFrame: picture, audio: sound };
const lipSync: Partial<VideoRequest> = { operation: 'lip-sync', referenceVideo: film, audio: sound };
const turbo: Partial<VideoRequest> = { model: 'kling-3.0-turbo', seconds: 7, quality: null };

describe('bodies of scenes', () => {
  test('motion control says orientation, sound and mode, and no length', async () => {
    assert.equal(pathOf(videoRequest(motion)), '/v1/videos/motion-control');
    assert.deepEqual(await bodyFor({ ...motion, firstFrame: url('a.png'), watermark: true }), {
      model_name: 'kling-v3',
      prompt: 'a cat playing with yarn',
      image_url: 'https://example.com/a.png',
      video_url: 'https://example.com/film.mp4',
      keep_original_sound: 'no',
      character_orientation: 'image',
      mode: 'pro',
      watermark_info: { enabled: true },
      external_task_id: 'task_1',
    });
  });

  test('an element is a bare number and forces the orientation of the video', async () => {
    const body = await bodyFor({ ...motion, elementIds: ['829836802793406551'] });
    assert.deepEqual(body['element_list'], [{ element_id: 829836802793406551n }]);
    assert.equal(body['character_orientation'], 'video');
  });

  test('std at 1080P is made at pro', async () => {
    const body = await bodyFor({
      ...motion,
      quality: null,
      motion: { level: 'std', orientation: 'video', keepOriginalSound: true },
      resolution: '1080P',
    });
    assert.equal(body['mode'], 'pro');
    assert.equal(body['keep_original_sound'], 'yes');
  });

  test('an avatar has exactly one sound, by URL, as base64 or by id', async () => {
    assert.equal(pathOf(videoRequest(avatar)), '/v1/videos/avatar/image2video');
    assert.deepEqual(await bodyFor({ ...avatar, firstFrame: url('a.png'), audio: url('a.mp3') }), {
      image: 'https://example.com/a.png',
      sound_file: 'https://example.com/a.mp3',
      prompt: 'a cat playing with yarn',
      mode: 'std',
      external_task_id: 'task_1',
    });
    const both = await bodyFor({ ...avatar, extensions: { audio_id: '9' } });
    assert.ok('sound_file' in both && !('audio_id' in both));
    const byId = await bodyFor({ ...avatar, audio: null, extensions: { audio_id: '9' } });
    assert.ok(byId['audio_id'] === '9' && !('sound_file' in byId));
  });

  test('a lip-sync of a picture is an avatar', () => {
    const request = videoRequest({ ...lipSync, referenceVideo: null, firstFrame: picture });
    assert.equal(pathOf(request), '/v1/videos/avatar/image2video');
    assert.equal(kling.video!.missing(request), null);
  });

  test('a session and a chosen face of the caller’s pass as they are', async () => {
    const extensions = { session_id: '5', face_choose: [{ face_id: '0', audio_id: '7' }] };
    const request = videoRequest({ operation: 'lip-sync', extensions });
    assert.equal(kling.video!.missing(request), null);
    assert.deepEqual(await bodyOf(request, 'task_1', channel), { ...extensions, external_task_id: 'task_1' });
  });

  test('multi-image2video has no cfg_scale', async () => {
    const body = await bodyFor({ references: [picture], cfgScale: 0.3, seconds: 10, aspectRatio: '1:1' });
    assert.ok(!('cfg_scale' in body));
    assert.deepEqual([body['duration'], body['aspect_ratio'], body['mode']], ['10', '1:1', 'std']);
  });
});

describe('bodies of the new standard', () => {
  test('text goes as prompt, with settings and options', async () => {
    assert.equal(pathOf(videoRequest(turbo)), '/text-to-video/kling-3.0-turbo');
    assert.deepEqual(await bodyFor({ ...turbo, resolution: '1080P', watermark: true }), {
      prompt: 'a cat playing with yarn',
      settings: { resolution: '1080p', duration: 7, aspect_ratio: '16:9' },
      options: { external_task_id: 'task_1', watermark_info: { enabled: true } },
    });
  });

  test('a picture goes into the contents, and the ratio is its own', async () => {
    const request = videoRequest({ ...turbo, firstFrame: url('a.png') });
    assert.equal(pathOf(request), '/image-to-video/kling-3.0-turbo');
    assert.deepEqual(await bodyOf(request, 'task_1', channel), {
      contents: [
        { type: 'prompt', text: 'a cat playing with yarn' },
        { type: 'first_frame', url: 'https://example.com/a.png' },
      ],
      settings: { resolution: '720p', duration: 7 },
      options: { external_task_id: 'task_1' },
    });
  });

  test('shots are written into the prompt', async () => {
    const shots = [
      { index: 1, prompt: 'a door; it opens', seconds: 3 },
      { index: 2, prompt: 'a room', seconds: 4 },
    ];
    const body = await bodyFor({ ...turbo, prompt: '', multiShot: { type: 'customize', shots } });
    assert.equal(body['prompt'], '镜头 1, 3, a door, it opens; 镜头 2, 4, a room;');
  });
});

describe('scenes at the simulator', () => {
  let bench: ProviderBench;
  const pools = createUpstreamPools();
  let handles = 0;
  before(async () => {
    bench = await openKlingBench();
  });
  after(async () => {
    await pools.close();
    await bench.close();
  });

  async function make(changes: Partial<VideoRequest>): Promise<Observation> {
    const open = openBenchChannel(bench, pools);
    const request = videoRequest(changes);
    assert.equal(kling.video!.missing(request), null);
    const { ref } = await kling.video!.submit(request, `task_scene${++handles}`, open, neverAborts);
    await bench.clock.advance(300_000);
    return kling.video!.poll(ref, open, neverAborts);
  }
  async function made(changes: Partial<VideoRequest>) {
    const done = await make(changes);
    assert.ok(done.status === 'succeeded', JSON.stringify(done));
    return done;
  }

  test('motion control is made', async () => {
    const done = await made({ ...motion, watermark: true });
    assert.deepEqual(
      done.outputs.map(({ role }) => role),
      ['video', 'watermarked'],
    );
    assert.deepEqual(done.cost, { amount: '6', unit: 'unit' });
  });

  test('an avatar is as long as its sound', async () => {
    const done = await made(avatar);
    assert.equal(done.outputs[0]!.durationSeconds, 3);
    assert.deepEqual(done.cost, { amount: '1.2', unit: 'unit' });
    await made({ ...avatar, audio: url('a.mp3') });
  });

  test('a lip-sync looks for a face first, then is one create', async () => {
    const exchanges: Exchange[] = [];
    const open = openBenchChannel(bench, pools, { exchanges });
    const request = videoRequest(lipSync);
    const { ref } = await kling.video!.submit(request, 'task_lips', open, neverAborts);
    assert.deepEqual(
      exchanges.map(({ path }) => path.slice('/kling'.length)),
      ['/v1/videos/identify-face', '/v1/videos/advanced-lip-sync'],
    );
    const sent = parseJson(exchanges[1]!.request ?? '') as Record<string, unknown>;
    const [face] = sent['face_choose'] as Record<string, unknown>[];
    // Three seconds of sound: no more of it is used, though five were asked for.
    assert.deepEqual([face!['sound_start_time'], face!['sound_end_time']], [0, 3000]);
    await bench.clock.advance(300_000);
    assert.equal((await kling.video!.poll(ref, open, neverAborts)).status, 'succeeded');
  });

  test('a look for faces that breaks off leaves no doubt, and no task', async () => {
    const open = openBenchChannel(bench, pools);
    await bench.behave({ reset_rate: 1, reset_when: 'after', applies_to: 'create' });
    const work = kling.video!.submit(videoRequest(lipSync), 'task_cut', open, neverAborts);
    await assert.rejects(work, { kind: 'unavailable' });
    await bench.behaveWell();
    assert.equal(await bench.submits('task_cut'), 0);
    assert.equal(await kling.video!.lookup!(videoRequest(lipSync), 'task_cut', open, neverAborts), null);
    // The same name serves for the next try: looking again is harmless.
    const { ref } = await kling.video!.submit(videoRequest(lipSync), 'task_cut', open, neverAborts);
    assert.deepEqual(await kling.video!.lookup!(videoRequest(lipSync), 'task_cut', open, neverAborts), {
      ref,
    });
  });

  test('3.0 turbo is made in the new standard, from text, a picture or shots', async () => {
    assert.deepEqual((await made(turbo)).cost, { amount: '5.6', unit: 'unit' });
    const moved = await made({ ...turbo, firstFrame: picture, watermark: true });
    assert.deepEqual(
      moved.outputs.map(({ role }) => role),
      ['video', 'watermarked'],
    );
    const shots = [1, 2].map((index) => ({ index, prompt: `shot ${index}`, seconds: index + 2 }));
    await made({ ...turbo, multiShot: { type: 'customize', shots } });
  });

  test('tasks of both standards are polled together', async () => {
    const open = openBenchChannel(bench, pools);
    const refs = [];
    for (let count = 0; count < 4; count++) {
      for (const request of [videoRequest(), videoRequest(turbo)]) {
        const handle = `task_mixed${++handles}`;
        refs.push((await kling.video!.submit(request, handle, open, neverAborts)).ref);
      }
    }
    const exchanges: Exchange[] = [];
    const watched = openBenchChannel(bench, pools, { exchanges });
    const seen = await kling.video!.pollMany!(refs, watched, neverAborts);
    assert.deepEqual(
      seen.map((one) => one?.status),
      Array(8).fill('submitted'),
    );
    assert.equal(exchanges.length, 2);
  });
});

describe('presets and the end of resources', () => {
  test('are the upstream’s own', async () => {
    const bench = await openKlingBench();
    const pools = createUpstreamPools();
    const open = openBenchChannel(bench, pools);
    const page = { page: 1, pageSize: 30 };
    const voices = await kling.resources!.presets!('voice', page, open, neverAborts);
    assert.ok(voices.length > 0);
    assert.deepEqual(Object.keys(voices[0] as object), ['voice_id', 'voice_name', 'trial_url', 'owned_by']);
    const elements = await kling.resources!.presets!('element', page, open, neverAborts);
    assert.ok(elements.some((one) => (one as { element_id: unknown }).element_id === 829836802793406551n));
    assert.deepEqual(await kling.resources!.presets!('session', page, open, neverAborts), []);
    // Gone already counts as removed.
    await kling.resources!.remove('voice', '404', open, neverAborts);
    await kling.resources!.remove('element', '404', open, neverAborts);
    await pools.close();
    await bench.close();
  });
});
