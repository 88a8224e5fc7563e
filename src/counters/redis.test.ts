import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../../test/helpers/processes.ts';
import { redisIsMissing, startTestRedis, type TestRedis } from '../../test/helpers/redis.ts';
import { testCounters } from './contract.ts';
import { openRedisCounters } from './redis.ts';

const quiet = { onOutage: () => {}, onRecovery: () => {} };

describe('with a redis-server', { skip: redisIsMissing }, () => {
  let redis: TestRedis;
  before(async () => (redis = await startTestRedis()));
  after(() => redis.stop());

  testCounters('Redis', 3, async (windowSeconds, nodes) => {
    const opened = await Promise.all(
      Array.from({ length: nodes }, () => openRedisCounters(redis.url, windowSeconds, quiet)),
    );
    return {
      nodes: opened,
      dispose: async () => void (await Promise.all(opened.map((each) => each.close()))),
    };
  });

  test('while Redis is away a node counts alone, says so once, and returns to it', async () => {
    const said: string[] = [];
    const counters = await openRedisCounters(redis.url, 60, {
      onOutage: (error) => said.push(`out: ${(error as Error).message}`),
      onRecovery: () => said.push('back'),
    });
    const other = await openRedisCounters(redis.url, 60, quiet);
    assert.equal((await other.count('caller')).count, 1);
    assert.equal((await counters.count('caller')).count, 2);
    assert.equal(counters.countedAlone, 0);

    await redis.kill();
    const alone = await Promise.all([1, 2, 3].map(() => counters.count('caller')));
    assert.deepEqual(
      alone.map(({ count }) => count),
      [1, 2, 3],
    );
    assert.equal(counters.countedAlone, 3);
    assert.equal(said.length, 1);
    assert.match(said[0]!, /^out: ./);

    await redis.restart();
    await eventually('both count in Redis again', 20_000, async () => {
      await other.count('both');
      const before = counters.countedAlone;
      await counters.count('both');
      return counters.countedAlone === before && other.countedAlone > 0 && said.at(-1) === 'back';
    });
    assert.equal(said.length, 2);
    await Promise.all([counters.close(), other.close()]);
  });
});

test('a Redis that is not there keeps nobody from starting or from being served', async () => {
  const said: string[] = [];
  const counters = await openRedisCounters('redis://127.0.0.1:1', 60, {
    onOutage: (error) => said.push((error as Error).message),
    onRecovery: () => {},
  });
  assert.equal((await counters.count('caller')).count, 1);
  assert.equal((await counters.count('caller')).count, 2);
  assert.deepEqual(said.length, 1);
  assert.match(said[0]!, /ECONNREFUSED/);
  await counters.close();
});
