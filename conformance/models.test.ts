/**
 * What `GET /v1/models/{id}` says a model can do, against what a request for it is answered: every value on the page is
 * taken, every one beside it is refused by the name of its field, and prices are those of the page.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { call, type Answer, type LooseJson } from '../test/helpers/processes.ts';
import { assertRefused, startGateway, type TestGateway } from './support/gateway.ts';

const PICTURE = 'https://example.com/one.png';
const OTHER = 'https://example.com/other.png';
const FILM = 'https://example.com/film.mp4';

let gateway: TestGateway;
let cards: LooseJson[];
before(async () => {
  gateway = await startGateway('tiny');
  const key = gateway.keys.api_key;
  const { data } = (await call(`${gateway.url}/v1/models`, { key })).body;
  cards = await Promise.all(
    data.map(async ({ id }: LooseJson) => {
      const answer = await call(`${gateway.url}/v1/models/${id}`, { key });
      assert.equal(answer.status, 200, answer.text);
      return answer.body;
    }),
  );
});
after(() => gateway.stop());

type Body = Record<string, unknown>;
const dry = (path: string, json: Body): Promise<Answer> =>
  call(`${gateway.url}${path}?dry_run=true`, { key: gateway.keys.api_key, json });
const generic = (card: LooseJson, body: Body): Promise<Answer> =>
  dry('/v1/video/generations', { model: card.id, prompt: 'waves', ...body });

/** A dry run that is taken, at a tier and price of the card. */
function assertOnCard(answer: Answer, card: LooseJson, about: string): void {
  assert.equal(answer.status, 200, `${about}: ${answer.text}`);
  const { model, unit, unit_price: price, currency } = answer.body;
  const row = card.tiers.find((tier: LooseJson) => tier.tier === model && tier.price === price);
  assert.ok(row, `${about}: ${model} at ${price} is not on the card`);
  assert.deepEqual([row.unit, row.currency], [unit, currency], about);
}

const films = (): LooseJson[] =>
  cards.filter(({ operations }) => operations.some((one: string) => one.endsWith('-to-video')));

/** What a film of this model begins from: some take no words alone. */
const startOf = (card: LooseJson): Body =>
  card.operations.includes('text-to-video') ? {} : { image: PICTURE };
/** Lengths of their own for words alone: a reference is what all lengths go with. */
const lengthStartOf = (card: LooseJson): Body =>
  card.capabilities.includes('reference_video') ? { images: [PICTURE] } : startOf(card);

test('the list has the names of both founding documents, and each name a card of its own', () => {
  const ids = cards.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ['kling-v1', 'kling-v1-6', 'kling-v2-6', 'kling-v3', 'kling-3.0-turbo', 'kling-video-o1'])
    assert.ok(ids.includes(id), id);
  for (const id of ['kling-2.5', 'kling-3.0-omni', 'kling-avatar-1080p', 'kling-identify-face'])
    assert.ok(ids.includes(id), id);
  for (const card of cards) {
    assert.match(card.title, /\S/);
    assert.ok(card.tiers.length > 0, `${card.id} has no price`);
    assert.ok(card.operations.length + card.features.length > 0, `${card.id} can do nothing`);
    for (const { tier, price, unit, currency } of card.tiers) {
      assert.match(price, /^\d+(\.\d+)?$/, `${card.id} ${tier}`);
      assert.match(unit, /\S/);
      assert.equal(currency, 'USD');
    }
  }
});

test('case does not matter; a name that is none is a 404', async () => {
  const { api_key: key } = gateway.keys;
  const upper = await call(`${gateway.url}/v1/models/KLING-2.5`, { key });
  assert.equal(upper.body.id, 'kling-2.5');
  assertRefused(await call(`${gateway.url}/v1/models/none`, { key }), '/v1/models', {
    status: 404,
    code: 'model_not_found',
  });
});

describe('films', () => {
  test('lengths: each on the card is taken, the ones beside them are refused', async () => {
    for (const card of films()) {
      const start = lengthStartOf(card);
      for (const duration of card.durations) {
        const answer = await generic(card, { ...start, duration });
        assertOnCard(answer, card, `${card.id}, ${duration} s`);
        assert.equal(answer.body.quantity, duration);
      }
      const longest = Math.max(...card.durations);
      for (let duration = 1; duration <= longest + 1; duration++) {
        if (card.durations.includes(duration)) continue;
        assertRefused(await generic(card, { ...start, duration }), '/v1/video/generations', {
          status: 400,
          param: 'duration',
        });
      }
    }
  });

  test('grades, ratios and modes likewise', async () => {
    const lists: [string, string, string[]][] = [
      ['resolutions', 'resolution', ['720P', '1080P', '4K', '2K', '480P']],
      ['aspect_ratios', 'aspect_ratio', ['16:9', '9:16', '1:1', '4:3', '21:9', '0:0']],
      ['modes', 'mode', ['std', 'pro', '4k', 'ultra']],
    ];
    for (const card of films()) {
      for (const [list, field, words] of lists) {
        // Masters have one grade, and overlook the switch.
        if (list === 'modes' && card.modes.length === 0) continue;
        const isTop = field !== 'resolution';
        const param = isTop ? field : `metadata.${field}`;
        for (const word of new Set([...card[list], ...words])) {
          const body = { ...startOf(card), ...(isTop ? { [field]: word } : { metadata: { [field]: word } }) };
          const answer = await generic(card, body);
          const about = `${card.id}, ${field} ${word}`;
          if (card[list].includes(word)) assertOnCard(answer, card, about);
          // The shape of a first frame counts, and masters have one quality: said in a warning.
          else if (list !== 'resolutions' && answer.status === 200)
            assert.deepEqual(
              answer.body.warnings.map(({ code }: LooseJson) => code),
              [`${field}_ignored`],
              about,
            );
          else assertRefused(answer, '/v1/video/generations', { status: 400, param });
        }
      }
    }
  });

  const shot = (index: number) => ({ index, prompt: `part ${index}`, duration: index === 1 ? '3' : '2' });
  const zoom = { type: 'simple', config: { zoom: 5 } };
  /** Requests that need the capability: one of them must be taken where the card has it, all refused where not. */
  const needing: Record<string, Body[]> = {
    sound: [{ sound: 'on' }],
    end_frame: [{ image: PICTURE, metadata: { last_frame_url: OTHER } }],
    voices: [{ image: PICTURE, sound: 'on', mode: 'pro', voice_list: [{ voice_id: 'genshin_vindi2' }] }],
    multi_shot: [{ multi_shot: true, shot_type: 'customize', multi_prompt: [shot(1), shot(2)], duration: 5 }],
    references: [{ images: [PICTURE, OTHER] }],
    reference_video: [{ metadata: { video_url: FILM } }],
    elements: [{ image: PICTURE, element_list: [{ element_id: '829836802793406551' }] }],
    masks: [{ image: PICTURE, mode: 'pro', duration: 5, static_mask: OTHER }],
    camera_control: [
      { mode: 'std', duration: 5, camera_control: zoom },
      { image: PICTURE, mode: 'pro', duration: 5, camera_control: zoom },
    ],
  };
  for (const [word, bodies] of Object.entries(needing)) {
    test(`${word}: where the card has it, and nowhere else`, async () => {
      for (const card of films()) {
        const has = card.capabilities.includes(word);
        const answers = await Promise.all(bodies.map((body) => generic(card, { ...startOf(card), ...body })));
        const taken = answers.filter(({ status }) => status === 200);
        const about = `${card.id}: ${answers.map(({ text }) => text).join('\n')}`;
        assert.equal(taken.length > 0, has, about);
        for (const answer of taken) assertOnCard(answer, card, card.id);
        for (const answer of answers)
          if (answer.status !== 200) assertRefused(answer, '/v1/video/generations', { status: 400 });
      }
    });
  }

  test('cfg_scale and negative_prompt count where the card has them, and otherwise say that they do not', async () => {
    for (const card of films()) {
      for (const [word, value] of [
        ['cfg_scale', 0.7],
        ['negative_prompt', 'rain'],
      ] as const) {
        const has = card.capabilities.includes(word);
        const answer = await generic(card, { ...startOf(card), [word]: value });
        if (!has && answer.status !== 200) continue;
        assertOnCard(answer, card, `${card.id} ${word}`);
        const counted = answer.body.canonical[word] ?? null;
        assert.equal(counted, has ? value : null, `${card.id} ${word}`);
      }
    }
  });

  test('operations: films from words, of persons in motion, that speak', async () => {
    const scene = (name: string, more: Body): Body => ({
      ...more,
      metadata: { scene_type: name, ...(more.metadata as Body) },
    });
    const bodies: Record<string, Body> = {
      'image-to-video': { image: PICTURE },
      'motion-control': scene('motion_control', { image: PICTURE, metadata: { video_url: FILM } }),
      avatar: scene('avatar_i2v', { image: PICTURE }),
      'lip-sync': scene('lip_sync', { image: PICTURE }),
    };
    for (const card of cards) {
      for (const [operation, body] of Object.entries(bodies)) {
        if (!card.operations.includes(operation)) continue;
        assertOnCard(await generic(card, body), card, `${card.id} ${operation}`);
      }
    }
    for (const card of films()) {
      if (card.operations.includes('text-to-video'))
        assertOnCard(await generic(card, {}), card, `${card.id} from words`);
      else assertRefused(await generic(card, {}), '/v1/video/generations', { status: 400 });
      if (!card.operations.includes('motion-control'))
        assertRefused(await generic(card, bodies['motion-control']!), '/v1/video/generations', {
          status: 400,
        });
    }
  });
});

describe('pictures', () => {
  const paths: Record<string, [string, Body]> = {
    'text-to-image': ['/images/generations', { prompt: 'a lighthouse' }],
    'multi-image-to-image': [
      '/images/multi-image2image',
      { prompt: 'x', subject_image_list: [{ subject_image: PICTURE }] },
    ],
    'omni-image': ['/images/omni-image', { prompt: 'x' }],
    'virtual-try-on': ['/images/kolors-virtual-try-on', { human_image: PICTURE, cloth_image: OTHER }],
  };

  test('each feature with the models whose cards have it, and no other', async () => {
    const found = new Set<string>();
    for (const card of cards) {
      for (const { operation, makes } of card.features) if (makes === 'image') found.add(operation);
      for (const [operation, [path, body]] of Object.entries(paths)) {
        const has = card.features.some((feature: LooseJson) => feature.operation === operation);
        const ask = (more: Body) => dry(`/kling/v1${path}`, { model_name: card.id, ...body, ...more });
        let answer = await ask({});
        // One model only restyles.
        if (has && answer.status === 400) answer = await ask({ image: PICTURE });
        if (has) assertOnCard(answer, card, `${card.id} ${operation}`);
        else {
          const error = assertRefused(answer, '/kling');
          assert.match(`${error.param}`, /^model(_name)?$/, `${card.id} ${operation}: ${answer.text}`);
        }
      }
    }
    assert.deepEqual([...found].sort(), Object.keys(paths).sort());
  });
});

test('every tier of a card is on the price list', async () => {
  const listed = (await gateway.admin('/prices')) as LooseJson;
  const text = JSON.stringify(listed);
  for (const card of cards)
    for (const { tier } of card.tiers) assert.ok(text.includes(`"${tier}"`), `${card.id}: ${tier}`);
});
