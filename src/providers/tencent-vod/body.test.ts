import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Channel, Json } from '../../core/ports.ts';
import type { VideoRequest } from '../../core/request/types.ts';
import { bodyOf } from './body.ts';
import { fakeUpstream } from './fake-upstream.ts';
import { filmMedia, storedMedia, urlMedia, videoRequest } from '../kit/request-sample.ts';
import type { WireFace, WireObject } from './wire.ts';

const picture = urlMedia('https://media.example/a.png');
const other = urlMedia('https://media.example/b.png');
const sound = urlMedia('https://media.example/a.mp3');

async function body(
  changes: Partial<VideoRequest>,
  options: { channel?: Partial<Channel>; face?: WireFace } = {},
): Promise<WireObject> {
  const { channel } = fakeUpstream(() => ({ body: '' }), options.channel);
  return bodyOf(videoRequest(changes), 'task_0Vx1', channel, options.face ?? null);
}

/** Kling's own fields, out of their two strings. */
function additional(fields: WireObject): Json {
  const outer = JSON.parse(fields['ExtInfo'] as string) as { AdditionalParameters: string };
  return JSON.parse(outer.AdditionalParameters) as Json;
}

describe('films', () => {
  test('from text', async () => {
    assert.deepEqual(await body({ negativePrompt: 'dogs' }), {
      ModelName: 'Kling',
      ModelVersion: '1.6',
      EnhancePrompt: 'Disabled',
      SessionId: 'task_0Vx1',
      Prompt: 'a cat playing with yarn',
      NegativePrompt: 'dogs',
      OutputConfig: { StorageMode: 'Temporary', Resolution: '720P', Duration: 5, AspectRatio: '16:9' },
    });
  });

  test('the longest task id is a legal SessionId', async () => {
    const { channel } = fakeUpstream(() => ({ body: '' }));
    const id = `task_${'a'.repeat(32)}`;
    const { SessionId: sessionId } = await bodyOf(videoRequest(), id, channel, null);
    assert.equal(sessionId, id);
    assert.ok(id.length <= 50);
  });

  test('every model has its version', async () => {
    const rows = {
      'kling-v1-6': '1.6',
      'kling-v2-master': '2.0',
      'kling-v2-1': '2.1',
      'kling-v2-1-master': '2.1',
      'kling-v2-5-turbo': '2.5',
      'kling-v2-6': '2.6',
      'kling-v3': '3.0',
      'kling-v3-omni': '3.0-Omni',
      'kling-video-o1': 'O1',
    };
    for (const [model, version] of Object.entries(rows)) {
      assert.equal((await body({ model }))['ModelVersion'], version);
    }
  });

  test('a quality raised to pro is the higher grade, as there is no other word for it', async () => {
    const output = (await body({ model: 'kling-v2-6', sound: true, quality: 'pro' }))[
      'OutputConfig'
    ] as WireObject;
    assert.deepEqual([output['Resolution'], output['AudioGeneration']], ['1080P', 'Enabled']);
  });

  test('silence is said to the models that know sound', async () => {
    const output = async (model: string) => (await body({ model }))['OutputConfig'] as WireObject;
    assert.equal((await output('kling-v3'))['AudioGeneration'], 'Disabled');
    assert.ok(!('AudioGeneration' in (await output('kling-v2-5-turbo'))));
  });

  test('frames: by URL the end frame has a field of its own, as data it is a file', async () => {
    const byUrl = await body({ firstFrame: picture, lastFrame: other, aspectRatio: null });
    assert.deepEqual(byUrl['FileInfos'], [
      { Type: 'Url', Category: 'Image', Url: 'https://media.example/a.png', Usage: 'FirstFrame' },
    ]);
    assert.equal(byUrl['LastFrameUrl'], 'https://media.example/b.png');
    assert.equal(byUrl['InputRegion'], 'Mainland');
    const base64 = Buffer.from('a picture').toString('base64');
    const asData = await body({ firstFrame: storedMedia(9), lastFrame: storedMedia(9) });
    assert.deepEqual(asData['FileInfos'], [
      { Type: 'Base64', Category: 'Image', Base64: base64, Usage: 'FirstFrame' },
      { Type: 'Base64', Category: 'Image', Base64: base64, Usage: 'LastFrame' },
    ]);
    assert.ok(!('LastFrameUrl' in asData) && !('InputRegion' in asData));
  });

  test('an inline picture loses its prefix', async () => {
    const media = { kind: 'inline', text: 'data:image/png;base64,QUJD', source: 'image' } as const;
    const [file] = (await body({ firstFrame: media }))['FileInfos'] as WireObject[];
    assert.equal(file?.['Base64'], 'QUJD');
  });

  test('references and a film keep their order and their roles', async () => {
    const fields = await body({
      model: 'kling-v3-omni',
      references: [picture, other],
      referenceVideo: { ...filmMedia('base'), keepOriginalSound: false },
    });
    assert.deepEqual(fields['FileInfos'], [
      { Type: 'Url', Category: 'Image', Url: 'https://media.example/a.png', Usage: 'Reference' },
      { Type: 'Url', Category: 'Image', Url: 'https://media.example/b.png', Usage: 'Reference' },
      {
        Type: 'Url',
        Category: 'Video',
        Url: 'https://media.example/film.mp4',
        Usage: 'Reference',
        ReferenceType: 'base',
        KeepOriginalSound: 'Disabled',
      },
    ]);
  });

  test('an account of the international site has its files outside of the mainland', async () => {
    const credential = { secret_id: 'a', secret_key: 'b', sub_app_id: 1, site: 'intl' };
    assert.equal(
      (await body({ firstFrame: picture }, { channel: { credential } }))['InputRegion'],
      'Oversea',
    );
  });

  test('shots, voices and cfg_scale go in Kling’s words, encoded twice', async () => {
    const shots = [
      { index: 1, prompt: '第一段', seconds: 2 },
      { index: 2, prompt: '第二段', seconds: 3 },
    ];
    const fields = await body({ model: 'kling-v3', prompt: '', multiShot: { type: 'customize', shots } });
    assert.ok(!('Prompt' in fields));
    assert.deepEqual(additional(fields), {
      multi_shot: true,
      shot_type: 'customize',
      multi_prompt: [
        { index: 1, prompt: '第一段', duration: '2' },
        { index: 2, prompt: '第二段', duration: '3' },
      ],
    });
    assert.deepEqual(additional(await body({ model: 'kling-v3', voiceIds: ['829824295735410756'] })), {
      voice_list: [{ voice_id: '829824295735410756' }],
    });
    assert.deepEqual(additional(await body({ model: 'kling-v1-6', cfgScale: 0.7 })), { cfg_scale: 0.7 });
    assert.ok(!('ExtInfo' in (await body({ model: 'kling-v2-5-turbo', cfgScale: 0.7 }))));
  });

  test('elements are subjects', async () => {
    const fields = await body({ model: 'kling-v3', elementIds: ['829836802793406551'] });
    assert.deepEqual(fields['SubjectInfos'], [{ Id: '829836802793406551' }]);
  });

  test('a caller’s retention stays with our copy', async () => {
    const retention = { mode: 'permanent', expiresAt: 1, mediaName: 'mine', classId: 7 } as const;
    const output = (await body({ retention }))['OutputConfig'] as WireObject;
    assert.equal(output['StorageMode'], 'Temporary');
    for (const field of ['ClassId', 'MediaName', 'ExpireTime']) assert.ok(!(field in output), field);
  });

  test('compliance switches travel only where the operator allows it', async () => {
    const compliance = { input_compliance_check: 'Disabled', person_generation: 'Disallowed', stranger: 'x' };
    const told = (await body({ compliance }))['OutputConfig'] as WireObject;
    assert.ok(!('InputComplianceCheck' in told));
    const channel = { allowsComplianceSwitches: true };
    const allowed = (await body({ compliance }, { channel }))['OutputConfig'] as WireObject;
    assert.equal(allowed['InputComplianceCheck'], 'Disabled');
    assert.equal(allowed['PersonGeneration'], 'Disallowed');
    assert.ok(!('stranger' in allowed));
  });

  test('files that turn out larger than 7 MB in all are refused before they are sent', async () => {
    const readMedia = async () => ({ bytes: Buffer.alloc(4 * 1024 * 1024), contentType: 'image/png' });
    const file = { kind: 'file', fileId: 'file_1', source: 'image' } as const;
    await assert.rejects(body({ firstFrame: file, lastFrame: file }, { channel: { readMedia } }), {
      kind: 'rejected',
    });
  });
});

describe('scenes', () => {
  const speaking = { model: 'kling-v2-6', sound: true, aspectRatio: null } as const;

  test('motion control, with a picture and without', async () => {
    const motion = { level: 'pro', orientation: 'image', keepOriginalSound: false } as const;
    const given = { ...speaking, operation: 'motion-control', referenceVideo: filmMedia(), motion } as const;
    const fields = await body({ ...given, sound: false, firstFrame: picture, quality: 'pro', seconds: 20 });
    assert.equal(fields['SceneType'], 'motion_control');
    assert.deepEqual(fields['FileInfos'], [
      {
        Type: 'Url',
        Category: 'Video',
        Url: 'https://media.example/film.mp4',
        KeepOriginalSound: 'Disabled',
      },
      { Type: 'Url', Category: 'Image', Url: 'https://media.example/a.png' },
    ]);
    assert.deepEqual(additional(fields), { keep_original_sound: 'no', character_orientation: 'image' });
    // Its length is the film's; more than 15 s cannot be asked for.
    assert.deepEqual(fields['OutputConfig'], { StorageMode: 'Temporary', Resolution: '1080P' });
    const alone = await body(given);
    assert.equal((alone['FileInfos'] as WireObject[]).length, 1);
  });

  test('an avatar speaks its sound, or its prompt', async () => {
    const given = { ...speaking, operation: 'avatar', firstFrame: picture } as const;
    const withSound = await body({ ...given, audio: sound });
    assert.equal(withSound['SceneType'], 'avatar_i2v');
    assert.deepEqual(additional(withSound), { sound_file: 'https://media.example/a.mp3' });
    assert.deepEqual(additional(await body({ ...given, extensions: { audio_id: '7' } })), { audio_id: '7' });
    const words = await body(given);
    assert.ok(!('ExtInfo' in words));
    assert.equal(words['Prompt'], 'a cat playing with yarn');
    const stored = await body({ ...given, audio: storedMedia(9, 'audio/mpeg') });
    assert.deepEqual(additional(stored), { sound_file: Buffer.from('a picture').toString('base64') });
  });

  test('lip-sync of a picture with words, as seed 003 documents it', async () => {
    const fields = await body({ ...speaking, operation: 'lip-sync', firstFrame: picture, seconds: 4 });
    assert.equal(fields['SceneType'], 'lip_sync');
    assert.equal((fields['FileInfos'] as WireObject[]).length, 1);
    assert.equal((fields['OutputConfig'] as WireObject)['Duration'], 4);
  });

  test('lip-sync of a picture with a sound is an avatar', async () => {
    const fields = await body({ ...speaking, operation: 'lip-sync', firstFrame: picture, audio: sound });
    assert.equal(fields['SceneType'], 'avatar_i2v');
  });

  test('lip-sync by session has no files and no length of its own', async () => {
    const faces = [
      { face_id: '0', audio_id: '9', sound_start_time: 0, sound_end_time: 3000, sound_insert_time: 0 },
    ];
    const extensions = { session_id: '838292389483', face_choose: faces };
    const fields = await body({ ...speaking, operation: 'lip-sync', extensions });
    assert.ok(!('FileInfos' in fields));
    assert.deepEqual(additional(fields), extensions);
    assert.deepEqual(fields['OutputConfig'], { StorageMode: 'Temporary' });
  });

  test('lip-sync of a film lets its first face speak', async () => {
    const face = { sessionId: '838292389483', faceId: '0', imageUrl: null, startMs: 400, endMs: 3400 };
    const given = { ...speaking, operation: 'lip-sync', referenceVideo: filmMedia(), audio: sound } as const;
    assert.deepEqual(additional(await body(given, { face })), {
      session_id: '838292389483',
      face_choose: [
        {
          face_id: '0',
          sound_file: 'https://media.example/a.mp3',
          sound_start_time: 0,
          sound_end_time: 3000,
          sound_insert_time: 400,
        },
      ],
    });
    await assert.rejects(body(given), { kind: 'rejected', publicMessage: /No face/ });
  });
});
