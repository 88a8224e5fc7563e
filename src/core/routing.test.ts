import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chooseChannel, type Candidate, type Route } from './routing.ts';

/** Routing hands it to the candidates and never looks inside. */
const request = {} as Parameters<typeof chooseChannel>[1];

function candidate(id: string, fields: Partial<Candidate> = {}): Candidate {
  return {
    id,
    enabled: true,
    sandbox: false,
    isHealthy: true,
    priority: 0,
    weight: 1,
    missing: () => null,
    ...fields,
  };
}

interface Options {
  sandboxAlways?: boolean;
  exclude?: string[];
  onlyHealthy?: boolean;
  random?: number;
}

function choose(
  candidates: Candidate[],
  { sandboxAlways = false, exclude, onlyHealthy = false, random = 0 }: Options = {},
): Route {
  return chooseChannel(candidates, request, {
    sandboxAlways,
    onlyHealthy,
    random,
    ...(exclude && { exclude: new Set(exclude) }),
  });
}

const chosen = (candidates: Candidate[], options?: Options): string | null =>
  choose(candidates, options).channelId;

describe('routing', () => {
  test('asks first who can make it, and only then who is preferred', () => {
    const unable = candidate('unable', { priority: 9, missing: () => 'no end frame' });
    assert.equal(chosen([unable, candidate('able')]), 'able');
  });

  test('passes over who is down, whatever its priority, while anybody else is able', () => {
    const down = candidate('down', { priority: 9, isHealthy: false });
    assert.equal(chosen([down, candidate('up')]), 'up');
    assert.equal(chosen([down, candidate('unable', { missing: () => 'no end frame' })]), 'down');
  });

  test('rather takes nobody than who is down, where that is wanted', () => {
    const down = candidate('down', { isHealthy: false });
    assert.equal(chosen([down], { onlyHealthy: true }), null);
    assert.equal(chosen([down, candidate('up', { priority: -9 })], { onlyHealthy: true }), 'up');
  });

  test('says each thing that is missing once', () => {
    const route = choose([
      candidate('a', { missing: () => 'no end frame' }),
      candidate('b', { missing: () => 'no sound' }),
      candidate('c', { missing: () => 'no end frame' }),
    ]);
    assert.deepEqual(route, { channelId: null, missing: ['no end frame', 'no sound'] });
  });

  test('says so when nothing is enabled', () => {
    const nothing = { channelId: null, missing: ['no channel is enabled'] };
    assert.deepEqual(choose([]), nothing);
    assert.deepEqual(choose([candidate('off', { enabled: false })]), nothing);
  });

  test('takes the highest priority, also below zero', () => {
    assert.equal(chosen([candidate('low', { priority: -5 }), candidate('less', { priority: -2 })]), 'less');
  });

  test('shares among equals by weight', () => {
    const candidates = [
      candidate('three', { weight: 3 }),
      candidate('one', { weight: 1 }),
      candidate('none', { weight: 0 }),
    ];
    const counts: Record<string, number> = {};
    for (let step = 0; step < 400; step++) {
      const id = chosen(candidates, { random: step / 400 })!;
      counts[id] = (counts[id] ?? 0) + 1;
    }
    assert.deepEqual(counts, { three: 300, one: 100 });
  });

  test('uses a channel of weight zero when nothing else is left', () => {
    const idle = [candidate('a', { weight: 0 }), candidate('b', { weight: 0 })];
    assert.equal(chosen(idle, { random: 0.4 }), 'a');
    assert.equal(chosen(idle, { random: 0.6 }), 'b');
  });

  test('leaves out channels that refused already, and is honest when none is left', () => {
    const candidates = [candidate('a', { priority: 1 }), candidate('b')];
    assert.equal(chosen(candidates, { exclude: ['a'] }), 'b');
    assert.equal(chosen(candidates, { exclude: ['a', 'b'] }), null);
  });
});

describe('a sandbox channel', () => {
  const sandbox = candidate('sandbox', { sandbox: true, priority: 9 });

  test('makes what is asked for while there is no real one', () => {
    assert.equal(chosen([sandbox, candidate('off', { enabled: false })]), 'sandbox');
  });

  test('never makes a paid film once a real one is enabled, not even what only it could make', () => {
    assert.equal(chosen([sandbox, candidate('real')]), 'real');
    const unable = candidate('real', { missing: () => 'no sound' });
    assert.deepEqual(choose([sandbox, unable]), { channelId: null, missing: ['no sound'] });
  });

  test('does not step in for a real one that has just refused', () => {
    assert.equal(chosen([sandbox, candidate('real')], { exclude: ['real'] }), null);
  });

  test('stays a candidate where the operator asked for the sandbox', () => {
    assert.equal(chosen([sandbox, candidate('real')], { sandboxAlways: true }), 'sandbox');
  });
});
