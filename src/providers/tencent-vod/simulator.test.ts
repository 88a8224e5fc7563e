import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { createTestClock } from '../../lib/clock.ts';
import type { TestClock } from '../../lib/clock.ts';
import { parseJson } from '../../lib/json.ts';
import { HONEST_BEHAVIOUR } from '../../sandbox/behaviour.ts';
import type { Behaviour } from '../../sandbox/behaviour.ts';
import { createFileLinks } from '../../sandbox/file-links.ts';
import { createHost } from '../../sandbox/host.ts';
import { openState } from '../../sandbox/state.ts';
import type { SandboxState } from '../../sandbox/state.ts';
import type { SimulatedTask, Simulator, SimulatorHost } from '../kit/simulator.ts';
import { authorizationOf } from './auth.ts';
import { createSimulator } from './simulator.ts';

const startMs = Date.UTC(2026, 10, 20);
const subAppId = 1_500_000_001;
const pair = { secretId: 'sandbox-access-key', secretKey: 'sandbox-secret-key-0123456789abcdef' };
const picture = { Type: 'Url', Category: 'Image', Url: 'https://media.example/a.png' };
const film = { Type: 'Url', Category: 'Video', Url: 'https://media.example/film.mp4' };

/** What a test reads of an answer; anything missing is a failed assertion. */
interface Response {
  Error?: { Code: string; Message: string };
  RequestId: string;
  TaskId: string;
  Status: string;
  ScrollToken: string;
  TaskSet: { TaskId: string; SessionId: string }[];
  FaceInfoSet: { SessionId: string; FaceInfoList: { FaceId: string }[] }[];
  AigcVideoTask: {
    ErrCode: number;
    ErrCodeExt: string;
    Message: string;
    SessionId: string;
    Output: {
      FileInfos: [{ FileUrl: string; ExpireTime: string; MetaData: { Duration: number } }];
      Usage: { OutputSeconds: number };
    } | null;
  };
}

describe('the simulator of VOD', () => {
  const directory = mkdtempSync(join(tmpdir(), 'reelay-vod-simulator-'));
  let databases = 0;
  let clock: TestClock;
  let state: SandboxState;
  let host: SimulatorHost;
  let simulator: Simulator;
  let behaviour: Behaviour;
  let accepted: SimulatedTask[];

  after(() => rmSync(directory, { recursive: true }));
  afterEach(() => state.close());
  beforeEach(() => {
    clock = createTestClock(startMs);
    state = openState(join(directory, String(++databases)));
    behaviour = { ...HONEST_BEHAVIOUR, slots: 100 };
    accepted = [];
    host = createHost({
      state,
      clock,
      speed: 1,
      behaviour: () => behaviour,
      pictures: { keep: () => 'kept', read: async () => null },
      links: createFileLinks(state.fileKey),
      onAccepted: (task) => accepted.push(task),
    });
    simulator = createSimulator();
  });

  function ask(
    action: string,
    parameters: object | string,
    changes: { headers?: Record<string, string>; method?: string; pair?: typeof pair } = {},
  ): Response {
    const body =
      typeof parameters === 'string' ? parameters : JSON.stringify({ SubAppId: subAppId, ...parameters });
    const timestampSeconds = clock.now() / 1000;
    const authorization = authorizationOf({
      ...(changes.pair ?? pair),
      host: '127.0.0.1:8788',
      contentType: 'application/json',
      body,
      timestampSeconds,
    });
    const answer = simulator.handle(
      {
        method: changes.method ?? 'POST',
        path: '/',
        query: new URLSearchParams(),
        headers: {
          authorization,
          host: '127.0.0.1:8788',
          'content-type': 'application/json',
          'x-tc-action': action,
          'x-tc-version': '2018-07-17',
          'x-tc-timestamp': String(timestampSeconds),
          ...changes.headers,
        },
        body,
        origin: 'http://127.0.0.1:8788',
      },
      host,
    );
    assert.equal(answer.status, 200);
    const { Response: response } = parseJson(answer.body) as unknown as { Response: Response };
    assert.match(response.RequestId, /^[0-9a-f-]{36}$/);
    return response;
  }
  const plain = { ModelName: 'Kling', ModelVersion: '2.5', Prompt: 'a cat' };
  const create = (changes: object) => ask('CreateAigcVideoTask', { ...plain, ...changes });
  const refused = (answer: Response, code: string, words: RegExp = /./) => {
    assert.equal(answer.Error?.Code, code, answer.Error?.Message);
    assert.match(answer.Error?.Message ?? '', words);
  };

  describe('signatures', () => {
    const cases: [string, string, Parameters<typeof ask>[2]][] = [
      ['a wrong key', 'AuthFailure.SignatureFailure', { pair: { ...pair, secretKey: 'wrong' } }],
      ['an unknown id', 'AuthFailure.SecretIdNotFound', { pair: { ...pair, secretId: 'toString' } }],
      ['none', 'AuthFailure.InvalidAuthorization', { headers: { authorization: '' } }],
      ['another scheme', 'AuthFailure.InvalidAuthorization', { headers: { authorization: 'Bearer x' } }],
      ['another content type', 'AuthFailure.SignatureFailure', { headers: { 'content-type': 'text/plain' } }],
      ['another host', 'AuthFailure.SignatureFailure', { headers: { host: 'elsewhere' } }],
      [
        'another time',
        'AuthFailure.SignatureFailure',
        { headers: { 'x-tc-timestamp': String(startMs / 1000 + 1) } },
      ],
      [
        'a time beyond five minutes',
        'AuthFailure.SignatureExpire',
        { headers: { 'x-tc-timestamp': String(startMs / 1000 - 301) } },
      ],
      ['no time', 'MissingParameter', { headers: { 'x-tc-timestamp': '' } }],
      ['no action', 'MissingParameter', { headers: { 'x-tc-action': '' } }],
      ['another version', 'NoSuchVersion', { headers: { 'x-tc-version': '2017-01-01' } }],
      ['another method', 'UnsupportedProtocol', { method: 'GET' }],
    ];
    for (const [name, code, changes] of cases) {
      test(`${name} is ${code}`, () => refused(ask('DescribeTasks', {}, changes), code));
    }

    test('every action needs its application', () => {
      refused(ask('DescribeTasks', '{}'), 'MissingParameter', /SubAppId/);
      refused(ask('DescribeTasks', { SubAppId: 7 }), 'InvalidParameterValue.SubAppId');
      refused(ask('DescribeTasks', { SubAppId: String(subAppId) }), 'InvalidParameterValue.SubAppId');
    });

    test('an action that is not there, and names of Object’s own', () => {
      for (const action of ['DeleteMedia', 'constructor']) refused(ask(action, {}), 'InvalidAction');
    });

    test('bodies that are no object', () => {
      for (const body of ['', '{', '[]', 'null', '7'])
        refused(ask('DescribeTasks', body), 'InvalidParameter');
    });

    test('a body above 10 MB', () => {
      refused(create({ Prompt: 'x'.repeat(10 * 1024 * 1024) }), 'RequestSizeLimitExceeded');
    });
  });

  describe('a task', () => {
    const detail = (taskId: string) => ask('DescribeTaskDetail', { TaskId: taskId });

    test('waits, is processed, and is finished with a film for seven days', async () => {
      const { TaskId: taskId } = create({ SessionId: 'mine', OutputConfig: { Duration: 10 } });
      assert.match(taskId, /^1500000001-AigcVideoTask-[0-9a-f]{32}t$/);
      assert.equal(detail(taskId).Status, 'WAITING');
      await clock.advance(1000);
      assert.equal(detail(taskId).Status, 'PROCESSING');
      await clock.advance(30_000);
      const done = detail(taskId);
      assert.equal(done.Status, 'FINISH');
      assert.equal(done.AigcVideoTask.ErrCode, 0);
      assert.equal(done.AigcVideoTask.SessionId, 'mine');
      const output = done.AigcVideoTask.Output;
      assert.equal(output?.Usage.OutputSeconds, 10);
      const [file] = output?.FileInfos ?? assert.fail();
      assert.match(
        file.FileUrl,
        /^http:\/\/127\.0\.0\.1:8788\/_files\/1500000001-AigcVideoTask-\w+\.mp4\?token=/,
      );
      assert.equal(Date.parse(file.ExpireTime), startMs + 31_000 + 7 * 86_400_000);
      assert.ok(file.MetaData.Duration > 10 && file.MetaData.Duration < 10.1);
    });

    test('that failed is finished, too, with an error', async () => {
      const fail = async (prompt: string) => {
        const { TaskId: taskId } = create({ Prompt: prompt });
        await clock.advance(60_000);
        const { Status: status, AigcVideoTask: task } = detail(taskId);
        assert.equal(status, 'FINISH');
        assert.equal(task.Output, null);
        assert.notEqual(task.Message, '');
        return [task.ErrCode, task.ErrCodeExt];
      };
      assert.deepEqual(await fail('[[fail]]'), [70_001, 'ModelGenerateFailed']);
      assert.deepEqual(await fail('[[fail:RequestLimitExceeded]]'), [70_000, 'RequestLimitExceeded']);
      // The official platform's number for the same.
      assert.deepEqual(await fail('[[fail:1301]]'), [70_001, 'InvalidParameter.VoilationContent']);
      assert.deepEqual(await fail('[[unreachable]]'), [70_001, 'InvalidParameterValue']);
    });

    test('can be rejected, slowed, and kept from ending', async () => {
      refused(create({ Prompt: '[[reject]]' }), 'RequestLimitExceeded');
      refused(create({ Prompt: '[[reject:1301]]' }), 'InvalidParameter.VoilationContent');
      refused(create({ Prompt: '[[reject:AuthFailure.TokenFailure]]' }), 'AuthFailure.TokenFailure');
      refused(create({ Prompt: '[[reject:Nonsense]]' }), 'InvalidParameterValue', /names no code/);
      assert.equal(accepted.length, 0);
      const slow = create({ Prompt: '[[slow:60]]' }).TaskId;
      const endless = create({ Prompt: '[[expire]]' }).TaskId;
      await clock.advance(60_000);
      assert.equal(detail(slow).Status, 'PROCESSING');
      await clock.advance(86_400_000);
      assert.equal(detail(slow).Status, 'FINISH');
      assert.equal(detail(endless).Status, 'PROCESSING');
    });

    test('is known for three days, by its id alone', async () => {
      const { TaskId: taskId } = create({ SessionId: 'mine' });
      refused(detail('mine'), 'ResourceNotFound');
      refused(detail('1500000001-AigcVideoTask-0t'), 'ResourceNotFound');
      await clock.advance(3 * 86_400_000 - 1000);
      assert.equal(detail(taskId).Status, 'FINISH');
      await clock.advance(1000);
      refused(detail(taskId), 'ResourceNotFound');
    });

    test('takes the account’s one slot until it ends', async () => {
      behaviour = HONEST_BEHAVIOUR;
      create({});
      refused(create({}), 'RequestLimitExceeded');
      await clock.advance(60_000);
      assert.equal(create({}).Error, undefined);
    });

    test('with a SessionId of the last three days is a duplicate', async () => {
      create({ SessionId: 'mine' });
      refused(create({ SessionId: 'mine' }), 'InvalidParameterValue.SessionId');
      create({});
      assert.equal(create({}).Error, undefined, 'none is never a duplicate');
      await clock.advance(3 * 86_400_000);
      assert.equal(create({ SessionId: 'mine' }).Error, undefined);
      behaviour = { ...behaviour, duplicates: 'accept' };
      assert.equal(create({ SessionId: 'mine' }).Error, undefined);
      refused(create({ SessionId: 'x'.repeat(51) }), 'InvalidParameterValue.SessionIdTooLong');
    });
  });

  test('the list of tasks is newest first, in pages', async () => {
    for (let number = 1; number <= 5; number++) {
      create({ SessionId: `session-${number}` });
      await clock.advance(1000);
    }
    const sessions = (parameters: object) => {
      const { TaskSet: tasks, ScrollToken: token } = ask('DescribeTasks', parameters);
      return [tasks.map(({ SessionId: id }) => Number(id.at(-1))), token];
    };
    assert.deepEqual(sessions({}), [[5, 4, 3, 2, 1], '']);
    assert.deepEqual(sessions({ Limit: 2 }), [[5, 4], '2']);
    assert.deepEqual(sessions({ Limit: 2, ScrollToken: '4' }), [[1], '']);
    const after = new Date(startMs + 3000).toISOString();
    assert.deepEqual(sessions({ CreateTime: { After: after } }), [[5, 4], '']);
    refused(ask('DescribeTasks', { Limit: 101 }), 'InvalidParameterValue', /Limit/);
    refused(ask('DescribeTasks', { ScrollToken: 'x' }), 'InvalidParameterValue', /ScrollToken/);
    refused(ask('DescribeTasks', { CreateTime: { After: 'now' } }), 'InvalidParameterValue', /After/);
    refused(ask('DescribeTasks', { Sort: { Field: 'CreateTime', Order: 'Asc' } }), 'UnsupportedOperation');
  });

  describe('what the models can do', () => {
    const accepts: [string, object][] = [
      ['text', {}],
      ['a first frame', { FileInfos: [picture] }],
      [
        'an end frame at 1080P',
        {
          ModelVersion: '2.1',
          FileInfos: [picture],
          LastFrameUrl: picture.Url,
          OutputConfig: { Resolution: '1080P' },
        },
      ],
      [
        'an end frame as a file',
        { ModelVersion: '3.0', FileInfos: [picture, { ...picture, Usage: 'LastFrame' }] },
      ],
      ['sound', { ModelVersion: '2.6', OutputConfig: { Resolution: '1080P', AudioGeneration: 'Enabled' } }],
      [
        'references',
        {
          ModelVersion: '3.0-Omni',
          FileInfos: [
            { ...picture, Usage: 'Reference' },
            { ...film, ReferenceType: 'feature' },
          ],
        },
      ],
      ['a subject', { ModelVersion: '3.0', FileInfos: [picture], SubjectInfos: [{ Id: '1' }] }],
      [
        'every switch',
        {
          EnhancePrompt: 'Disabled',
          InputRegion: 'Oversea',
          OutputConfig: { InputComplianceCheck: 'Disabled' },
        },
      ],
      ['motion from a film alone', { ModelVersion: '2.6', SceneType: 'motion_control', FileInfos: [film] }],
      [
        'motion with a picture',
        {
          ModelVersion: '3.0',
          SceneType: 'motion_control',
          FileInfos: [film, picture],
          ExtInfo: extInfo({ character_orientation: 'video' }),
        },
      ],
      ['an avatar from words', { ModelVersion: '2.6', SceneType: 'avatar_i2v', FileInfos: [picture] }],
      [
        'an avatar from sound',
        {
          ModelVersion: '2.6',
          SceneType: 'avatar_i2v',
          Prompt: '',
          FileInfos: [picture],
          ExtInfo: extInfo({ sound_file: 'https://media.example/a.mp3' }),
        },
      ],
      [
        'lips from words',
        { ModelVersion: '2.6', SceneType: 'lip_sync', FileInfos: [picture], OutputConfig: { Duration: 4 } },
      ],
      ['shots', { ModelVersion: '3.0', Prompt: '', ExtInfo: extInfo(shots('2', '3')) }],
      ['shots, encoded once', { ModelVersion: '3.0', Prompt: '', ExtInfo: JSON.stringify(shots('2', '3')) }],
      ['an inline picture', { FileInfos: [inline(png(640, 480))] }],
    ];
    for (const [name, changes] of accepts) {
      test(`${name} is accepted`, () => assert.equal(create(changes).Error, undefined));
    }

    const refusals: [string, RegExp, object][] = [
      ['MissingParameter', /ModelName/, { ModelName: '' }],
      ['InvalidParameterValue', /ModelName/, { ModelName: 'Vidu' }],
      ['InvalidParameterValue', /ModelVersion/, { ModelVersion: '1.0' }],
      ['InvalidParameterValue', /ModelVersion/, { ModelVersion: 'toString' }],
      ['MissingParameter', /Prompt/, { Prompt: '' }],
      ['InvalidParameterValue', /Prompt/, { Prompt: 'x'.repeat(2501) }],
      ['InvalidParameter', /Prompt.*string/, { Prompt: 7 }],
      ['UnknownParameter', /Mode/, { Mode: 'pro' }],
      ['UnknownParameter', /OutputConfig\.Size/, { OutputConfig: { Size: '720x1280' } }],
      ['UnknownParameter', /FileInfos\.0\.Role/, { FileInfos: [{ ...picture, Role: 'x' }] }],
      ['InvalidParameter', /Duration.*integer/, { OutputConfig: { Duration: '5' } }],
      ['InvalidParameterValue', /Duration/, { OutputConfig: { Duration: 7 } }],
      ['InvalidParameterValue', /Duration/, { ModelVersion: '3.0', OutputConfig: { Duration: 16 } }],
      ['InvalidParameterValue', /Resolution/, { OutputConfig: { Resolution: '4K' } }],
      ['InvalidParameterValue', /AspectRatio/, { OutputConfig: { AspectRatio: '4:3' } }],
      ['InvalidParameterValue', /AudioGeneration/, { OutputConfig: { AudioGeneration: 'Enabled' } }],
      [
        'InvalidParameterValue',
        /AudioGeneration.*720P/,
        { ModelVersion: '2.6', OutputConfig: { AudioGeneration: 'Enabled' } },
      ],
      ['InvalidParameterValue', /EnhancePrompt/, { EnhancePrompt: 'yes' }],
      ['InvalidParameterValue', /MediaName/, { OutputConfig: { MediaName: 'x'.repeat(65) } }],
      ['InvalidParameterValue', /LastFrameUrl.*first frame/, { LastFrameUrl: picture.Url }],
      ['InvalidParameterValue', /LastFrameUrl.*720P/, { FileInfos: [picture], LastFrameUrl: picture.Url }],
      ['InvalidParameterValue', /references/, { FileInfos: [{ ...picture, Usage: 'Reference' }] }],
      ['InvalidParameterValue', /references/, { ModelVersion: '3.0', FileInfos: [film] }],
      ['InvalidParameterValue', /one FirstFrame/, { FileInfos: [picture, picture] }],
      [
        'InvalidParameterValue',
        /at most 7/,
        { ModelVersion: 'O1', FileInfos: Array(8).fill({ ...picture, Usage: 'Reference' }) },
      ],
      ['MissingParameter', /Type/, { FileInfos: [{ Url: picture.Url }] }],
      ['InvalidParameterValue', /FileInfos\.0\.Url/, { FileInfos: [{ ...picture, Url: 'ftp://x' }] }],
      ['ResourceNotFound', /FileId/, { FileInfos: [{ Type: 'File', FileId: '1' }] }],
      ['InvalidParameterValue', /data:/, { FileInfos: [inline('data:image/png;base64,QUJD')] }],
      ['InvalidParameterValue', /base64/, { FileInfos: [inline('***')] }],
      ['InvalidParameter.MediaFormat', /format/, { FileInfos: [inline('QUJDRA==')] }],
      ['InvalidParameterValue', /200x200/, { FileInfos: [inline(png(200, 200))] }],
      ['InvalidParameterValue', /ratio/, { FileInfos: [inline(png(3000, 400))] }],
      ['InvalidParameterValue', /SubjectInfos/, { SubjectInfos: [{ Id: '1' }] }],
      ['InvalidParameterValue', /SceneType/, { SceneType: 'motion_control', FileInfos: [film] }],
      [
        'InvalidParameterValue',
        /one Video/,
        { ModelVersion: '2.6', SceneType: 'motion_control', FileInfos: [picture] },
      ],
      ['InvalidParameterValue', /one Image/, { ModelVersion: '2.6', SceneType: 'avatar_i2v' }],
      [
        'InvalidParameterValue',
        /prompt or a sound/,
        { ModelVersion: '2.6', SceneType: 'lip_sync', Prompt: '', FileInfos: [picture] },
      ],
      [
        'InvalidParameterValue',
        /session_id/,
        { ModelVersion: '2.6', SceneType: 'lip_sync', ExtInfo: extInfo({ session_id: '1' }) },
      ],
      ['InvalidParameterValue', /no JSON/, { ExtInfo: '{' }],
      ['InvalidParameter', /ExtInfo.*string/, { ExtInfo: {} }],
      ['InvalidParameterValue', /multi_shot/, { ExtInfo: extInfo(shots('2', '3')) }],
      ['InvalidParameterValue', /add up to 4/, { ModelVersion: '3.0', ExtInfo: extInfo(shots('2', '2')) }],
      ['InvalidParameterValue', /voice_list/, { ExtInfo: extInfo({ voice_list: [{ voice_id: '1' }] }) }],
      ['InvalidParameterValue.SessionContextTooLong', /long/, { SessionContext: 'x'.repeat(1001) }],
    ];
    for (const [code, words, changes] of refusals) {
      test(`${JSON.stringify(changes).slice(0, 80)} is ${code}`, () => {
        refused(create(changes), code, words);
        assert.equal(accepted.length, 0);
      });
    }
  });

  describe('faces', () => {
    const found = (address: string) =>
      ask('DescribeAigcFaceInfo', { FileInfos: [{ Type: 'Url', Url: address }] }).FaceInfoSet[0]!;
    const speak = (session: string, changes: object = {}) =>
      create({
        ModelVersion: '2.6',
        SceneType: 'lip_sync',
        Prompt: '',
        ExtInfo: extInfo({
          session_id: session,
          face_choose: [
            {
              face_id: '0',
              audio_id: '9',
              sound_start_time: 0,
              sound_end_time: 4500,
              sound_insert_time: 1000,
              ...changes,
            },
          ],
        }),
      });

    test('a session lets its face speak for a day', async () => {
      const { SessionId: session, FaceInfoList: faces } = found(film.Url);
      assert.equal(faces.length, 1);
      assert.equal(speak(session).Error, undefined);
      assert.ok(accepted.at(-1)?.film?.sound);
      assert.equal(Math.floor(accepted.at(-1)?.film?.seconds ?? 0), 6);
      await clock.advance(86_400_000);
      refused(speak(session), 'InvalidParameterValue', /expired/);
    });

    test('a film may have none', () => {
      assert.deepEqual(found('https://media.example/no-face.mp4').FaceInfoList, []);
    });

    test('the choice of a face is judged', () => {
      const { SessionId: session } = found(film.Url);
      refused(speak(session, { face_id: '1' }), 'InvalidParameterValue', /no such face/);
      refused(speak(session, { audio_id: null }), 'MissingParameter', /sound_file/);
      refused(
        speak(session, { sound_file: 'https://media.example/a.mp3' }),
        'InvalidParameterValue',
        /excludes/,
      );
      refused(speak(session, { sound_end_time: 1000 }), 'InvalidParameterValue', /2000 ms/);
      refused(speak(session, { sound_insert_time: 9000 }), 'InvalidParameterValue', /overlap/);
      refused(speak(session, { sound_insert_time: null }), 'MissingParameter', /sound_insert_time/);
      refused(speak('1-2'), 'InvalidParameterValue', /does not exist/);
    });

    test('are looked for in one film, by URL', () => {
      refused(ask('DescribeAigcFaceInfo', {}), 'InvalidParameterValue');
      const file = { FileInfos: [{ Type: 'File', FileId: '1' }] };
      refused(ask('DescribeAigcFaceInfo', file), 'ResourceNotFound');
    });
  });

  test('films are planned as they were asked for', () => {
    create({
      ModelVersion: '2.6',
      Prompt: 'a cat',
      OutputConfig: { Resolution: '1080P', AspectRatio: '9:16', AudioGeneration: 'Enabled', Duration: 10 },
    });
    const { film: plan } = accepted[0]!;
    assert.deepEqual(
      [plan?.shortSide, plan?.aspectRatio, plan?.sound, Math.floor(plan?.seconds ?? 0)],
      [1080, '9:16', true, 10],
    );
    create({ FileInfos: [inline(png(640, 480))] });
    assert.deepEqual(accepted[1]?.film?.firstFrame, { kind: 'picture', pictureId: 'kept' });
    assert.equal(accepted[1]?.film?.aspectRatio, null);
  });

  test('refusals of the control API are in words of this upstream', () => {
    const code = (given: string | null) =>
      (parseJson(simulator.refusal(given).body) as unknown as { Response: Response }).Response.Error?.Code;
    assert.equal(code(null), 'ServiceUnavailable');
    assert.equal(code('5000'), 'InternalError');
    assert.equal(code('RequestLimitExceeded'), 'RequestLimitExceeded');
    assert.equal(code('9999'), 'InternalError');
  });

  test('only the bare address is its own', () => {
    assert.equal(simulator.recognises('/'), true);
    assert.equal(simulator.recognises('/v1/videos/text2video'), false);
  });

  test('an event holds the task', () => {
    create({ SessionId: 'mine' });
    const event = parseJson(simulator.callbackBody(accepted[0]!, 'succeeded', host)) as unknown as {
      EventType: string;
      AigcVideoCompleteEvent: { SessionId: string; Status: string };
    };
    assert.equal(event.EventType, 'AigcVideoTaskComplete');
    assert.equal(event.AigcVideoCompleteEvent.SessionId, 'mine');
    assert.equal(event.AigcVideoCompleteEvent.Status, 'FINISH');
  });
});

function extInfo(fields: object): string {
  return JSON.stringify({ AdditionalParameters: JSON.stringify(fields) });
}

function shots(first: string, second: string): object {
  return {
    multi_shot: true,
    shot_type: 'customize',
    multi_prompt: [
      { index: 1, prompt: 'one', duration: first },
      { index: 2, prompt: 'two', duration: second },
    ],
  };
}

function inline(base64: string): object {
  return { Type: 'Base64', Category: 'Image', Base64: base64 };
}

/** A PNG that is nothing but its header. */
function png(width: number, height: number): string {
  const bytes = Buffer.alloc(33);
  bytes.write('\x89PNG\r\n\x1a\n', 'latin1');
  bytes.writeUInt32BE(13, 8);
  bytes.write('IHDR', 12, 'latin1');
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return bytes.toString('base64');
}
