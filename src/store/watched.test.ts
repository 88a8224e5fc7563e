import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../core/errors.ts';
import type { Backend } from './backend.ts';
import { watchBackend } from './watched.ts';

/** Answers every change with what it is given, or refuses with it. */
function watched(answer: unknown): { write: Backend['write']; told: string[] } {
  const told: string[] = [];
  const backend = {
    async write() {
      if (answer instanceof Error) throw answer;
      return answer;
    },
  } as unknown as Backend;
  const { write } = watchBackend(backend, {
    changed(change, outcome, seconds) {
      assert.ok(seconds >= 0);
      told.push(`${change} ${outcome}`);
    },
    committed: () => assert.fail('changes are not commits'),
  });
  return { write, told };
}

const settled = { error: null, nextAt: null } as never;

test('a change is told with what became of it', async () => {
  for (const [answer, told] of [
    [undefined, 'ok'],
    [true, 'ok'],
    [false, 'nothing_changed'],
    [new GatewayError('insufficient_quota', 'Not enough.'), 'insufficient_quota'],
    [new Error('broken'), 'failed'],
  ] as const) {
    const { write, told: heard } = watched(answer);
    await write('deleteChannel', {} as never).catch((error: unknown) => assert.equal(error, answer));
    assert.deepEqual(heard, [`deleteChannel ${told}`]);
  }
});

test('changes with several ends are told apart', async () => {
  const { write, told } = watched(true);
  await write('settleDelivery', settled);
  await write('settleDelivery', { error: 'refused', nextAt: 1 } as never);
  await write('settleDelivery', { error: 'refused', nextAt: null } as never);
  await write('finishTask', { outcome: { state: 'failed' } } as never);
  assert.deepEqual(told, [
    'settleDelivery delivered',
    'settleDelivery to_try_again',
    'settleDelivery dead',
    'finishTask failed',
  ]);
});
