import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as dialectRegistry from '../dialects/index.ts';
import { createFakeGateway } from '../dialects/kit/fake-gateway.ts';
import { withPlainNames } from './component-names.ts';
import { startFixture } from './server.fixture.ts';

const to = (name: string) => ({ $ref: `#/components/schemas/${name}` });

function schemasOf(paths: object, schemas: Record<string, unknown>): Record<string, unknown> {
  return withPlainNames({ paths, components: { schemas } }).components.schemas;
}

describe('component names', () => {
  test('lose their ending where only what is sent is used', () => {
    assert.deepEqual(
      schemasOf({ a: to('CarInput') }, { Car: { type: 'object' }, CarInput: { type: 'string' } }),
      {
        Car: { type: 'string' },
      },
    );
  });

  test('stay two where the two forms differ, and become one where they do not', () => {
    const schemas = {
      Car: { wheel: to('Wheel') },
      CarInput: { wheel: to('WheelInput') },
      Wheel: { spokes: 5 },
      WheelInput: { spokes: 5 },
      Road: { car: to('Car'), length: 1 },
      RoadInput: { car: to('CarInput'), length: 2 },
    };
    assert.deepEqual(schemasOf({ a: to('Road'), b: to('RoadInput') }, schemas), {
      Car: { wheel: to('Wheel') },
      Wheel: { spokes: 5 },
      Road: { car: to('Car'), length: 1 },
      RoadInput: { car: to('Car'), length: 2 },
    });
  });

  test('leave out what nothing leads to, also in circles', () => {
    const schemas = { A: { b: to('B') }, B: { a: to('A') }, C: { c: to('C') }, FooInput: {} };
    assert.deepEqual(schemasOf({ a: to('C'), b: to('FooInput') }, schemas), {
      C: { c: to('C') },
      FooInput: {},
    });
  });

  test('are those of the founding documents in the description that is given out', async () => {
    const dialects = Object.values(dialectRegistry);
    const { server } = await startFixture({ gateway: createFakeGateway(), dialects });
    const text = (await server.inject('/openapi.json')).body;
    await server.close();
    const { paths, components } = JSON.parse(text);
    const names = Object.keys(components.schemas);
    for (const name of [
      ...['KlingVideoRequest', 'VideoGenerationRequest', 'VideoTaskResponse', 'ErrorResponse'],
      ...['TaskErrorResponse', 'ModelsListResponse', 'ModelItem'],
    ]) {
      assert.ok(names.includes(name), name);
    }
    assert.deepEqual(
      names.filter((name) => name.endsWith('Input') || !text.includes(`"#/components/schemas/${name}"`)),
      [],
    );
    const body = paths['/kling/v1/videos/text2video'].post.requestBody.content['application/json'].schema;
    assert.deepEqual(body, to('KlingVideoRequest'));
  });
});
