import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createCatalogue } from './catalogue.ts';
import type { Family, PriceRow } from './ports.ts';
import {
  chargeFor,
  createPriceBook,
  priceViews,
  pricesOfTiers,
  quote,
  quoteFeature,
  quoteVideo,
  type PriceOverride,
} from './pricing.ts';
import type { ResolvedFeature } from './request/feature.ts';
import type { VideoRequest } from './request/types.ts';

const row = (tier: string, officialMilliUnits: number, narrowing: Partial<PriceRow> = {}): PriceRow => ({
  tier,
  unit: 'second',
  officialMilliUnits,
  ...narrowing,
});

/** A family of two models with one tier each; a request names its tier as its model. */
const family: Family = {
  id: 'toy',
  title: 'Toy',
  models: ['plain', 'other'].map((id) => ({
    id,
    title: id,
    aliases: [],
    operations: ['text-to-video', 'image-to-video'],
    durations: [5],
    resolutions: ['720P'],
    aspectRatios: ['16:9'],
    features: [],
  })),
  aliases: [],
  pictures: { contentTypes: [], bytesMax: 0, sideMin: 0, ratioMax: 1 },
  tiers: ['toy-a', 'toy-b'],
  prices: [
    row('toy-a', 200),
    row('toy-a', 2000, { operation: 'text-to-video' }),
    row('toy-a', 3000, { model: 'other' }),
    row('toy-a', 4000, { surcharge: 'ref' }),
    row('toy-b', 100, { quantityMin: 5 }),
  ],
  tierOf: (request) => (request.requestedModel === 'b' ? 'toy-b' : 'toy-a'),
  billableQuantity: (request) => request.seconds,
  billableQuantityMax: (request) => (request.billsOutputLength ? 10 : request.seconds),
  surchargeOf: (request) => (request.references.length > 0 ? 'ref' : null),
  resolveVideo: () => assert.fail('not asked here'),
  features: [],
  resolveFeature: () => assert.fail('not asked here'),
};

const request = (change: Partial<VideoRequest> = {}): VideoRequest => ({
  family: 'toy',
  operation: 'image-to-video',
  model: 'plain',
  requestedModel: 'a',
  prompt: '',
  negativePrompt: null,
  seconds: 7,
  resolution: '720P',
  quality: null,
  aspectRatio: null,
  sound: false,
  firstFrame: null,
  lastFrame: null,
  references: [],
  referenceVideo: null,
  cfgScale: null,
  cameraControl: null,
  staticMask: null,
  dynamicMasks: [],
  multiShot: null,
  voiceIds: [],
  elementIds: [],
  motion: null,
  audio: null,
  watermark: false,
  retention: { mode: null, expiresAt: null, mediaName: null, classId: null },
  compliance: {},
  extensions: {},
  ...change,
});
const reference = { kind: 'url', url: 'https://example.com/a.png', source: 'images[0]' } as const;
const unitPrice = (overrides: PriceOverride[], change: Partial<VideoRequest> = {}): bigint =>
  quote(request(change), family, createPriceBook([family], 'USD', overrides)).unitPriceMicros;

describe('a quote', () => {
  test('converts official units exactly: 0.14 USD or 1 CNY', () => {
    const usd = quote(request(), family, createPriceBook([family], 'USD'));
    const cny = quote(request(), family, createPriceBook([family], 'CNY'));
    assert.deepEqual([usd.unitPriceMicros, usd.amountMicros, usd.currency], [28_000n, 196_000n, 'USD']);
    assert.deepEqual([cny.unitPriceMicros, cny.amountMicros, cny.currency], [200_000n, 1_400_000n, 'CNY']);
  });

  test('takes the most specific row', () => {
    assert.equal(unitPrice([], { operation: 'text-to-video' }), 280_000n);
    assert.equal(unitPrice([], { operation: 'text-to-video', model: 'other' }), 420_000n);
    assert.equal(unitPrice([], { model: 'other', references: [reference] }), 560_000n);
  });

  test('never counts less than the least quantity', () => {
    const book = createPriceBook([family], 'USD');
    assert.equal(quote(request({ requestedModel: 'b', seconds: 3 }), family, book).quantity, 5);
    assert.equal(quote(request({ requestedModel: 'b', seconds: 8 }), family, book).quantity, 8);
  });

  test('holds the most that may be charged where the output counts', () => {
    const quoted = quote(request({ billsOutputLength: true }), family, createPriceBook([family], 'USD'));
    assert.equal(quoted.quantity, 7);
    assert.equal(quoted.quantityMax, 10);
    assert.equal(quoted.amountMicros, 280_000n);
  });

  test('finds the family by the request', () => {
    const book = createPriceBook([family], 'USD');
    assert.deepEqual(quoteVideo(request(), createCatalogue([family]), book), quote(request(), family, book));
  });
});

describe('a charge', () => {
  const book = createPriceBook([family], 'USD');

  test('is the quote, whatever upstream made', () => {
    const quoted = quote(request(), family, book);
    assert.deepEqual(chargeFor(quoted, request(), 7.9), { quantity: 7, amountMicros: 196_000n });
  });

  test('is the output in whole seconds where that counts, within what was held', () => {
    const asked = request({ billsOutputLength: true });
    const quoted = quote(asked, family, book);
    assert.equal(chargeFor(quoted, asked, 4.4).quantity, 4);
    assert.equal(chargeFor(quoted, asked, 4.5).quantity, 5);
    assert.equal(chargeFor(quoted, asked, 0.2).quantity, 1);
    assert.equal(chargeFor(quoted, asked, 30).amountMicros, quoted.amountMicros);
    assert.equal(chargeFor(quoted, asked, null).quantity, 7);
  });
});

describe('a feature', () => {
  const speech = { operation: 'speech', title: 'Speech', makes: 'audio', immediate: true } as const;
  const seller: Family = {
    ...family,
    features: [{ ...speech, models: ['plain'], tiers: ['toy-b'] }],
  };
  const resolved = (change: Partial<ResolvedFeature>, billsOutputLength = false): ResolvedFeature => ({
    request: {
      kind: 'feature',
      family: 'toy',
      ...speech,
      model: 'plain',
      requestedModel: 'plain',
      prompt: '',
      seconds: null,
      count: 1,
      parameters: {},
      media: [],
      resources: [],
      watermark: false,
      retention: { mode: null, expiresAt: null, mediaName: null, classId: null },
      ...(billsOutputLength && { billsOutputLength }),
    },
    tier: 'toy-b',
    quantity: 3,
    quantityMax: 3,
    sources: {},
    warnings: [],
    ...change,
  });
  const book = createPriceBook([seller], 'USD');

  test('is priced by the tier and quantity that its family named', () => {
    const quoted = quoteFeature(resolved({ quantity: 7, quantityMax: 7 }), book);
    assert.deepEqual([quoted.quantity, quoted.amountMicros, quoted.quantityMin], [7, 98_000n, undefined]);
    assert.equal(quoteFeature(resolved({}), book).quantity, 5);
    assert.throws(() => quoteFeature(resolved({ tier: 'toy-z' }), book), /toy-z/);
  });

  test('that is charged by its output costs the least quantity at least', () => {
    const asked = resolved({ quantity: 5, quantityMax: 60 }, true);
    const quoted = quoteFeature(asked, book);
    assert.deepEqual([quoted.quantity, quoted.quantityMax, quoted.quantityMin], [5, 60, 5]);
    assert.equal(chargeFor(quoted, asked.request, 2.1).quantity, 5);
    assert.equal(chargeFor(quoted, asked.request, 12.4).quantity, 12);
    assert.equal(chargeFor(quoted, asked.request, 90).quantity, 60);
  });

  test('can have a price of its own', () => {
    const override = { tier: 'toy-b', unit_price: '0.5', operation: 'speech' };
    const overridden = createPriceBook([seller], 'USD', [override]);
    assert.equal(quoteFeature(resolved({}), overridden).unitPriceMicros, 500_000n);
    assert.equal(quote(request({ requestedModel: 'b' }), seller, overridden).unitPriceMicros, 14_000n);
  });
});

describe('overrides', () => {
  test('without narrowing set the price of the whole tier', () => {
    const overrides = [{ tier: 'toy-a', unit_price: '0.05' }];
    assert.equal(unitPrice(overrides), 50_000n);
    assert.equal(unitPrice(overrides, { operation: 'text-to-video' }), 50_000n);
    assert.equal(unitPrice(overrides, { references: [reference] }), 50_000n);
  });

  test('with narrowing set the price of what they name', () => {
    const overrides = [{ tier: 'toy-a', unit_price: 0.05, operation: 'text-to-video' }];
    assert.equal(unitPrice(overrides), 28_000n);
    assert.equal(unitPrice(overrides, { operation: 'text-to-video' }), 50_000n);
  });

  test('that name nothing are refused by name', () => {
    const refused: [PriceOverride, RegExp][] = [
      [{ tier: 'toy-c', unit_price: '1' }, /prices\[0\].*"toy-c"/],
      [{ tier: 'toy-a', unit_price: '1.0000001' }, /toy-a/],
      [{ tier: 'toy-a', unit_price: '-1' }, /toy-a/],
      [{ tier: 'toy-a', unit_price: 'free' }, /toy-a/],
      [{ tier: 'toy-a', unit_price: '1', operation: 'juggling' }, /juggling/],
      [{ tier: 'toy-a', unit_price: '1', model: 'none' }, /none/],
      [{ tier: 'toy-a', unit_price: '1', surcharge: 'none' }, /none/],
    ];
    for (const [override, message] of refused) {
      assert.throws(() => createPriceBook([family], 'USD', [override]), message);
    }
  });
});

describe('a price book', () => {
  test('has a version that follows from its prices alone', () => {
    const version = (currency: 'USD' | 'CNY', overrides: PriceOverride[] = []) =>
      createPriceBook([family], currency, overrides).version;
    assert.equal(version('USD'), version('USD'));
    assert.notEqual(version('USD'), version('CNY'));
    assert.notEqual(version('USD'), version('USD', [{ tier: 'toy-b', unit_price: '0.015' }]));
    const shuffled = { ...family, prices: family.prices.toReversed() };
    assert.equal(createPriceBook([shuffled], 'USD').version, version('USD'));
  });

  test('refuses a tier without a plain price', () => {
    assert.throws(() => createPriceBook([{ ...family, tiers: ['toy-a', 'toy-b', 'toy-c'] }], 'USD'), /toy-c/);
    assert.throws(() => createPriceBook([{ ...family, tiers: ['toy-a'] }], 'USD'), /toy-b/);
  });

  test('shows the rows of some tiers, and nothing for what it does not sell', () => {
    const book = createPriceBook([family], 'USD');
    const shown = pricesOfTiers(book, ['toy-b', 'toy-z', 'toy-a']).map(({ tier }) => tier);
    assert.deepEqual(shown, ['toy-b', 'toy-a', 'toy-a', 'toy-a', 'toy-a']);
  });

  test('shows every row and where it came from', () => {
    const views = priceViews(createPriceBook([family], 'USD', [{ tier: 'toy-b', unit_price: '0.02' }]));
    assert.equal(views.length, 5);
    assert.deepEqual(
      views.find((view) => view.tier === 'toy-b'),
      {
        tier: 'toy-b',
        unit: 'second',
        operation: null,
        model: null,
        surcharge: null,
        unitPriceMicros: 20_000n,
        currency: 'USD',
        quantityMin: 5,
        source: 'config',
      },
    );
  });
});
