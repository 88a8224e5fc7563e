/** Features, whatever is sent: resolved or refused by name, in a tier of the closed list, at the exact price. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { GatewayError } from '../../src/core/errors.ts';
import { createPriceBook, quoteFeature } from '../../src/core/pricing.ts';
import type { Field, Fields } from '../../src/core/request/feature-field.ts';
import { kling } from '../../src/families/index.ts';
import { descriptions } from '../../src/families/kling/features/index.ts';
import * as providers from '../../src/providers/index.ts';
import { catalogue, film, picture, priceBook } from './doors.ts';

const junk = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.bigInt(), fc.constant(new Uint8Array(3)));
const mostly = (good: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 30, arbitrary: good }, { weight: 1, arbitrary: junk });

/** Values that a field should like, with something else now and then. */
function valueOf(field: Field): fc.Arbitrary<unknown> {
  switch (field.kind) {
    case 'text':
      return mostly(
        fc.string({ minLength: 1, maxLength: Math.min(field.max, 20) }).map((text) => `a${text}`),
      );
    case 'number':
      return mostly(fc.constantFrom(field.min, field.max, (field.min + field.max) / 2, field.max + 1));
    case 'integer':
      return mostly(fc.constantFrom(field.min, field.max, String(field.min)));
    case 'word':
      return mostly(fc.constantFrom(...field.words, ...field.words.map((word) => word.toUpperCase())));
    case 'flag':
      return mostly(fc.constantFrom(true, 'false', 'on', 0));
    case 'media':
      return mostly(fc.constantFrom(field.role === 'film' ? film : picture, `${picture}?2`));
    case 'id':
    case 'resource':
      return mostly(fc.constantFrom('7', 8, 829836802793406551n));
    case 'list':
      return mostly(fc.array(valueOf(field.of), { minLength: field.min, maxLength: field.max }));
    case 'object':
      return mostly(recordOf(field.fields));
    case 'unavailable':
      return fc.constantFrom(undefined, null, undefined, undefined, picture);
  }
}

function recordOf(fields: Fields): fc.Arbitrary<Record<string, unknown>> {
  const entries = Object.entries(fields).map(([name, field]) => {
    // Without default or need a field is there half the time.
    const value = field.required ? valueOf(field) : fc.option(valueOf(field), { nil: undefined, freq: 2 });
    return [name, value] as const;
  });
  return fc.record(Object.fromEntries(entries));
}

const shapeOf = (operation: (typeof descriptions)[number], model: string): Fields =>
  typeof operation.parameters === 'function'
    ? operation.parameters(model).fields
    : operation.parameters.fields;

function attempt(operation: string, model: string | null, fields: Record<string, unknown>) {
  const envelope = { externalTaskId: undefined, callbackUrl: undefined, maxCost: undefined };
  try {
    return kling.resolveFeature({ surface: 'kling.test', operation, model, fields, ...envelope });
  } catch (error) {
    assert.ok(error instanceof GatewayError, error instanceof Error ? error.stack : String(error));
    assert.ok(error.publicMessage.length > 0 && error.publicMessage.length < 600, error.publicMessage);
    return null;
  }
}

describe('a feature, whatever is sent', () => {
  test('is resolved or refused by a GatewayError, never anything else', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...descriptions, { operation: 'juggling' }),
        fc.option(fc.string(), { nil: null }),
        fc.dictionary(fc.string(), junk),
        ({ operation }, model, fields) => void attempt(operation, model, fields),
      ),
      { numRuns: 1000 },
    );
  });

  for (const description of descriptions) {
    const { operation, models } = description;
    test(`${operation} comes in a published tier at the exact price, as plain data`, () => {
      let resolved = 0;
      const request = fc
        .constantFrom(...models)
        .chain((model) =>
          fc.record({ model: fc.constant(model), fields: recordOf(shapeOf(description, model)) }),
        );
      fc.assert(
        fc.property(request, ({ model, fields }) => {
          const before = structuredClone(fields);
          const result = attempt(operation, model, fields);
          assert.deepEqual(structuredClone(fields), before);
          if (result === null) return;
          resolved++;
          const quote = quoteFeature(result, priceBook);
          const detail = catalogue.detail(result.request.model);
          assert.ok(
            detail !== null && detail.tiers.includes(quote.tier),
            `${model} does not publish ${quote.tier}`,
          );
          assert.ok(
            detail.features.some((spec) => spec.operation === operation && spec.tiers.includes(quote.tier)),
          );
          assert.ok(Number.isSafeInteger(quote.quantity) && quote.quantity > 0);
          assert.ok(quote.quantityMax >= quote.quantity);
          assert.equal(quote.amountMicros, BigInt(quote.quantityMax) * quote.unitPriceMicros);
          for (const { path } of [...result.request.media, ...result.request.resources]) {
            assert.equal(at(result.request.parameters, path), null, path);
          }
          assert.deepEqual(structuredClone(result.request), result.request);
        }),
        { numRuns: 1500 },
      );
      assert.ok(resolved > 8, `only ${resolved} requests were resolvable`);
    });
  }
});

/** The value at a dotted path; undefined where there is none. */
function at(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], value);
}

describe('the catalogue of features', () => {
  test('has a price for every tier, and a tier for every price', () => {
    const sold = new Set(kling.features.flatMap(({ tiers }) => tiers));
    for (const tier of sold) assert.ok(priceBook.prices.has(tier), tier);
    const priced = new Set(kling.prices.map(({ tier }) => tier));
    assert.deepEqual([...priced].sort(), [...kling.tiers].sort());
  });

  test('charges the official units', () => {
    const micros = (operation: string, fields: Record<string, unknown>, model: string | null = null) => {
      const resolved = attempt(operation, model, fields);
      assert.ok(resolved);
      return quoteFeature(resolved, priceBook).amountMicros;
    };
    const n = 2;
    assert.equal(micros('text-to-image', { prompt: 'a', n }), 7_000n);
    assert.equal(micros('text-to-image', { prompt: 'a', n }, 'kling-v2-1'), 28_000n);
    assert.equal(micros('text-to-image', { prompt: 'a', n }, 'kling-v3'), 56_000n);
    assert.equal(micros('omni-image', { prompt: 'a', n, resolution: '4k' }, 'kling-v3-omni'), 112_000n);
    assert.equal(micros('multi-image-to-image', { subject_image_list: [picture] }), 56_000n);
    assert.equal(micros('virtual-try-on', { human_image: picture, cloth_image: picture }), 70_000n);
    assert.equal(micros('ai-multi-shot', { element_frontal_image: picture }), 70_000n);
    assert.equal(micros('image-recognize', { image: picture }), 14_000n);
    assert.equal(micros('identify-face', { video_url: film }), 7_000n);
    assert.equal(micros('custom-voice', { voice_name: 'a', voice_url: film }), 7_000n);
    assert.equal(micros('text-to-speech', { text: 'a', voice_id: 'b' }), 7_000n);
    assert.equal(micros('text-to-audio', { prompt: 'a', duration: 5 }), 35_000n);
    assert.equal(micros('video-to-audio', { video_id: 'task_1' }), 35_000n);
    assert.equal(micros('video-extend', { video_id: 'task_1' }), 490_000n);
    const edit = { session_id: '1', edit_mode: 'removal', prompt: 'a' };
    assert.equal(micros('multi-elements', edit), 420_000n);
    assert.equal(micros('multi-elements', { ...edit, mode: 'pro', duration: '10' }), 1_400_000n);
    const yuan = createPriceBook([kling], 'CNY');
    const tryOn = attempt('virtual-try-on', null, { human_image: picture, cloth_image: picture });
    assert.equal(tryOn && quoteFeature(tryOn, yuan).amountMicros, 500_000n);
  });

  test('asks for models that exist, and providers serve none that does not', () => {
    for (const { operation, models } of kling.features) {
      for (const model of models) assert.ok(catalogue.find(model), `${operation} names ${model}`);
    }
    for (const provider of Object.values(providers)) {
      for (const model of provider.serves) {
        assert.equal(catalogue.find(model)?.model.id, model, `${provider.id} serves ${model}`);
      }
    }
  });

  test('lists what callers can ask for, and not what only providers know', () => {
    const listed = catalogue.modelCards.map((card) => card.id);
    for (const name of ['kling-v2', 'kling-image-o1', 'kolors-virtual-try-on-v1-5', 'kling-3.0-turbo']) {
      assert.ok(listed.includes(name), name);
    }
    for (const name of ['kling-features', 'kling-2.5-turbo']) assert.ok(!listed.includes(name), name);
    assert.ok((catalogue.detail('kling-features')?.features.length ?? 0) > 10);
    assert.deepEqual(
      catalogue.detail('kling-v2')?.features.map(({ operation }) => operation),
      ['text-to-image', 'multi-image-to-image'],
    );
  });
});
