/**
 * The official platform's legacy standard, path by path: create, query, list, what was made, what it cost, what is
 * refused; then features that build on each other, and whose voices, elements, sessions and films are whose.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import sharp from 'sharp';
import { request } from 'undici';
import { call, eventually, type Answer, type LooseJson } from '../test/helpers/processes.ts';
import {
  assertLedgerBalances,
  assertRefused,
  completed,
  moneyOf,
  openAccount,
  startGateway,
  type TestAccount,
  type TestGateway,
} from './support/gateway.ts';
import { klingFeatures, type KlingFeature, type Made } from './support/kling-features.ts';
import { assertPicture, assertSound, assertVideo, plainSound } from './support/media.ts';
import { dataUri, plainPicture } from './support/picture.ts';

const ROOT = '/kling/v1';
const PICTURE = 'https://example.com/one.png';
const FILM = 'https://example.com/film.mp4';

let gateway: TestGateway;
let account: TestAccount;
let stranger: TestAccount;
let made: Made;

const post = (path: string, json: unknown, key = account.key): Promise<Answer> =>
  call(gateway.url + ROOT + path, { key, json });
const get = (path: string, key = account.key): Promise<Answer> => call(gateway.url + ROOT + path, { key });

async function accepted(path: string, json: unknown, key?: string): Promise<LooseJson> {
  const { status, body, text } = await post(path, json, key);
  assert.equal(status, 200, `${path}: ${text}`);
  assert.equal(body.code, 0, text);
  return body.data;
}

/** Polls at the path itself until the task is final; it must have ended well. */
async function succeeded(path: string, id: string, key?: string): Promise<LooseJson> {
  const task = await eventually(`the end of ${id}`, 60_000, async () => {
    const { status, body, text } = await get(`${path}/${encodeURIComponent(id)}`, key);
    assert.equal(status, 200, text);
    assert.equal(body.code, 0);
    return ['succeed', 'failed'].includes(body.data.task_status) ? body.data : null;
  });
  assert.equal(task.task_status, 'succeed', task.task_status_msg);
  return task;
}

async function make(path: string, json: unknown, key?: string): Promise<LooseJson> {
  const { task_id: id, task_status: status } = await accepted(path, json, key);
  assert.equal(status, 'submitted');
  return (await succeeded(path, id, key)).task_result;
}

before(async () => {
  gateway = await startGateway('tiny');
  account = await openAccount(gateway, '100');
  stranger = await openAccount(gateway, '100');
  const colour = { red: 40, green: 90, blue: 160 };
  // The platform's own form of an inline picture: base64 and nothing else.
  const picture = dataUri(await plainPicture(colour, { width: 640, height: 360 })).split(',')[1]!;
  const { task_id: film } = await accepted('/videos/text2video', {
    model_name: 'kling-v1-6',
    prompt: 'film',
  });
  await succeeded('/videos/text2video', film);
  const faces = await accepted('/videos/identify-face', { video_id: film });
  const selection = await accepted('/videos/multi-elements/init-selection', { video_id: film });
  const session = { session_id: selection.session_id };
  await accepted('/videos/multi-elements/add-selection', {
    ...session,
    frame_index: 0,
    points: [{ x: 0.5, y: 0.5 }],
  });
  made = { film, faces: faces.session_id, selection: selection.session_id, picture };
});
after(() => gateway.stop());

/** `input.images`, `face_choose[0].face_id`: the body without it. */
function without(body: Record<string, unknown>, place: string): unknown {
  const copy = structuredClone(body);
  const keys = place.split(/[.[\]]+/).filter((key) => key !== '');
  const last = keys.pop()!;
  delete keys.reduce((at: LooseJson, key) => at[key], copy)[last];
  return copy;
}

const EVERY = ['videos', 'images', 'series_images', 'audios', 'voices', 'elements'] as const;

async function assertMade(result: LooseJson, feature: KlingFeature, task: string): Promise<void> {
  const counts = Object.fromEntries(
    EVERY.flatMap((kind) => (result[kind] === undefined ? [] : [[kind, result[kind].length]])),
  );
  assert.deepEqual(counts, feature.makes);
  for (const video of result.videos ?? []) {
    assert.equal(typeof video.id, 'string');
    assert.match(video.duration, /^\d+(\.\d+)?$/);
    assert.equal((await assertVideo(video.url)).videoCodec, 'h264');
  }
  for (const [index, image] of (result.images ?? result.series_images ?? []).entries()) {
    if (image.index !== undefined) assert.equal(image.index, index);
    await assertPicture(image.url);
  }
  for (const audio of result.audios ?? []) {
    assert.equal(typeof audio.id, 'string');
    if (feature.immediate) {
      await assertSound(audio.url, 'audio/mp4');
      continue;
    }
    // The sandbox has no MP3 encoder; its compressed sound is AAC, and says so.
    await assertSound(audio.url_mp3, 'audio/mp4');
    await assertSound(audio.url_wav, 'audio/wav');
  }
  for (const voice of result.voices ?? []) {
    assert.match(voice.voice_id, /\S/, task);
    assert.equal(voice.voice_name, 'narrator');
    await assertSound(voice.trial_url, 'audio/mp4');
  }
  for (const element of result.elements ?? []) {
    assert.equal(element.element_name, 'courier');
    assert.equal(element.element_description, 'a courier in yellow');
    assert.equal(element.status, 'succeed');
    await assertPicture(element.element_image_list.frontal_image);
  }
}

/** Money as hundred-thousandths: no official price is finer. */
const price = (units: number): number => Math.round(units * 14_000);
const money = (text: string): number => Math.round(Number(text) * 100_000);

describe('every path', { concurrency: true }, () => {
  for (const feature of klingFeatures) {
    const { path } = feature;
    test(`${path}: dry run, task, result, list, charge`, async () => {
      const body = feature.body(made);
      const dry = await post(`${path}?dry_run=true`, body);
      assert.equal(dry.status, 200, dry.text);
      assert.deepEqual(
        [dry.body.object, dry.body.model, dry.body.unit],
        ['estimate', feature.tier, feature.unit],
      );
      assert.equal(money(dry.body.amount), price(feature.unitsMax ?? (feature.units as number)), dry.text);
      assert.ok(!dry.body.warnings.some(({ code }: LooseJson) => code === 'no_channel'), dry.text);

      const own = `mine ${path}`;
      const created = await accepted(path, { ...body, external_task_id: own });
      const { task_id: id } = created;
      assert.equal(created.task_status, feature.immediate ? 'succeed' : 'submitted');
      assert.equal(created.task_info.external_task_id, own);
      assert.ok(Number.isInteger(created.created_at) && Number.isInteger(created.updated_at));
      if (feature.immediate) await assertMade(created.task_result, feature, path);
      const task = await succeeded(path, id);
      assert.equal(task.task_info.external_task_id, own);
      await assertMade(task.task_result, feature, path);
      const byOwnName = await succeeded(path, own);
      assert.equal(byOwnName.task_id, id);
      const { data } = (await get(`${path}?pageNum=1&pageSize=500`)).body;
      const listed = data.filter((one: LooseJson) => one.task_id === id);
      assert.equal(listed.length, 1, 'it is in the list of its path');
      assert.deepEqual(Object.keys(listed[0].task_result), Object.keys(task.task_result));
      assert.deepEqual(
        data.map((one: LooseJson) => one.created_at).toSorted(descending),
        data.map((one: LooseJson) => one.created_at),
      );

      const spent = await moneyOf(gateway, account, id);
      assert.deepEqual(spent, {
        held: money(dry.body.amount),
        charged: price(await unitsOf(feature, task.task_result)),
      });

      const again = await post(path, { ...body, external_task_id: own });
      assertRefused(again, ROOT, { param: 'external_task_id' });
    });

    test(`${path}: what is missing is named, what is not there is 1203`, async () => {
      const body = feature.body(made);
      for (const field of feature.required) {
        const place = typeof field === 'string' ? field : field.place;
        const error = assertRefused(await post(path, without(body, place)), ROOT, {
          status: 400,
          number: 1201,
        });
        if (typeof field === 'string') assert.equal(error.param, place);
        else assert.match(`${error.param} ${error.message}`, field.as);
        assert.match(error.message, /required|missing|must|give/i);
      }
      assertRefused(await get(`${path}/913827032734642185`), ROOT, { status: 404, number: 1203 });
      assertRefused(await get(`${path}/${encodeURIComponent(`mine ${path}`)}`, stranger.key), ROOT, {
        status: 404,
        number: 1203,
      });
      for (const query of ['pageNum=0', 'pageSize=501', 'pageNum=1001', 'pageSize=x'])
        assertRefused(await get(`${path}?${query}`), ROOT, { status: 400, number: 1201 });
      assertRefused(await call(gateway.url + ROOT + path, { json: body }), ROOT, {
        status: 401,
        number: 1001,
      });
    });
  }
});

/** Where the length is known only when it is made, the film's own whole seconds count. */
async function unitsOf({ units }: KlingFeature, result: LooseJson): Promise<number> {
  if (typeof units === 'number') return units;
  const { durationSeconds } = await assertVideo(result.videos[0].url);
  return units(Math.round(durationSeconds));
}
const descending = (one: number, other: number): number => other - one;

describe('answered at once', () => {
  test('identify-face: a session and its faces, at every spelling of the path', async () => {
    const bodies = [{ video_id: made.film }, { video_url: FILM }];
    for (const path of ['/videos/identify-face', '/videos/Identify-Face']) {
      for (const body of bodies) {
        const dry = (await post(`${path}?dry_run=true`, body)).body;
        assert.equal(money(dry.amount), price(0.05));
        const answer = await post(path, body);
        assert.equal(answer.status, 200, answer.text);
        const { session_id: session, face_data: faces } = answer.body.data;
        assert.match(session, /\S/);
        assert.ok(faces.length > 0);
        for (const face of faces) {
          assert.equal(typeof face.face_id, 'string');
          assert.ok(face.end_time - face.start_time >= 2000);
          await assertPicture(face.face_image);
        }
        const { charged } = await moneyOf(gateway, account, answer.body.id);
        assert.equal(charged, price(0.05));
      }
    }
    assertRefused(await post('/videos/identify-face', {}), ROOT, { status: 400, number: 1201 });
  });

  test('the selection steps of multi-elements: init, add, delete, clear, preview', async () => {
    const steps = '/videos/multi-elements';
    const opened = await accepted(`${steps}/init-selection`, { video_id: made.film });
    const { session_id: session, ...shape } = opened;
    assert.deepEqual([shape.status, shape.fps > 0, shape.width > 0, shape.height > 0], [0, true, true, true]);
    assert.ok(Math.abs(shape.original_duration - 5000) < 300);
    assert.ok(shape.total_frame > 0);
    const point = { session_id: session, frame_index: 3, points: [{ x: 0.25, y: 0.5 }] };
    const marked = await accepted(`${steps}/add-selection`, point);
    assert.equal(marked.session_id, session);
    assert.equal(marked.res.frame_index, 3);
    const [mask] = marked.res.rle_mask_list;
    assert.ok(Number.isInteger(mask.object_id));
    assert.ok(mask.rle_mask.counts.length > 0);
    const drawn = await plainMask(mask.png_mask.base64);
    assert.deepEqual([drawn.height, drawn.width], mask.png_mask.size);
    const preview = await accepted(`${steps}/preview-selection`, { session_id: session });
    assert.equal((await assertVideo(preview.res.video)).videoCodec, 'h264');
    await assertPicture(preview.res.video_cover);
    const unmarked = await accepted(`${steps}/delete-selection`, point);
    assert.deepEqual(unmarked.res.rle_mask_list, []);
    await accepted(`${steps}/add-selection`, point);
    await accepted(`${steps}/clear-selection`, { session_id: session });
    for (const step of ['add', 'delete', 'clear', 'preview']) {
      assertRefused(await post(`${steps}/${step}-selection`, { ...point, session_id: undefined }), ROOT, {
        status: 400,
        number: 1201,
        param: 'session_id',
      });
      assertRefused(await post(`${steps}/${step}-selection`, { ...point, session_id: 'none' }), ROOT, {
        status: 404,
        number: 1203,
        param: 'session_id',
      });
    }
    assertRefused(await post(`${steps}/add-selection`, { ...point, points: [{ x: 1.5, y: 0 }] }), ROOT, {
      status: 400,
      param: 'points[0].x',
    });
  });

  test('presets of voices and elements: by pages, long ids as bare numbers', async () => {
    const voices = await get('/general/presets-voices?pageNum=1&pageSize=3');
    assert.equal(voices.body.data?.length, 3, voices.text);
    for (const { task_status: status, task_result: result } of voices.body.data) {
      assert.equal(status, 'succeed');
      assert.equal(result.voices[0].owned_by, 'kling');
    }
    const elements = await get('/general/advanced-presets-elements?pageSize=500');
    assert.ok(elements.body.data.length > 0);
    assert.match(elements.text, /"element_id":\d{18}[,}]/);
    assertRefused(await get('/general/presets-voices?pageSize=1001'), ROOT, {
      status: 400,
      param: 'pageSize',
    });
  });

  test('account/costs at both its addresses: the wallet as a resource pack, in a double envelope', async () => {
    for (const path of ['/kling/v1/account/costs', '/kling/account/costs']) {
      const { status, body, text } = await call(`${gateway.url}${path}?start_time=1&end_time=${Date.now()}`, {
        key: account.key,
      });
      assert.equal(status, 200, text);
      assert.deepEqual([body.code, body.data.code], [0, 0]);
      const [pack] = body.data.resource_pack_subscribe_infos;
      const { available } = await account.wallet();
      assert.ok(Math.abs(pack.remaining_quantity - Number(available)) < 0.01, text);
      assertRefused(await call(gateway.url + path, { key: account.key }), ROOT, {
        status: 400,
        number: 1201,
        param: 'start_time',
      });
    }
  });
});

async function plainMask(base64: string): Promise<{ width: number; height: number }> {
  const { info } = await sharp(Buffer.from(base64, 'base64')).raw().toBuffer({ resolveWithObject: true });
  return info;
}

/** A body as it is: a long id as clients of the platform send it is a number that no double holds. */
async function postText(path: string, text: string): Promise<Answer> {
  const headers = { authorization: `Bearer ${account.key}`, 'content-type': 'application/json' };
  const answer = await request(gateway.url + ROOT + path, { method: 'POST', headers, body: text });
  const answered = await answer.body.text();
  return { status: answer.statusCode, headers: answer.headers, text: answered, body: JSON.parse(answered) };
}

describe('one feature builds on another', { concurrency: true }, () => {
  test('words, then an extension, then an extension of that; the parents are told', async () => {
    const first = await accepted('/videos/text2video', { model_name: 'kling-v1-6', prompt: 'a road' });
    const film = (await succeeded('/videos/text2video', first.task_id)).task_result.videos[0];
    const second = await accepted('/videos/video-extend', { video_id: film.id, prompt: 'on and on' });
    const longer = await succeeded('/videos/video-extend', second.task_id);
    assert.equal(longer.task_info.parent_video.id, film.id);
    assert.ok(Number(longer.task_result.videos[0].duration) > Number(film.duration));
    const third = await accepted('/videos/video-extend', { video_id: second.task_id });
    assert.equal((await succeeded('/videos/video-extend', third.task_id)).task_result.videos.length, 1);
  });

  test('faces, then a lip-sync with a voice made by text to speech', async () => {
    const speech = await accepted('/audio/tts', {
      text: 'Good morning to all of you, and a very warm welcome to this long programme of ours.',
      voice_id: 'genshin_vindi2',
      voice_language: 'en',
    });
    const { session_id: session, face_data: faces } = await accepted('/videos/identify-face', {
      video_id: made.film,
    });
    const result = await make('/videos/advanced-lip-sync', {
      session_id: session,
      face_choose: [
        {
          face_id: faces[0].face_id,
          audio_id: speech.task_result.audios[0].id,
          sound_start_time: 0,
          sound_end_time: 3000,
          sound_insert_time: 0,
        },
      ],
    });
    assert.equal((await assertVideo(result.videos[0].url)).videoCodec, 'h264');
  });

  test('speech, then an avatar that speaks it', async () => {
    const speech = await accepted('/audio/tts', {
      text: 'A rather long sentence that takes some seconds to be spoken out loud.',
      voice_id: 'genshin_vindi2',
      voice_language: 'en',
    });
    const result = await make('/videos/avatar/image2video', {
      image: PICTURE,
      audio_id: speech.task_result.audios[0].id,
    });
    assert.equal((await assertVideo(result.videos[0].url)).videoCodec, 'h264');
  });

  test('a voice of one’s own speaks in a film, costs its surcharge, and in text to speech', async () => {
    const { voices } = await make('/general/custom-voices', {
      voice_name: 'mine',
      voice_url: 'https://example.com/me.mp3',
    });
    const { voice_id: voice } = voices[0];
    const spoken = {
      model_name: 'kling-v2-6',
      prompt: 'she says <<<voice_1>>> hello',
      image: PICTURE,
      mode: 'pro',
      sound: 'on',
      voice_list: [{ voice_id: voice }],
    };
    const dry = await post('/videos/image2video?dry_run=true', spoken);
    assert.equal(money(dry.body.amount), price(5 * 1.2), dry.text);
    const { task_id: id } = await accepted('/videos/image2video', spoken);
    await succeeded('/videos/image2video', id);
    assert.equal((await moneyOf(gateway, account, id)).charged, price(5 * 1.2));
    await accepted('/audio/tts', { text: 'hello', voice_id: voice });
    // Made of a film with sound, too.
    const { voices: more } = await make('/general/custom-voices', { voice_name: 'again', video_id: id });
    assert.notEqual(more[0].voice_id, voice);
  });

  test('an element of one’s own appears in films and pictures, named by a bare number', async () => {
    const { task_id: id } = await accepted('/general/advanced-custom-elements', {
      element_name: 'cat',
      element_description: 'a cat',
      reference_type: 'image_refer',
      element_image_list: { frontal_image: PICTURE, refer_images: [{ image_url: PICTURE }] },
    });
    await succeeded('/general/advanced-custom-elements', id);
    const { text } = await get(`/general/advanced-custom-elements/${id}`);
    const element = /"element_id":(\d+)[,}]/.exec(text)?.[1];
    assert.ok(element !== undefined && element.length >= 18, text);
    for (const [path, body] of [
      [
        '/videos/omni-video',
        `{"model_name":"kling-v3-omni","prompt":"<<<element_1>>> runs","aspect_ratio":"16:9"`,
      ],
      ['/videos/image2video', `{"model_name":"kling-v3","prompt":"it runs","image":"${PICTURE}"`],
      ['/images/omni-image', `{"model_name":"kling-v3-omni","prompt":"<<<element_1>>> sleeps"`],
    ] as const) {
      for (const spelling of [element, `"${element}"`]) {
        const created = await postText(path, `${body},"element_list":[{"element_id":${spelling}}]}`);
        assert.equal(created.status, 200, `${path} ${spelling}: ${created.text}`);
        await succeeded(path, created.body.data.task_id);
      }
      const preset = await postText(path, `${body},"element_list":[{"element_id":829836802793406551}]}`);
      assert.equal(preset.status, 200, preset.text);
    }
  });

  test('an element is made with a voice of one’s own, and from a film', async () => {
    const { voices } = await make('/general/custom-voices', {
      voice_name: 'purr',
      voice_url: 'https://example.com/purr.mp3',
    });
    const { elements } = await make('/general/advanced-custom-elements', {
      element_name: 'dog',
      element_description: 'a dog',
      reference_type: 'video_refer',
      element_video_list: { refer_videos: [{ video_url: FILM }] },
      element_voice_id: voices[0].voice_id,
    });
    assert.equal(elements[0].reference_type, 'video_refer');
    assert.equal(elements[0].element_voice_info.voice_id, voices[0].voice_id);
  });

  test('a selection, then the edit of it, also with a slash at the end of the path', async () => {
    const steps = '/videos/multi-elements';
    const { session_id: session } = await accepted(`${steps}/init-selection`, { video_id: made.film });
    await accepted(`${steps}/add-selection`, {
      session_id: session,
      frame_index: 0,
      points: [{ x: 0.5, y: 0.5 }],
    });
    const { task_id: id } = await accepted(`${steps}/`, {
      session_id: session,
      edit_mode: 'removal',
      prompt: 'remove it from <<<video_1>>>',
    });
    const task = await succeeded(steps, id);
    assert.equal(task.session_id, session);
    assert.equal(task.task_result.videos[0].session_id, session);
  });

  test('a film with sound of its own is made from a film, and parents are told', async () => {
    const { task_id: id } = await accepted('/audio/video-to-audio', {
      video_id: made.film,
      bgm_prompt: 'harp',
    });
    const task = await succeeded('/audio/video-to-audio', id);
    assert.equal(task.task_info.parent_video.id, made.film);
    assert.notEqual((await assertVideo(task.task_result.videos[0].url)).audioCodec, null);
  });

  test('tasks of features are seen at the other doors and can be deleted there', async () => {
    const { task_id: id } = await accepted('/images/generations', { prompt: 'seen elsewhere' });
    await completed(gateway, account.key, id);
    const elsewhere = (await call(`${gateway.url}/v1/videos/${id}`, { key: account.key })).body;
    assert.equal(elsewhere.model, 'kling-text-to-image-v1');
    await assertPicture(elsewhere.metadata.url);
    assert.equal((await get(`/videos/text2video/${id}`)).body.data.task_result.images.length, 1);
    const gone = await call(`${gateway.url}/v1/videos/${id}`, { key: account.key, method: 'DELETE' });
    assert.equal(gone.status, 200, gone.text);
    assertRefused(await get(`/images/generations/${id}`), ROOT, { status: 404, number: 1203 });
  });
});

describe('whose things are whose', () => {
  test('films, sessions, sounds, voices and elements of another account are not there', async () => {
    const { voices } = await make('/general/custom-voices', {
      voice_name: 'secret',
      voice_url: 'https://example.com/me.mp3',
    });
    const { task_id: elementTask } = await accepted('/general/advanced-custom-elements', {
      element_name: 'secret',
      element_description: 'a secret',
      reference_type: 'image_refer',
      element_image_list: { frontal_image: PICTURE, refer_images: [{ image_url: PICTURE }] },
    });
    await succeeded('/general/advanced-custom-elements', elementTask);
    const { text } = await get(`/general/advanced-custom-elements/${elementTask}`);
    const element = /"element_id":(\d+)/.exec(text)![1]!;
    const speech = await accepted('/audio/tts', { text: 'x', voice_id: 'genshin_vindi2' });
    const audio = speech.task_result.audios[0].id;
    const voice = voices[0].voice_id;
    const face = { sound_start_time: 0, sound_end_time: 3000, sound_insert_time: 0, face_id: '0' };
    const attempts: [string, unknown, string][] = [
      ['/videos/video-extend', { video_id: made.film }, 'video_id'],
      ['/videos/identify-face', { video_id: made.film }, 'video_id'],
      ['/videos/multi-elements/init-selection', { video_id: made.film }, 'video_id'],
      ['/audio/video-to-audio', { video_id: made.film }, 'video_id'],
      ['/general/custom-voices', { voice_name: 'x', video_id: made.film }, 'video_id'],
      [
        '/videos/lip-sync',
        { input: { video_id: made.film, mode: 'text2video', text: 'x', voice_id: 'genshin_vindi2' } },
        'input.video_id',
      ],
      [
        '/videos/advanced-lip-sync',
        { session_id: made.faces, face_choose: [{ ...face, sound_file: plainSound(4) }] },
        'session_id',
      ],
      ['/videos/multi-elements/preview-selection', { session_id: made.selection }, 'session_id'],
      [
        '/videos/multi-elements',
        { session_id: made.selection, edit_mode: 'removal', prompt: 'x' },
        'session_id',
      ],
      ['/videos/avatar/image2video', { image: PICTURE, audio_id: audio }, 'audio_id'],
      ['/audio/tts', { text: 'x', voice_id: voice }, 'voice_id'],
      [
        '/videos/text2video',
        { model_name: 'kling-v3', prompt: 'x', sound: 'on', voice_list: [{ voice_id: voice }] },
        'voice_list',
      ],
      [
        '/videos/image2video',
        { model_name: 'kling-v3', image: PICTURE, prompt: 'x', element_list: [{ element_id: element }] },
        'element_list',
      ],
      [
        '/videos/omni-video',
        {
          model_name: 'kling-v3-omni',
          prompt: 'x',
          aspect_ratio: '1:1',
          element_list: [{ element_id: element }],
        },
        'element_list',
      ],
      ['/images/omni-image', { prompt: 'x', element_list: [{ element_id: element }] }, 'element_list'],
      ['/general/delete-voices', { voice_id: voice }, 'voice_id'],
      ['/general/delete-elements', { element_id: element }, 'element_id'],
    ];
    for (const [path, body, field] of attempts) {
      for (const dry of path.includes('/delete-') ? [''] : ['', '?dry_run=true']) {
        const answer = await post(path + dry, body, stranger.key);
        const error = assertRefused(answer, ROOT, { status: 404, number: 1203 });
        assert.ok(error.param?.startsWith(field), `${path}: ${error.param}, not ${field}`);
      }
    }
    const { balance, held } = await stranger.wallet();
    assert.deepEqual({ balance, held }, { balance: '100.00', held: '0.00' });
  });

  test('what is deleted is gone for its owner, too', async () => {
    const { voices } = await make('/general/custom-voices', {
      voice_name: 'brief',
      voice_url: 'https://example.com/me.mp3',
    });
    const voice = { voice_id: voices[0].voice_id };
    assert.equal((await accepted('/general/delete-voices', voice)).task_status, 'succeed');
    assertRefused(await post('/general/delete-voices', voice), ROOT, {
      status: 404,
      number: 1203,
      param: 'voice_id',
    });
    assertRefused(await post('/audio/tts', { text: 'x', ...voice }), ROOT, { param: 'voice_id' });
    const { task_id: id } = await accepted('/general/advanced-custom-elements', {
      element_name: 'brief',
      element_description: 'gone soon',
      reference_type: 'image_refer',
      element_image_list: { frontal_image: PICTURE, refer_images: [{ image_url: PICTURE }] },
    });
    await succeeded('/general/advanced-custom-elements', id);
    const element = /"element_id":(\d+)/.exec(
      (await get(`/general/advanced-custom-elements/${id}`)).text,
    )![1]!;
    assert.equal(
      (await accepted('/general/delete-elements', { element_id: element })).task_status,
      'succeed',
    );
    assertRefused(
      await post('/videos/image2video', {
        model_name: 'kling-v3',
        image: PICTURE,
        prompt: 'x',
        element_list: [{ element_id: element }],
      }),
      ROOT,
      { status: 404, number: 1203 },
    );
  });

  test('voices, elements, films and sessions outlive a crash of the gateway', async () => {
    const { voices } = await make('/general/custom-voices', {
      voice_name: 'lasting',
      voice_url: 'https://example.com/me.mp3',
    });
    const voice = voices[0].voice_id;
    const { task_id: id } = await accepted('/general/advanced-custom-elements', {
      element_name: 'lasting',
      element_description: 'it stays',
      reference_type: 'image_refer',
      element_image_list: { frontal_image: PICTURE, refer_images: [{ image_url: PICTURE }] },
    });
    await succeeded('/general/advanced-custom-elements', id);
    const element = /"element_id":(\d+)/.exec(
      (await get(`/general/advanced-custom-elements/${id}`)).text,
    )![1]!;
    const running = await accepted('/images/generations', { prompt: 'in the making' });
    await gateway.restart();
    await accepted('/audio/tts', { text: 'still here', voice_id: voice });
    const film = await postText(
      '/videos/omni-video',
      `{"model_name":"kling-v3-omni","prompt":"x","aspect_ratio":"1:1","element_list":[{"element_id":${element}}]}`,
    );
    assert.equal(film.status, 200, film.text);
    await succeeded('/videos/omni-video', film.body.data.task_id);
    await make('/videos/video-extend', { video_id: made.film });
    await accepted('/videos/multi-elements/preview-selection', { session_id: made.selection });
    await succeeded('/images/generations', running.task_id);
    assertRefused(await post('/audio/tts', { text: 'x', voice_id: voice }, stranger.key), ROOT, {
      status: 404,
      number: 1203,
      param: 'voice_id',
    });
  });

  test('all money is accounted for', async () => {
    await assertLedgerBalances(gateway);
    assert.equal((await account.wallet()).held, '0.00');
  });
});
