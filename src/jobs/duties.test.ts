import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Duties } from '../core/ports.ts';
import type { Boss } from './boss.ts';
import { createPgBossDuties } from './pg-boss-duties.ts';
import { createSoleDuties } from './sole-duties.ts';
import { startTestEngine, type TestEngine } from './test-engine.ts';

/** A node that stands for duties and notes which it has. */
class Node {
  readonly has = new Map<string, () => boolean>();
  /** Nothing of what it asks of the database is answered any more. */
  isCutOff = false;
  readonly duties: Duties;

  constructor(engine: TestEngine, boss: Boss) {
    const pgBoss = new Proxy(boss.pgBoss, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) =>
          this.isCutOff ? Promise.reject(new Error('cut off')) : (member.apply(target, args) as unknown);
      },
    });
    this.duties = createPgBossDuties({ boss: { ...boss, pgBoss }, clock: engine.clock, onError: () => {} });
  }

  async want(name: string): Promise<void> {
    await this.duties.want(name, async (isOurs) => {
      this.has.set(name, isOurs);
      return { stop: async () => void this.has.delete(name) };
    });
  }

  /** Duties it would act on at this moment. */
  get acts(): string[] {
    return [...this.has].filter(([, isOurs]) => isOurs()).map(([name]) => name);
  }
}

async function withNodes(count: number, tell: (engine: TestEngine, nodes: Node[]) => Promise<void>) {
  const engine = await startTestEngine();
  const nodes: Node[] = [];
  for (let index = 0; index < count; index++) nodes.push(new Node(engine, await engine.connect(true)));
  try {
    await tell(engine, nodes);
  } finally {
    for (const node of nodes) {
      node.isCutOff = false;
      await node.duties.stop();
    }
    await engine.close();
  }
}

/** Passes time until it holds; answers how long that took. */
async function passUntil(engine: TestEngine, holds: () => boolean): Promise<number> {
  const from = engine.time.now();
  while (!holds()) {
    assert.ok(engine.time.now() - from < 60_000, 'it does not come to pass');
    await engine.time.tick(100);
  }
  return engine.time.now() - from;
}

test('every duty is done by one node at a time', { timeout: 60_000 }, () =>
  withNodes(3, async (engine, nodes) => {
    const names = ['lane:a', 'lane:b', 'lane:c', 'lane:d', 'lane:e', 'sweep'];
    for (const node of nodes) for (const name of names) await node.want(name);
    const all = () => nodes.flatMap((node) => node.acts).sort();
    await passUntil(engine, () => all().length === names.length);
    for (let step = 0; step < 20; step++) {
      await engine.time.tick(1_000);
      assert.deepEqual(all(), names);
    }
  }),
);

test(
  'the duties of a node that dies are taken over within 13 s, and nobody doubles them before',
  { timeout: 60_000 },
  () =>
    withNodes(2, async (engine, [first, second]) => {
      await first!.want('lane:a');
      await passUntil(engine, () => first!.acts.length === 1);
      await second!.want('lane:a');
      await engine.time.tick(4_000);
      first!.isCutOff = true;
      const tookMs = await passUntil(engine, () => {
        assert.ok(first!.acts.length + second!.acts.length <= 1, 'two nodes on one duty');
        return second!.acts.length === 1;
      });
      assert.ok(tookMs <= 13_000, `taken over after ${tookMs} ms`);
      // Back on the line, it learns that it has been replaced.
      first!.isCutOff = false;
      await passUntil(engine, () => first!.has.size === 0);
      assert.deepEqual(second!.acts, ['lane:a']);
    }),
);

test('a node that leaves hands its duties to those who stay', { timeout: 60_000 }, () =>
  withNodes(2, async (engine, [first, second]) => {
    await first!.want('lane:a');
    await first!.want('sweep');
    await passUntil(engine, () => first!.acts.length === 2);
    await second!.want('lane:a');
    await second!.want('sweep');
    const left = first!.duties.stop();
    const tookMs = await passUntil(engine, () => second!.acts.length === 2);
    await left;
    assert.ok(tookMs <= 1_000, `taken over after ${tookMs} ms`);
  }),
);

test(
  'after an hour duties are handed back, so that nodes which came later get their share',
  { timeout: 60_000 },
  () =>
    withNodes(1, async (engine, [node]) => {
      await node!.want('lane:a');
      await passUntil(engine, () => node!.acts.length === 1);
      const before = node!.has.get('lane:a');
      await engine.time.setTime(engine.time.now() + 3_600_000);
      await passUntil(engine, () => node!.acts.length === 1 && node!.has.get('lane:a') !== before);
    }),
);

test('a node that leaves finishes what is in hand, and nobody waits for that', { timeout: 60_000 }, () =>
  withNodes(2, async (engine, [first, second]) => {
    const { promise: inHand, resolve: finish } = Promise.withResolvers<void>();
    let begun = false;
    await first!.duties.want('lane:a', async () => {
      begun = true;
      return { stop: () => inHand };
    });
    await passUntil(engine, () => begun);
    await second!.want('lane:a');
    let left = false;
    const leaving = first!.duties.stop().then(() => (left = true));
    const tookMs = await passUntil(engine, () => second!.acts.length === 1);
    assert.ok(tookMs <= 5_000, `taken over after ${tookMs} ms`);
    assert.equal(left, false);
    finish();
    await leaving;
  }),
);

test('work that cannot begin is tried again', { timeout: 60_000 }, () =>
  withNodes(1, async (engine, [node]) => {
    let tries = 0;
    await node!.duties.want('lane:a', async () => {
      if (++tries < 3) throw new Error('the store is away');
      return { stop: async () => {} };
    });
    await passUntil(engine, () => tries === 3);
  }),
);

test('where one process owns the store every duty is its own until it stops', async () => {
  const duties = createSoleDuties();
  const log: string[] = [];
  const begin = async (isOurs: () => boolean) => {
    log.push(`begun ${isOurs()}`);
    return { stop: async () => void log.push('stopped') };
  };
  await duties.want('sweep', begin);
  await duties.want('sweep', begin);
  await duties.stop();
  assert.deepEqual(log, ['begun true', 'stopped']);
});
