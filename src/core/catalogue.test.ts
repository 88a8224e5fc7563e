import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCatalogue } from './catalogue.ts';
import type { Family, ModelSpec } from './ports.ts';

const model = (id: string, change: Partial<ModelSpec> = {}): ModelSpec => ({
  id,
  title: id,
  aliases: [],
  operations: ['text-to-video'],
  durations: [10, 5],
  resolutions: ['720P'],
  aspectRatios: ['16:9'],
  features: [],
  ...change,
});

const family = (change: Partial<Family> = {}): Family => ({
  id: 'toy',
  title: 'Toy',
  models: [
    model('Toy-1', { aliases: ['toy-one'] }),
    model('toy-2', { durations: [3], operations: ['image-to-video'], features: ['sound'] }),
  ],
  aliases: [
    { id: 'toy', title: 'Toy', hidden: false, models: ['Toy-1', 'toy-2'] },
    { id: 'toy-hidden', title: 'Toy', hidden: true, models: ['toy-2'] },
    { id: 'toy-face', title: 'Toy', hidden: false, models: ['toy-2'], operations: ['avatar'] },
  ],
  pictures: { contentTypes: [], bytesMax: 0, sideMin: 0, ratioMax: 1 },
  tiers: [],
  prices: [],
  tierOf: () => '',
  billableQuantity: () => 0,
  billableQuantityMax: () => 0,
  surchargeOf: () => null,
  resolveVideo: () => assert.fail('not asked here'),
  features: [],
  resolveFeature: () => assert.fail('not asked here'),
  ...change,
});

test('names are found in any case, other names of a model too', () => {
  const catalogue = createCatalogue([family()]);
  assert.equal(catalogue.find(' TOY-ONE ')?.model.id, 'Toy-1');
  assert.equal(catalogue.find('toy-hidden')?.alias?.id, 'toy-hidden');
  assert.equal(catalogue.find('toy-3'), null);
  assert.equal(catalogue.find('__proto__'), null);
  assert.equal(catalogue.family('toy').id, 'toy');
  assert.throws(() => catalogue.family('other'), /other/);
});

test('hidden aliases are not listed', () => {
  const { models, modelCards } = createCatalogue([family()]);
  assert.deepEqual(
    modelCards.map((card) => card.id),
    ['Toy-1', 'toy-2', 'toy', 'toy-face'],
  );
  assert.deepEqual(
    models.map((each) => each.id),
    modelCards.map((card) => card.id),
  );
  assert.ok(modelCards.every((card) => card.ownedBy === 'toy'));
});

test('an alias can do what the models behind it can, as far as its name allows', () => {
  const catalogue = createCatalogue([family()]);
  const all = catalogue.find('toy')?.model;
  assert.deepEqual(all?.durations, [3, 5, 10]);
  assert.deepEqual(all?.operations, ['text-to-video', 'image-to-video']);
  assert.deepEqual(all?.features, ['sound']);
  const face = catalogue.find('toy-face')?.model;
  assert.deepEqual([face?.operations, face?.durations, face?.features], [['avatar'], [], []]);
});

test('a name that is claimed twice, or an alias of nothing, stops the start', () => {
  assert.throws(() => createCatalogue([family(), family({ id: 'toy-b' })]), /Toy-1/);
  assert.throws(() => createCatalogue([family(), family()]), /families named toy/);
  const lost = { id: 'toy-x', title: '', hidden: false, models: ['toy-9'] };
  assert.throws(() => createCatalogue([family({ aliases: [lost] })]), /toy-9/);
});

test('a detail names features and tiers of exactly that model', () => {
  const speech = { operation: 'speech', title: 'Speech', makes: 'audio', immediate: true } as const;
  const catalogue = createCatalogue([
    family({
      models: [
        model('toy-1', { tiers: ['toy-film', 'toy-speech-one'] }),
        model('toy-2', { tiers: ['toy-speech-two'], operations: [], hidden: true }),
      ],
      aliases: [
        { id: 'toy', title: 'Toy', hidden: false, models: ['toy-1'] },
        { id: 'toy-x', title: 'Toy', hidden: true, models: ['toy-1'], tiers: ['toy-film-x'] },
      ],
      features: [{ ...speech, models: ['toy-1', 'toy-2'], tiers: ['toy-speech-one', 'toy-speech-two'] }],
    }),
  ]);
  const of = (name: string) => {
    const detail = catalogue.detail(name);
    return [detail?.spec.id, detail?.tiers, detail?.features.map(({ tiers }) => tiers)];
  };
  assert.deepEqual(of('TOY-1'), ['toy-1', ['toy-film', 'toy-speech-one'], [['toy-speech-one']]]);
  assert.deepEqual(of('toy-2'), ['toy-2', ['toy-speech-two'], [['toy-speech-two']]]);
  assert.deepEqual(of('toy'), ['toy', ['toy-film', 'toy-speech-one'], []]);
  assert.deepEqual(of('toy-x'), ['toy-x', ['toy-film-x'], []]);
  assert.equal(catalogue.detail('toy-3'), null);
  assert.deepEqual(
    catalogue.modelCards.map((card) => card.id),
    ['toy-1', 'toy'],
  );
});
