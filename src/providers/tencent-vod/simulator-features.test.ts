import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Json } from '../../core/ports.ts';
import { UpstreamError } from '../../core/errors.ts';
import { pngOf } from '../kit/picture-sample.ts';
import { neverAborts, openBenchChannel } from '../kit/contract.ts';
import type { ProviderBench } from '../kit/contract.ts';
import { createUpstreamPools } from '../kit/upstream-http.ts';
import type { UpstreamPools } from '../kit/upstream-http.ts';
import { call } from './call.ts';
import type { VodAction } from './call.ts';
import { openVodBench } from './test-bench.ts';
import { isObject } from './wire.ts';
import type { WireObject } from './wire.ts';

const picture = { Type: 'Url', Url: 'https://media.example/a.png' };
const words = { ModelName: 'Kling', ModelVersion: '3.0', Prompt: 'a cat' };
const expand = { ModelName: 'Kling', ModelVersion: 'scene', SceneType: 'image_expand', FileInfos: [picture] };
const voice = { VoiceName: 'mine', VoiceUrl: 'https://media.example/voice.mp3' };
const pictures = {
  frontal_image: 'https://media.example/a.png',
  refer_images: [{ image_url: 'https://media.example/b.png' }],
};
const element = {
  ElementName: 'cat',
  ElementDescription: 'a grey cat',
  ReferenceType: 'image_refer',
  ElementImageList: JSON.stringify(pictures),
};
const sides = (up: Json, down: Json, left: Json, right: Json): string =>
  JSON.stringify({
    AdditionalParameters: JSON.stringify({
      up_expansion_ratio: up,
      down_expansion_ratio: down,
      left_expansion_ratio: left,
      right_expansion_ratio: right,
    }),
  });
const elementList = (id: Json): string =>
  JSON.stringify({ AdditionalParameters: JSON.stringify({ element_list: [{ element_id: id }] }) });

describe('the simulator beside films', () => {
  let bench: ProviderBench;
  let pools: UpstreamPools;
  before(async () => {
    bench = await openVodBench(1000);
    pools = createUpstreamPools();
  });
  after(async () => {
    await pools.close();
    await bench.close();
  });
  const ask = (action: VodAction, parameters: WireObject) =>
    call(action, parameters, openBenchChannel(bench, pools), neverAborts);
  const refused = async (action: VodAction, parameters: WireObject, code: string, sentence: RegExp) => {
    const error = await ask(action, parameters).then(
      () => assert.fail('it was taken'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof UpstreamError, String(error));
    assert.equal(error.upstreamCode, code, error.publicMessage);
    assert.match(error.publicMessage, sentence);
  };
  const value = 'InvalidParameterValue';

  const taken: [string, VodAction, WireObject][] = [
    ['words alone', 'CreateAigcImageTask', words],
    ['a picture alone', 'CreateAigcImageTask', { ...words, Prompt: '', FileInfos: [picture] }],
    [
      '4k of omni',
      'CreateAigcImageTask',
      {
        ...words,
        ModelVersion: '3.0-Omni',
        OutputConfig: { Resolution: '4k', AspectRatio: 'auto', OutputImageCount: 9 },
      },
    ],
    [
      'elements',
      'CreateAigcImageTask',
      { ...words, ModelVersion: 'O1', ExtInfo: elementList(829836802793406) },
    ],
    ['three times the area', 'CreateAigcImageTask', { ...expand, ExtInfo: sides(0, 0, 1, 1) }],
    ['a voice', 'CreateAigcCustomVoice', voice],
    ['an element from pictures', 'CreateAigcAdvancedCustomElement', element],
    [
      'an element from a film, with a voice',
      'CreateAigcAdvancedCustomElement',
      {
        ...element,
        ReferenceType: 'video_refer',
        ElementVoiceId: '829824295735410756',
        ElementVideoList: '{"refer_videos":[{"video_url":"https://media.example/film.mp4"}]}',
      },
    ],
  ];
  for (const [name, action, parameters] of taken) {
    test(`${name} is taken`, async () =>
      assert.match(String((await ask(action, parameters))['TaskId']), /t$/));
  }

  test('a picture as data is weighed and measured', async () => {
    const data = (width: number, height: number) => ({
      ...words,
      FileInfos: [{ Type: 'Base64', Base64: pngOf(width, height).toString('base64') }],
    });
    await ask('CreateAigcImageTask', data(640, 480));
    await refused('CreateAigcImageTask', data(200, 480), value, /at least 300 px/);
  });

  const refusals: [string, VodAction, WireObject, string, RegExp][] = [
    ['nothing to draw', 'CreateAigcImageTask', { ...words, Prompt: '' }, 'MissingParameter', /Prompt/],
    [
      'no version',
      'CreateAigcImageTask',
      { ...words, ModelVersion: null },
      'MissingParameter',
      /ModelVersion/,
    ],
    ['a version of films', 'CreateAigcImageTask', { ...words, ModelVersion: '2.6' }, value, /2\.1, 3\.0/],
    ['another model', 'CreateAigcImageTask', { ...words, ModelName: 'GG' }, value, /plays Kling/],
    ['a strange name', 'CreateAigcImageTask', { ...words, Duration: 5 }, 'UnknownParameter', /Duration/],
    [
      'a strange name of the output',
      'CreateAigcImageTask',
      { ...words, OutputConfig: { Duration: 5 } },
      'UnknownParameter',
      /OutputConfig\.Duration/,
    ],
    [
      'a category of a picture',
      'CreateAigcImageTask',
      { ...words, FileInfos: [{ ...picture, Category: 'Image' }] },
      'UnknownParameter',
      /Category/,
    ],
    [
      'two pictures for 3.0',
      'CreateAigcImageTask',
      { ...words, FileInfos: [picture, picture] },
      value,
      /at most 1 /,
    ],
    ['4k of 3.0', 'CreateAigcImageTask', { ...words, OutputConfig: { Resolution: '4k' } }, value, /1k, 2k/],
    [
      '2K in capitals',
      'CreateAigcImageTask',
      { ...words, OutputConfig: { Resolution: '2K' } },
      value,
      /1k, 2k/,
    ],
    [
      'auto for 3.0',
      'CreateAigcImageTask',
      { ...words, OutputConfig: { AspectRatio: 'auto' } },
      value,
      /AspectRatio/,
    ],
    [
      'ten pictures',
      'CreateAigcImageTask',
      { ...words, OutputConfig: { OutputImageCount: 10 } },
      value,
      /1 to 9/,
    ],
    [
      'a scene of another version',
      'CreateAigcImageTask',
      { ...words, SceneType: 'image_expand' },
      value,
      /SceneType/,
    ],
    ['a version without its scene', 'CreateAigcImageTask', { ...expand, SceneType: '' }, value, /SceneType/],
    [
      'more than three times the area',
      'CreateAigcImageTask',
      { ...expand, ExtInfo: sides(1, 1, 1, 1) },
      value,
      /3 times/,
    ],
    ['a side of three', 'CreateAigcImageTask', { ...expand, ExtInfo: sides(3, 0, 0, 0) }, value, /0 to 2/],
    ['a side as text', 'CreateAigcImageTask', { ...expand, ExtInfo: sides('1', 0, 0, 0) }, value, /number/],
    ['no sides', 'CreateAigcImageTask', expand, 'MissingParameter', /up_expansion_ratio/],
    ['an element as text', 'CreateAigcImageTask', { ...words, ExtInfo: elementList('1') }, value, /integer/],
    [
      'elements for 2.1',
      'CreateAigcImageTask',
      { ...words, ModelVersion: '2.1', ExtInfo: elementList(1) },
      value,
      /not supported by 2\.1/,
    ],
    [
      'a voice without a name',
      'CreateAigcCustomVoice',
      { ...voice, VoiceName: '' },
      'MissingParameter',
      /VoiceName/,
    ],
    [
      'a voice with a long name',
      'CreateAigcCustomVoice',
      { ...voice, VoiceName: 'x'.repeat(21) },
      value,
      /20 characters/,
    ],
    ['a voice from nothing', 'CreateAigcCustomVoice', { VoiceName: 'mine' }, 'MissingParameter', /VoiceUrl/],
    [
      'a voice from a work',
      'CreateAigcCustomVoice',
      { VoiceName: 'mine', VideoId: '1' },
      'ResourceNotFound',
      /VideoId/,
    ],
    [
      'a list that is no text',
      'CreateAigcAdvancedCustomElement',
      { ...element, ElementImageList: pictures },
      'InvalidParameter',
      /a string is expected/,
    ],
    [
      'a text that is no list',
      'CreateAigcAdvancedCustomElement',
      { ...element, ElementImageList: '[' },
      value,
      /no JSON/,
    ],
    [
      'one picture',
      'CreateAigcAdvancedCustomElement',
      { ...element, ElementImageList: '{"frontal_image":"https://media.example/a.png"}' },
      value,
      /1 to 3/,
    ],
    [
      'a film that is missing',
      'CreateAigcAdvancedCustomElement',
      { ...element, ReferenceType: 'video_refer' },
      'MissingParameter',
      /ElementVideoList/,
    ],
    [
      'a voice for pictures',
      'CreateAigcAdvancedCustomElement',
      { ...element, ElementVoiceId: '1' },
      value,
      /from videos/,
    ],
    [
      'an unknown tag',
      'CreateAigcAdvancedCustomElement',
      { ...element, TagList: '[{"tag_id":"o_1"}]' },
      value,
      /o_101/,
    ],
    [
      'the end of nothing',
      'DeleteAigcAdvancedCustomElement',
      { ElementId: '1' },
      'ResourceNotFound',
      /does not exist/,
    ],
    [
      'faces of a stored film',
      'DescribeAigcFaceInfo',
      { FileInfos: [{ Type: 'File', FileId: '1' }] },
      'ResourceNotFound',
      /FileId/,
    ],
    ['faces of data', 'DescribeAigcFaceInfo', { FileInfos: [{ Type: 'Base64' }] }, value, /File, Url/],
  ];
  for (const [name, action, parameters, code, sentence] of refusals) {
    test(`${name} is refused`, () => refused(action, parameters, code, sentence));
  }

  test('a SessionId serves once, whatever the action', async () => {
    const SessionId = 'used-by-a-picture';
    await ask('CreateAigcImageTask', { ...words, SessionId });
    await refused('CreateAigcCustomVoice', { ...voice, SessionId }, `${value}.SessionId`, /already exists/);
  });

  test('the account’s slots hold tasks of all kinds, and no look for faces', async () => {
    await bench.behave({ slots: 0 });
    await refused('CreateAigcImageTask', words, 'RequestLimitExceeded', /no free slot/);
    await refused('CreateAigcCustomVoice', voice, 'RequestLimitExceeded', /no free slot/);
    await ask('DescribeAigcFaceInfo', {
      FileInfos: [{ Type: 'Url', Url: 'https://media.example/film.mp4' }],
    });
    await bench.behaveWell();
  });

  test('a look for faces is on no list of tasks', async () => {
    await ask('DescribeAigcFaceInfo', {
      FileInfos: [{ Type: 'Url', Url: 'https://media.example/film.mp4' }],
    });
    const { TaskSet: tasks } = await ask('DescribeTasks', { Limit: 100 });
    assert.ok(Array.isArray(tasks) && tasks.length > 0);
    for (const task of tasks) assert.doesNotMatch(JSON.stringify(task), /face/i);
  });

  test('a task that fails is finished, with a code and without a result', async () => {
    const { TaskId } = await ask('CreateAigcImageTask', { ...words, Prompt: 'a [[fail:1301]]' });
    await bench.clock.advance(60_000);
    const { Status, AigcImageTask: task } = await ask('DescribeTaskDetail', { TaskId: TaskId! });
    assert.ok(isObject(task));
    assert.deepEqual(
      [Status, task['ErrCodeExt'], task['Output']],
      ['FINISH', 'InvalidParameter.VoilationContent', null],
    );
  });

  test('an element is there when its task has ended, and a failed one never', async () => {
    const made = async (description: string) => {
      const { TaskId } = await ask('CreateAigcAdvancedCustomElement', {
        ...element,
        ElementDescription: description,
      });
      return ask('DescribeTaskDetail', { TaskId: TaskId! });
    };
    const early = await made('a grey cat');
    assert.equal((early['CreateAigcAdvancedCustomElementTask'] as WireObject)['Output'], null);
    await bench.clock.advance(60_000);
    const failed = await made('a [[fail]]');
    assert.equal((failed['CreateAigcAdvancedCustomElementTask'] as WireObject)['Output'], null);
  });
});
