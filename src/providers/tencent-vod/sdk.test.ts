/** The official SDK, unmodified, against the simulator: what it can send is taken, what it reads is there. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { vod } from 'tencentcloud-sdk-nodejs-vod';
import type { ProviderBench } from '../kit/contract.ts';
import { openVodBench } from './test-bench.ts';

const Client = vod.v20180717.Client;
const pair = { secretId: 'sandbox-access-key', secretKey: 'sandbox-secret-key-0123456789abcdef' };
const SubAppId = 1_500_000_001;
const picture = { Type: 'Url', Url: 'https://media.example/a.png' };
const film = { Type: 'Url', Url: 'https://media.example/film.mp4' };

describe('the official SDK against the simulator', () => {
  let bench: ProviderBench;
  let client: InstanceType<typeof Client>;
  /** `credential`: whose; the others are the simulator's own. */
  const clientOf = (credential = pair) =>
    new Client({
      credential,
      region: 'ap-guangzhou',
      profile: { httpProfile: { endpoint: new URL(bench.baseUrl).host, protocol: 'http://' } },
    });
  before(async () => {
    // The SDK has no clock but this machine's.
    bench = await openVodBench(100, { startsAt: Date.now() });
    client = clientOf();
  });
  after(() => bench.close());

  const finished = async (TaskId = '') => {
    // Short of the five minutes that signatures may be off, all tests together.
    await bench.clock.advance(20_000);
    const detail = await client.DescribeTaskDetail({ SubAppId, TaskId });
    assert.equal(detail.Status, 'FINISH');
    return detail;
  };

  test('makes a film from create to file', async () => {
    const { TaskId: taskId = '' } = await client.CreateAigcVideoTask({
      SubAppId,
      ModelName: 'Kling',
      ModelVersion: '3.0',
      Prompt: 'a cat playing with yarn',
      SessionId: 'from-the-sdk',
      OutputConfig: { Duration: 3, AudioGeneration: 'Enabled' },
    });
    assert.match(taskId, /^1500000001-AigcVideoTask-[0-9a-f]{32}t$/);
    const waiting = await client.DescribeTaskDetail({ SubAppId, TaskId: taskId });
    assert.equal(waiting.Status, 'WAITING');
    const done = await finished(taskId);
    assert.equal(done.AigcVideoTask?.ErrCode, 0);
    const [file] = done.AigcVideoTask?.Output?.FileInfos ?? [];
    assert.match(file?.FileUrl ?? '', /^http:\/\/127\.0\.0\.1:\d+\/_files\//);
    assert.equal(done.AigcVideoTask?.Output?.Usage?.OutputSeconds, 3);
    const { TaskSet: tasks } = await client.DescribeTasks({ SubAppId });
    assert.equal(tasks?.[0]?.SessionId, 'from-the-sdk');
  });

  test('makes pictures', async () => {
    const { TaskId: taskId } = await client.CreateAigcImageTask({
      SubAppId,
      ModelName: 'Kling',
      ModelVersion: 'O1',
      Prompt: 'a cat',
      FileInfos: [picture, picture],
      SessionId: 'pictures-of-the-sdk',
      OutputConfig: { Resolution: '2k', AspectRatio: 'auto', OutputImageCount: 2 },
    });
    const done = await finished(taskId);
    assert.equal(done.TaskType, 'AigcImageTask');
    assert.equal(done.AigcImageTask?.Output?.FileInfos?.length, 2);
    assert.match(done.AigcImageTask?.Output?.FileInfos?.[1]?.FileUrl ?? '', /\/image-1\.png/);
    assert.equal(done.AigcImageTask?.SessionId, 'pictures-of-the-sdk');
  });

  test('expands a picture', async () => {
    const ratios = Object.fromEntries(
      ['up', 'down', 'left', 'right'].map((side) => [`${side}_expansion_ratio`, 0.2]),
    );
    const { TaskId: taskId } = await client.CreateAigcImageTask({
      SubAppId,
      ModelName: 'Kling',
      ModelVersion: 'scene',
      SceneType: 'image_expand',
      FileInfos: [picture],
      ExtInfo: JSON.stringify({ AdditionalParameters: JSON.stringify(ratios) }),
    });
    const done = await finished(taskId);
    assert.equal(done.AigcImageTask?.Output?.FileInfos?.length, 1);
  });

  test('looks for faces and lets one speak', async () => {
    const { FaceInfoSet: sets } = await client.DescribeAigcFaceInfo({ SubAppId, FileInfos: [film] });
    const [found] = sets ?? [];
    const [face] = found?.FaceInfoList ?? [];
    assert.match(face?.FaceImage ?? '', /\/face-0\.png/);
    const spoken = {
      session_id: found?.SessionId,
      face_choose: [
        {
          face_id: face?.FaceId,
          sound_file: 'https://media.example/a.mp3',
          sound_start_time: 0,
          sound_end_time: 3000,
          sound_insert_time: face?.StartTime,
        },
      ],
    };
    const { TaskId: taskId } = await client.CreateAigcVideoTask({
      SubAppId,
      ModelName: 'Kling',
      ModelVersion: '2.6',
      SceneType: 'lip_sync',
      ExtInfo: JSON.stringify({ AdditionalParameters: JSON.stringify(spoken) }),
    });
    const done = await finished(taskId);
    assert.equal(done.AigcVideoTask?.Output?.FileInfos?.length, 1);
  });

  test('makes a voice', async () => {
    const { TaskId: taskId } = await client.CreateAigcCustomVoice({
      SubAppId,
      VoiceName: 'mine',
      VoiceUrl: 'https://media.example/voice.mp3',
    });
    const done = await finished(taskId);
    assert.equal(done.TaskType, 'CreateAigcCustomVoice');
    assert.match(done.CreateAigcCustomVoiceTask?.Output?.InfoList?.[0]?.VoiceId ?? '', /^\d{18}$/);
  });

  test('makes an element, and deletes it once', async () => {
    const { TaskId: taskId } = await client.CreateAigcAdvancedCustomElement({
      SubAppId,
      ElementName: 'cat',
      ElementDescription: 'a grey cat',
      ReferenceType: 'image_refer',
      ElementImageList: JSON.stringify({
        frontal_image: picture.Url,
        refer_images: [{ image_url: 'https://media.example/b.png' }],
      }),
      TagList: JSON.stringify([{ tag_id: 'o_101' }]),
    });
    const done = await finished(taskId);
    const [made] = done.CreateAigcAdvancedCustomElementTask?.Output?.InfoList ?? [];
    const deletion = { SubAppId, ElementId: made?.ElementId ?? '' };
    await client.DeleteAigcAdvancedCustomElement(deletion);
    await assert.rejects(client.DeleteAigcAdvancedCustomElement(deletion), { code: 'ResourceNotFound' });
  });

  test('meets refusals as its own exception, with the code', async () => {
    const wrong = clientOf({ ...pair, secretKey: 'another' });
    await assert.rejects(wrong.DescribeTasks({ SubAppId }), { code: 'AuthFailure.SignatureFailure' });
    const stranger = clientOf({ ...pair, secretId: 'nobody' });
    await assert.rejects(stranger.DescribeTasks({ SubAppId }), { code: 'AuthFailure.SecretIdNotFound' });
    const image = { SubAppId, ModelName: 'Kling', ModelVersion: '1.5', Prompt: 'a cat' };
    await assert.rejects(client.CreateAigcImageTask(image), { code: 'InvalidParameterValue' });
  });
});
