/** A clock that is put back, while the gateway runs or while it does not, keeps nothing waiting for the old time. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { story, type World } from './harness.ts';
import { film, sends } from './local-server.ts';

const HOUR_MS = 3_600_000;

/** Of several nodes on one database the others' clocks are right. */
const alone = { embeddedOnly: true };

/** One task each: with a file that cannot be fetched yet, a callback that is refused, and a submit in doubt. */
async function begin(world: World) {
  const callback_url = `${world.server.origin}/callback`;
  world.server.answers.set('/callback', sends('', 'text/plain', 500));
  world.server.answers.set('/late.mp4', sends('', 'text/plain', 503));
  const fetched = await world.create();
  world.make(fetched.task.id, '/late.mp4');
  const told = await world.create({ callback_url });
  world.make(told.task.id);
  await world.advance(20_000);
  assert.notEqual(await world.state(fetched.task.id), 'completed');
  world.upstream.answer = () => 'accept-then-reset';
  const doubted = await world.create();
  world.make(doubted.task.id);
  await world.settle();
  world.upstream.answer = () => 'accept';
  world.server.answers.set('/callback', sends(''));
  world.server.answers.set('/late.mp4', sends(film));
  const before = world.server.requests.filter(({ path }) => path === '/callback').length;
  return {
    async allEnd() {
      assert.equal(await world.state(fetched.task.id), 'completed', 'its file');
      assert.equal(await world.state(doubted.task.id), 'completed', 'its doubt');
      assert.ok(
        world.server.requests.filter(({ path }) => path === '/callback').length > before,
        'its callback',
      );
      const { deliveries } = await world.record(told.task.id);
      assert.deepEqual(new Set(deliveries.map(({ delivery }) => delivery.state)), new Set(['delivered']));
      assert.equal(world.upstream.submits.length, 3);
      assert.ok(await world.ledgerIsSound());
    },
  };
}

describe('a clock that is put back', () => {
  for (const hours of [1, 30, 24 * 400]) {
    test(
      `by ${hours} hours while the gateway is off does not keep it waiting`,
      story(async (world) => {
        const work = await begin(world);
        await world.crash();
        world.clock.set(-hours * HOUR_MS);
        await world.start();
        await world.advance(15 * 60_000);
        await work.allEnd();
      }, alone),
    );
  }

  test(
    'while the gateway runs does not keep it waiting either',
    story(async (world) => {
      const work = await begin(world);
      world.clock.set(-30 * HOUR_MS);
      await world.advance(15 * 60_000);
      await work.allEnd();
    }, alone),
  );

  test(
    'and forth, again and again, loses nothing',
    story(async (world) => {
      const work = await begin(world);
      for (const hours of [-5, 5, -1, 1, -30, 3]) {
        world.clock.set(hours * HOUR_MS);
        await world.restart();
        await world.advance(60_000);
      }
      await world.advance(15 * 60_000);
      await work.allEnd();
    }, alone),
  );
});
