/**
 * Where nobody asks for a length: what is made is as long as what it is made from, and costs that, to the whole second;
 * the rest of the hold is given back. Sounds have the length they say they have.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { call, eventually, type LooseJson } from '../test/helpers/processes.ts';
import { moneyOf, openAccount, startGateway, type TestAccount, type TestGateway } from './support/gateway.ts';
import { assertSound, assertVideo, plainSound } from './support/media.ts';

const PICTURE = 'https://example.com/one.png';
/** Cannot be reached: the sandbox takes it for a film of five seconds. */
const FILM = 'https://example.com/film.mp4';

let gateway: TestGateway;
let account: TestAccount;
before(async () => {
  gateway = await startGateway('full');
  account = await openAccount(gateway, '100');
});
after(() => gateway.stop());

async function make(path: string, json: unknown): Promise<LooseJson> {
  const url = `${gateway.url}/kling/v1${path}`;
  const created = await call(url, { key: account.key, json });
  assert.equal(created.status, 200, created.text);
  const { task_id: id } = created.body.data;
  return eventually(`the end of ${id}`, 60_000, async () => {
    const { data } = (await call(`${url}/${id}`, { key: account.key })).body;
    assert.notEqual(data.task_status, 'failed', data.task_status_msg);
    return data.task_status === 'succeed' ? data : null;
  });
}

const cases: [string, string, Record<string, unknown>, { seconds: number; billed: number; units: number }][] =
  [
    [
      'motion control follows its film',
      '/videos/motion-control',
      { image_url: PICTURE, video_url: FILM, character_orientation: 'image', mode: 'std' },
      { seconds: 5, billed: 5, units: 0.5 },
    ],
    [
      'an avatar speaks as long as its sound',
      '/videos/avatar/image2video',
      { image: PICTURE, sound_file: plainSound(3) },
      { seconds: 3, billed: 3, units: 0.4 },
    ],
    [
      'a film that is edited keeps its length',
      '/videos/omni-video',
      { prompt: 'make it snow in <<<video_1>>>', video_list: [{ video_url: FILM }], mode: 'std' },
      { seconds: 5, billed: 5, units: 0.9 },
    ],
    [
      'a lip-sync is as long as its film',
      '/videos/lip-sync',
      { input: { video_url: FILM, mode: 'text2video', text: 'Good morning', voice_id: 'genshin_vindi2' } },
      { seconds: 5, billed: 5, units: 0.1 },
    ],
  ];

describe('films', { concurrency: true }, () => {
  for (const [what, path, body, { seconds, billed, units }] of cases) {
    test(`${what}, and costs its whole seconds`, async () => {
      const task = await make(path, body);
      const [video] = task.task_result.videos;
      const film = await assertVideo(video.url);
      assert.ok(Math.abs(film.durationSeconds - seconds) < 0.2, `${film.durationSeconds} s`);
      assert.ok(Math.abs(Number(video.duration) - film.durationSeconds) < 0.2, video.duration);
      const { held, charged } = await moneyOf(gateway, account, task.task_id);
      assert.equal(charged, Math.round(billed * units * 14_000));
      assert.ok(held >= charged);
    });
  }
});

describe('sounds', () => {
  test('a sound from words has the length that was asked for, in both formats', async () => {
    const { task_result: result } = await make('/audio/text-to-audio', { prompt: 'rain', duration: 3.5 });
    const [audio] = result.audios;
    assert.equal(Number(audio.duration_mp3), 3.5);
    // The sandbox has no MP3 encoder; its compressed sound is AAC, and says so.
    await assertSound(audio.url_mp3, 'audio/mp4', 3.5);
    await assertSound(audio.url_wav, 'audio/wav', 3.5);
  });

  test('speech is as long as it says', async () => {
    const json = {
      text: 'A sentence of some length that is spoken out loud.',
      voice_id: 'genshin_vindi2',
      voice_language: 'en',
    };
    const { body } = await call(`${gateway.url}/kling/v1/audio/tts`, { key: account.key, json });
    const [audio] = body.data.task_result.audios;
    await assertSound(audio.url, 'audio/mp4', Number(audio.duration));
  });

  test('the sound of a film is as long as the film', async () => {
    const { task_result: result } = await make('/audio/video-to-audio', {
      video_url: FILM,
      bgm_prompt: 'harp',
    });
    const film = await assertVideo(result.videos[0].url);
    assert.equal(film.audioCodec, 'aac');
    await assertSound(result.audios[0].url_wav, 'audio/wav', film.durationSeconds);
  });
});

test('what was held beyond the charges is free again', async () => {
  assert.equal((await account.wallet()).held, '0.00');
});
