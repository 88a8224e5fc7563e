import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import swagger from '@fastify/swagger';
import Fastify from 'fastify';
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
} from 'fastify-type-provider-zod';
import { GatewayError } from '../../core/errors.ts';
import type { SurfaceDefaults } from '../../core/request/types.ts';
import { writeJson } from '../../lib/json.ts';
import { klingVideoRequest, looseVideo, videoGenerationRequest } from './video-request.ts';

const surface: SurfaceDefaults = {
  surface: 'test',
  model: null,
  mode: null,
  operation: null,
  refusesInlineMedia: false,
  requiresAspectRatio: false,
  imagesMax: 3,
};
const loose = (body: Record<string, unknown>) => looseVideo(videoGenerationRequest.parse(body), surface);
const fault = (body: unknown): { path: string; message: string } => {
  const issue = videoGenerationRequest.safeParse(body).error?.issues[0];
  assert.ok(issue, `taken: ${writeJson(body)}`);
  return { path: issue.path.join('.'), message: issue.message };
};
const upload = { bytes: Buffer.from('picture'), filename: 'a.png', contentType: 'image/png' };

describe('the schema', () => {
  test('names the field whose JSON type is wrong, however deep', () => {
    const cases: [Record<string, unknown>, string][] = [
      [{ prompt: 5 }, 'prompt'],
      [{ prompt: { text: 'a' } }, 'prompt'],
      [{ model: ['kling-v1'] }, 'model'],
      [{ seconds: { value: 5 } }, 'seconds'],
      [{ seconds: 12345678901234567890n }, 'seconds'],
      [{ image: 7 }, 'image'],
      [{ images: 7 }, 'images'],
      [{ content: 'hello' }, 'content'],
      [{ content: [{ type: 'text', text: 5 }] }, 'content.0.text'],
      [{ camera_control: [] }, 'camera_control'],
      [{ metadata: 'not json' }, 'metadata'],
      [{ metadata: [] }, 'metadata'],
      [{ metadata: { output_config: { duration: [] } } }, 'metadata.output_config.duration'],
      [{ metadata: { file_infos: [{ type: 5 }] } }, 'metadata.file_infos.0.type'],
      [{ metadata: '{"scene_type":5}' }, 'metadata.scene_type'],
    ];
    for (const [body, path] of cases) {
      const found = fault(body);
      assert.equal(found.path, path);
      assert.match(found.message, /^must be /);
    }
    for (const body of [null, 'text', 5, []]) assert.equal(fault(body).path, '');
  });

  test('keeps unknown fields, null and absent ones are the same', () => {
    assert.deepEqual(videoGenerationRequest.parse({ unknown: 1 }), { unknown: 1 });
    assert.deepEqual(loose({ seconds: null, image: null, metadata: null, content: null }), loose({}));
    assert.deepEqual(
      loose({ seconds: '', image: '', metadata: '', images: '', camera_control: '' }),
      loose({}),
    );
  });

  test('lets integers above 2^53 and file parts through as they are', () => {
    const body = { element_list: [{ element_id: 829836802793406551n }], image: upload, images: [upload] };
    const parsed = videoGenerationRequest.parse(body);
    assert.deepEqual(parsed.element_list, body.element_list);
    assert.equal(parsed.image, upload);
    assert.equal(loose(body).images[0]?.value, upload);
  });

  test('is a component of the API description under both of its names', async () => {
    const app = Fastify();
    app.setValidatorCompiler(validatorCompiler);
    app.setSerializerCompiler(serializerCompiler);
    await app.register(swagger, {
      openapi: { openapi: '3.1.0', info: { title: 'test', version: '1' } },
      transform: jsonSchemaTransform,
      transformObject: jsonSchemaTransformObject,
    });
    app.post('/a', { schema: { body: klingVideoRequest } }, () => null);
    app.post('/b', { schema: { body: videoGenerationRequest } }, () => null);
    await app.ready();
    const text = JSON.stringify(app.swagger());
    await app.close();
    assert.match(text, /"#\/components\/schemas\/KlingVideoRequestInput"/);
    assert.match(text, /"#\/components\/schemas\/VideoGenerationRequestInput"/);
    assert.match(text, /"output_config":\{"description"/);
  });
});

describe('claims', () => {
  test('carry the path they stood at', () => {
    const { seconds, sound, aspectRatio, resolution } = loose({
      seconds: '5',
      duration: 10,
      audio_generation: 'Enabled',
      aspect_ratio: '1:1',
      metadata: { duration: 8, audio: true, output_config: { duration: 9, resolution: '720P' } },
    });
    assert.deepEqual(
      seconds.map((claim) => [claim.source, claim.value]),
      [
        ['seconds', '5'],
        ['duration', 10],
        ['metadata.duration', 8],
        ['metadata.output_config.duration', 9],
      ],
    );
    assert.deepEqual(
      sound.map((claim) => claim.source),
      ['audio_generation', 'metadata.audio'],
    );
    assert.deepEqual(
      aspectRatio.map((claim) => claim.source),
      ['aspect_ratio'],
    );
    assert.deepEqual(
      resolution.map((claim) => claim.source),
      ['metadata.output_config.resolution'],
    );
  });

  test('are the same from a form as from JSON', () => {
    const json = loose({
      seconds: 5,
      metadata: {
        output_config: { duration: 5 },
        file_infos: [{ type: 'Url', category: 'Image', url: 'https://a.example/b.png' }],
      },
      images: ['https://a.example/1.png'],
      content: [{ type: 'text', text: 'a' }],
      dynamic_masks: [{ mask: 'https://a.example/m.png', trajectories: [{ x: 1, y: 2 }] }],
    });
    const form = loose({
      seconds: 5,
      metadata: JSON.stringify({
        output_config: { duration: 5 },
        file_infos: [{ type: 'Url', category: 'Image', url: 'https://a.example/b.png' }],
      }),
      images: '["https://a.example/1.png"]',
      content: '[{"type":"text","text":"a"}]',
      dynamic_masks: '[{"mask":"https://a.example/m.png","trajectories":[{"x":1,"y":2}]}]',
    });
    assert.deepEqual(form, json);
    assert.deepEqual(loose({ images: 'https://a.example/1.png' }).images, json.images);
  });

  test('of content go to prompt, picture and reference video', () => {
    const { prompt, image, referenceVideo } = loose({
      content: [
        { type: 'text', text: 'a' },
        { type: 'image_url', image_url: { url: 'https://a.example/1.png' } },
        { type: 'video_url', video_url: 'https://a.example/1.mp4' },
      ],
    });
    assert.deepEqual(prompt, [{ source: 'content[0].text', value: 'a' }]);
    assert.deepEqual(image, [{ source: 'content[1].image_url.url', value: 'https://a.example/1.png' }]);
    assert.deepEqual(referenceVideo, [{ source: 'content[2].video_url', value: 'https://a.example/1.mp4' }]);
  });

  test('of the official lists name their role', () => {
    const { files } = loose({
      image_list: [
        { image_url: 'https://a.example/1.png', type: 'first_frame' },
        { image_url: 'https://a.example/2.png', type: 'end_frame' },
        { image_url: 'https://a.example/3.png' },
        { image: 'https://a.example/4.png' },
      ],
      video_list: [{ video_url: 'https://a.example/1.mp4', keep_original_sound: 'no' }],
    });
    assert.deepEqual(
      files.map(({ source, role, keepOriginalSound }) => [source, role, keepOriginalSound]),
      [
        ['image_list[0]', 'first_frame', undefined],
        ['image_list[1]', 'last_frame', undefined],
        ['image_list[2]', 'reference', undefined],
        ['image_list[3]', 'reference', undefined],
        ['video_list[0]', 'base', false],
      ],
    );
  });

  test('in a body that no schema has seen are refused where they are no list or object', () => {
    for (const body of [
      { metadata: 5 },
      { content: 5 },
      { images: 5 },
      { image_list: {} },
      { metadata: { file_infos: 'x' } },
    ]) {
      assert.throws(() => looseVideo(body as never, surface), GatewayError);
    }
  });
});
