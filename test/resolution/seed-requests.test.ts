import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { filmTiers, seedTiers, tiers } from '../../src/families/kling/tiers.ts';
import { catalogue, doors, resolve, tierOf, type Door } from './doors.ts';

interface Fixture {
  section: string;
  title: string;
  request: Record<string, unknown>;
  expected: { tier: string; billable_seconds: number };
}

const fixtures: Fixture[] = JSON.parse(
  readFileSync(new URL('../fixtures/seed-003-examples.json', import.meta.url), 'utf8'),
);

describe('the requests of seed 003', () => {
  for (const { section, title, request, expected } of fixtures) {
    test(`${section} ${title}`, () => {
      const { quote, request: canonical } = resolve(request);
      assert.equal(quote.tier, expected.tier);
      assert.equal(quote.quantity, expected.billable_seconds);
      assert.equal(quote.quantityMax, quote.quantity);
      assert.equal(quote.amountMicros, BigInt(expected.billable_seconds) * quote.unitPriceMicros);
      assert.ok(!structuredClone(canonical).billsOutputLength);
    });
  }

  test('there are fourteen', () => assert.equal(fixtures.length, 14));
});

describe('the request of seeds 000 and 004', () => {
  const body = {
    model_name: 'kling-v1-6',
    prompt: 'A cat playing with a ball of yarn in a sunny room',
    mode: 'std',
    duration: '5',
    aspect_ratio: '16:9',
  };

  for (const door of ['videos', 'text2video'] as Door[]) {
    test(`resolves alike at ${doors[door].surface}`, () => {
      const { request, quote, sources } = resolve(body, door);
      assert.equal(quote.tier, 'kling-1.6-720p');
      assert.equal(request.model, 'kling-v1-6');
      assert.equal(request.quality, 'std');
      assert.equal(request.seconds, 5);
      assert.equal(request.aspectRatio, '16:9');
      assert.deepEqual(sources, {
        model: 'model_name',
        prompt: 'prompt',
        seconds: 'duration',
        aspectRatio: 'aspect_ratio',
        mode: 'mode',
        operation: 'derived:text_only',
        resolution: 'mode',
        sound: 'default',
      });
    });
  }

  test('a prompt alone is a film of kling-v1 at Kling\u2019s own door', () => {
    const { request, quote, sources } = resolve(
      { prompt: 'A happy scene of a vacation on the beach.' },
      'text2video',
    );
    assert.equal(request.model, 'kling-v1');
    assert.equal(quote.tier, 'kling-1.0-720p');
    assert.equal(request.aspectRatio, '16:9');
    assert.equal(sources['model'], 'default');
  });
});

describe('names', () => {
  const native: Record<string, string> = {
    'kling-v1': 'kling-1.0-720p',
    'kling-v1-6': 'kling-1.6-720p',
    'kling-v2-master': 'kling-2.0-720p',
    'kling-v2-1-master': 'kling-2.1-720p',
    'kling-v2-5-turbo': 'kling-2.5-720p-mute',
    'kling-v2-6': 'kling-2.5-720p-mute',
    'kling-video-o1': 'kling-o1-720p',
    'kling-v3': 'kling-3.0-720p-mute',
    'kling-v3-omni': 'kling-3.0-omni-720p-noref-mute',
    'kling-1.0': 'kling-1.0-720p',
    'kling-1.5': 'kling-1.5-720p',
    'kling-2.0': 'kling-2.0-720p',
    'kling-2.1': 'kling-2.1-720p',
    'kling-2.5': 'kling-2.5-720p-mute',
    'kling-2.6': 'kling-2.5-720p-mute',
    'kling-3.0': 'kling-3.0-720p-mute',
    'kling-3.0-omni': 'kling-3.0-omni-720p-noref-mute',
    'kling-o1': 'kling-o1-720p',
  };
  const withPicture: Record<string, string> = {
    'kling-v1-5': 'kling-1.5-720p',
    'kling-v2-1': 'kling-2.1-720p',
    'kling-avatar-720p': 'kling-avatar-720p',
    'kling-avatar-1080p': 'kling-avatar-1080p',
    'kling-identify-face': 'kling-identify-face',
  };
  const mixedCase = (name: string): string =>
    [...name].map((letter, index) => (index % 2 === 0 ? letter.toUpperCase() : letter)).join('');

  for (const [name, tier] of [...Object.entries(native), ...Object.entries(withPicture)]) {
    test(`${name} is billed as ${tier}, in any case`, () => {
      const body = { prompt: 'a lake', ...(name in withPicture && { image: 'https://example.com/a.png' }) };
      assert.equal(tierOf({ ...body, model: name }), tier);
      assert.equal(tierOf({ ...body, model_name: mixedCase(name) }), tier);
      assert.equal(
        resolve({ ...body, model: ` ${mixedCase(name)} ` }).request.requestedModel,
        mixedCase(name),
      );
    });
  }

  test('all public names are listed, the hidden alias is not', () => {
    const listed = catalogue.modelCards.map((card) => card.id);
    for (const name of [...Object.keys(native), ...Object.keys(withPicture)]) {
      assert.equal(listed.includes(name), name !== 'kling-2.6', name);
    }
    assert.equal(new Set(listed).size, listed.length);
    assert.equal(catalogue.models.length, listed.length);
  });
});

describe('tiers', () => {
  test('the grammar of films has 39; 4K on 3.0 and 3.0 Turbo add two each of ours', () => {
    assert.equal(new Set(seedTiers).size, 39);
    assert.equal(new Set(filmTiers).size, 43);
    assert.equal(new Set(tiers).size, tiers.length);
    assert.equal(tierOf({ model: 'kling-v3', prompt: 'a lake', mode: '4k' }), 'kling-3.0-4k-mute');
  });

  test('every tier of films can be reached', () => {
    const reached = new Set<string>();
    const films = [
      'kling-1.0', 'kling-1.5', 'kling-v1-6', 'kling-2.0', 'kling-2.1', 'kling-2.5', 'kling-3.0', 'kling-3.0-omni', 'kling-o1', 'kling-3.0-turbo',
    ]; // prettier-ignore
    const bodies: Record<string, unknown>[] = [
      ...films.flatMap((model) => [{ model }, { model, images: ['https://example.com/a.png'] }]),
      ...['kling-2.5', 'kling-3.0'].flatMap((model) =>
        ['std', 'pro'].map((motion_level) => ({
          model,
          metadata: { scene_type: 'motion_control', motion_level, video_url: 'https://example.com/a.mp4' },
        })),
      ),
      { model: 'kling-1.0', image: 'https://example.com/a.png', metadata: { scene_type: 'avatar_i2v' } },
      { model: 'kling-1.0', image: 'https://example.com/a.png', metadata: { scene_type: 'lip_sync' } },
    ];
    for (const body of bodies) {
      for (const resolution of ['720P', '1080P', '4K']) {
        for (const audio of [true, false]) {
          const metadata = { ...(body['metadata'] as object | undefined), resolution, audio };
          try {
            reached.add(tierOf({ prompt: 'a lake', ...body, metadata }));
          } catch {
            // Not every model has every grade, or sound.
          }
        }
      }
    }
    assert.deepEqual([...reached].sort(), [...filmTiers].sort());
  });
});
