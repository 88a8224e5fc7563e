import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { kling } from '../../families/kling/family.ts';
import { testProvider } from '../kit/contract.ts';
import { tencentVod } from './provider.ts';
import { openVodBench } from './test-bench.ts';

// The suite leaves tasks running, which the upstream's own one slot would refuse.
testProvider('tencent-vod', () => openVodBench(100));

describe('the manifest', () => {
  test('serves models of the family, and neither 1.0 nor 1.5', () => {
    const ids = kling.models.map(({ id }) => id);
    for (const model of tencentVod.serves) assert.ok(ids.includes(model), model);
    assert.ok(!tencentVod.serves.includes('kling-v1'));
    assert.ok(!tencentVod.serves.includes('kling-v1-5'));
  });

  test('allows one task at a time unless a channel says otherwise', () => {
    assert.equal(tencentVod.concurrencyDefault, 1);
  });
});
