import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GatewayError } from '../../core/errors.ts';
import type { LooseVideo } from '../../core/request/types.ts';
import { bodies } from './body.ts';
import { doors } from './doors.ts';
import { looseNewVideo } from './loose.ts';
import { shotsIn, withPositions } from './prompt.ts';

type Body = Record<string, unknown>;

const url = 'https://a.test/a.png';
const film = 'https://a.test/a.mp4';

function loose(feature: string, model: string, body: Body): LooseVideo {
  const door = doors.find((each) => each.feature === feature)!;
  return looseNewVideo(bodies.get(feature)!.parse(body), model, door);
}

/** What is claimed: field -> [source, value] of each claim. */
function claimsIn(found: LooseVideo, ...fields: (keyof LooseVideo)[]): Record<string, unknown> {
  return Object.fromEntries(
    fields.map((field) => [
      field,
      (found[field] as { source: string; value: unknown }[]).map(({ source, value }) => [source, value]),
    ]),
  );
}

describe('settings and options', () => {
  it('become claims that say where they stood', () => {
    const found = loose('text-to-video', 'Kling-2.6', {
      prompt: 'a cat',
      settings: { duration: 10, resolution: '1080p', aspect_ratio: '9:16', audio: 'native' },
      options: {
        callback_url: 'https://a.test/hook',
        external_task_id: 'mine',
        watermark_info: { enabled: true },
      },
      max_cost: '1',
    });
    assert.deepEqual(
      claimsIn(
        found,
        ...(['model', 'prompt', 'seconds', 'resolution', 'aspectRatio', 'sound', 'multiShot'] as const),
        ...(['callbackUrl', 'externalTaskId', 'watermark', 'maxCost', 'motionLevel'] as const),
      ),
      {
        model: [['model', 'kling-2.6']],
        prompt: [['prompt', 'a cat']],
        seconds: [['settings.duration', 10]],
        resolution: [['settings.resolution', '1080p']],
        aspectRatio: [['settings.aspect_ratio', '9:16']],
        sound: [['settings.audio', true]],
        multiShot: [],
        callbackUrl: [['options.callback_url', 'https://a.test/hook']],
        externalTaskId: [['options.external_task_id', 'mine']],
        watermark: [['options.watermark_info', { enabled: true }]],
        maxCost: [['max_cost', '1']],
        motionLevel: [],
      },
    );
  });

  it('make several shots of 3.0 and 3.0 Omni unless they say otherwise', () => {
    const shots = (model: string, settings: Body, feature = 'text-to-video') => {
      const contents =
        feature === 'motion-control'
          ? [
              { type: 'image', url },
              { type: 'video', url: film },
            ]
          : [];
      const found = loose(feature, model, {
        prompt: 'a cat',
        contents,
        settings: { aspect_ratio: '1:1', ...settings },
      });
      return [found.multiShot[0]?.source, found.multiShot[0]?.value, found.shotType[0]?.value];
    };
    assert.deepEqual(shots('kling-3.0', {}), ['default', true, 'intelligence']);
    assert.deepEqual(shots('kling-3.0-omni', {}, 'omni-video'), ['default', true, 'intelligence']);
    const none = [undefined, undefined, undefined];
    for (const model of ['kling-3.0-turbo', 'kling-2.6', 'kling-2.5-turbo'])
      assert.deepEqual(shots(model, {}), none);
    assert.deepEqual(shots('kling-o1', {}, 'omni-video'), none);
    assert.deepEqual(shots('kling-3.0', {}, 'motion-control'), none);
    assert.deepEqual(shots('kling-3.0', { multi_shot: false }), ['settings.multi_shot', false, undefined]);
    // Asked for where a model has none: the family refuses it.
    assert.deepEqual(shots('kling-2.6', { multi_shot: true }), ['settings.multi_shot', true, 'intelligence']);
    const edited = loose('omni-video', 'kling-3.0-omni', {
      prompt: 'a cat',
      contents: [{ type: 'base_video', url: film }],
    });
    assert.deepEqual(edited.multiShot, []);
  });

  it('find the shots that a prompt is written in', () => {
    const prompt = '镜头 1, 3, a cat, sleeping; 镜头 2, 2, it wakes up;';
    const found = loose('text-to-video', 'kling-3.0', { prompt });
    assert.deepEqual(claimsIn(found, 'prompt', 'shotType', 'shots'), {
      prompt: [],
      shotType: [['default', 'customize']],
      shots: [
        [
          'prompt',
          [
            { index: 1, duration: 3, prompt: 'a cat, sleeping' },
            { index: 2, duration: 2, prompt: 'it wakes up' },
          ],
        ],
      ],
    });
    const single = loose('text-to-video', 'kling-3.0', { prompt, settings: { multi_shot: false } });
    assert.deepEqual(single.shots, []);
    assert.equal(single.prompt[0]?.value, prompt);
    // Turbo has no such setting: it reads the prompt itself.
    assert.equal(loose('text-to-video', 'kling-3.0-turbo', { prompt }).prompt[0]?.value, prompt);
    for (const ordinary of ['a cat', '镜头 one, 3, a cat;', '镜头 1, 3, a cat; and then', '']) {
      assert.equal(shotsIn(ordinary), null);
    }
  });

  it('mean the level by the resolution, and the sound of the film by audio, in motion control', () => {
    const contents = [
      { type: 'image', url },
      { type: 'video', url: film },
    ];
    const found = (settings: Body) => {
      const motion = loose('motion-control', 'kling-2.6', { contents, settings });
      return claimsIn(motion, 'motionLevel', 'resolution', 'sound', 'keepOriginalSound');
    };
    assert.deepEqual(found({ resolution: '1080p', audio: 'off' }), {
      motionLevel: [['settings.resolution', 'pro']],
      resolution: [['settings.resolution', '1080p']],
      sound: [['settings.audio', false]],
      keepOriginalSound: [['settings.audio', false]],
    });
    assert.deepEqual(found({}), {
      motionLevel: [],
      resolution: [],
      sound: [],
      keepOriginalSound: [['default', true]],
    });
  });
});

describe('contents', () => {
  it('keep the roles they name', () => {
    const found = loose('omni-video', 'kling-3.0-omni', {
      contents: [
        { type: 'prompt', text: '@cat and @cat2 in @place, as in @clip, with @Anna' },
        { type: 'refer_image', url, id: 'cat' },
        { type: 'first_frame', url: `${url}?2`, id: 'place' },
        { type: 'refer_image', url: `${url}?3`, id: 'cat2' },
        { type: 'feature_video', url: film, id: 'clip' },
        { type: 'element', element_id: '829836802793406551', id: 'Anna' },
      ],
      settings: { audio: 'original' },
    });
    assert.deepEqual(
      found.files.map(({ source, category, role, keepOriginalSound }) => [
        source,
        category,
        role,
        keepOriginalSound,
      ]),
      [
        ['contents[1]', 'image', 'reference', undefined],
        ['contents[2]', 'image', 'first_frame', undefined],
        ['contents[3]', 'image', 'reference', undefined],
        ['contents[4]', 'video', 'feature', true],
      ],
    );
    assert.equal(found.files[0]?.media.source, 'contents[1].url');
    assert.deepEqual(found.elements, [{ source: 'contents', value: [{ element_id: '829836802793406551' }] }]);
    assert.deepEqual(found.prompt, [
      {
        source: 'contents[0].text',
        value: '<<<image_2>>> and <<<image_3>>> in <<<image_1>>>, as in <<<video_1>>>, with <<<element_1>>>',
      },
    ]);
    assert.deepEqual(found.sound, []);
  });

  it('drop the sound of a film unless it is asked for', () => {
    const found = loose('omni-video', 'kling-3.0-omni', { contents: [{ type: 'base_video', url: film }] });
    assert.equal(found.files[0]?.keepOriginalSound, false);
  });

  it('are refused by their place', () => {
    const wrong: [string, Body[], string][] = [
      ['text-to-video', [{ type: 'first_frame', url }], 'contents[0].type'],
      ['omni-video', [{ type: 'prompt' }], 'contents[0].text'],
      ['image-to-video', [{ type: 'first_frame' }], 'contents[0].url'],
      ['image-to-video', [{ type: 'first_frame', url: 'cat.png' }], 'contents[0].url'],
      ['image-to-video', [{ type: 'last_frame', url }], 'contents'],
      ['motion-control', [{ type: 'image', url }], 'contents'],
      ['motion-control', [{ type: 'video', url: film }], 'contents'],
      ['omni-video', [{ type: 'last_frame', url }], 'contents'],
      ['omni-video', [{ type: 'refer_image', url }], 'settings.aspect_ratio'],
      ['omni-video', [{ type: 'element', element_id: 'abc' }], 'contents[0].element_id'],
      [
        'omni-video',
        [
          { type: 'refer_image', url, id: 'a' },
          { type: 'refer_image', url, id: 'a' },
        ],
        'contents[1].id',
      ],
    ];
    for (const [feature, contents, param] of wrong) {
      const model = feature === 'omni-video' ? 'kling-o1' : 'kling-3.0';
      assert.throws(
        () => loose(feature, model, { contents }),
        (error) => error instanceof GatewayError && error.param === param,
        param,
      );
    }
    assert.throws(
      () => loose('text-to-video', 'kling-3.0', { prompt: 'a', settings: { audio: 'original' } }),
      (error) => error instanceof GatewayError && error.param === 'settings.audio',
    );
    for (const model of ['kling-o1', 'kling-v3', '']) {
      assert.throws(
        () => loose('text-to-video', model, { prompt: 'a' }),
        (error) => error instanceof GatewayError && error.code === 'model_not_found',
      );
    }
  });

  it('take the longer of two names that begin alike, and names with any sign', () => {
    const named = (name: string, position: number) => ({
      kind: 'image' as const,
      position,
      name,
      source: '',
    });
    const things = [named('a', 1), named('a.b', 2), named('张', 3)];
    assert.equal(
      withPositions('@a.b @a @acb @张三', things),
      '<<<image_2>>> <<<image_1>>> <<<image_1>>>cb <<<image_3>>>三',
    );
  });
});
