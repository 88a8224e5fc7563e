/** What is promised of the files: completed means that our own copy is there, for as long as was promised. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { refusal, story, type World } from './harness.ts';
import { film, sends } from './local-server.ts';

const DAY_MS = 86_400_000;

async function complete(world: World, fields: Record<string, unknown> = {}): Promise<string> {
  const { task } = await world.create(fields);
  world.make(task.id);
  await world.advance(5_000);
  assert.equal(await world.state(task.id), 'completed');
  return task.id;
}

async function bytesOf(world: World, id: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of await (await world.content(id)).open()) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe('a film that is made', () => {
  test(
    'is shown as completed only once our own copy is there',
    story(async (world) => {
      world.server.answers.set('/film.mp4', sends('', 'text/plain', 503));
      const { task } = await world.create();
      world.make(task.id);
      await world.advance(5_000);
      const view = await world.find(task.id);
      assert.deepEqual([view.task.state, view.links], ['in_progress', null]);
      assert.equal(await refusal(world.content(task.id)), 'task_not_completed');
      world.server.answers.set('/film.mp4', sends(film));
      await world.advance(60_000);
      const completed = await world.find(task.id);
      assert.equal(completed.task.state, 'completed');
      assert.match(completed.links!.video, /^https:\/\/reelay\.test\/content\//);
      assert.deepEqual(await bytesOf(world, task.id), film);
    }),
  );

  test(
    'whose source URL has expired is asked for again and fetched with the fresh one',
    story(async (world) => {
      const { task } = await world.create();
      world.make(task.id, '/expired.mp4');
      await world.advance(4_000);
      world.make(task.id, '/film.mp4');
      await world.advance(30_000);
      assert.deepEqual(
        world.server.requests.map(({ path }) => path),
        ['/expired.mp4', '/film.mp4'],
      );
      assert.equal(await world.state(task.id), 'completed');
      assert.deepEqual(await world.wallet(), { available: 99, held: 0 });
    }),
  );

  test(
    'is fetched with the old URL when its upstream cannot be asked for a fresh one in the right words',
    story(async (world) => {
      world.server.answers.set('/film.mp4', sends('', 'text/plain', 500));
      const { task } = await world.create();
      world.make(task.id);
      await world.advance(4_000);
      world.upstream.set(task.id, { status: 'unknown' });
      world.server.answers.set('/film.mp4', sends(film));
      await world.advance(30_000);
      assert.equal(await world.state(task.id), 'completed');
    }),
  );

  for (const [what, answer] of [
    ['a page that calls itself a film', sends('<html>expired</html>')],
    ['an empty file', sends('')],
    ['a picture', sends(Buffer.from('\xff\xd8\xff\xe0 JFIF, all of it', 'latin1'))],
    ['more than we take', sends(Buffer.concat([film, Buffer.alloc(11 * 1024 * 1024)]))],
  ] as const) {
    test(
      `is not taken for fetched when the source sends ${what}`,
      story(async (world) => {
        world.server.answers.set('/film.mp4', answer);
        const { task } = await world.create();
        world.make(task.id);
        await world.advance(60_000);
        assert.notEqual(await world.state(task.id), 'completed');
        assert.deepEqual(await world.wallet(), { available: 99, held: 1 });
        world.server.answers.set('/film.mp4', sends(film));
        await world.advance(300_000);
        assert.equal(await world.state(task.id), 'completed');
        assert.deepEqual(await bytesOf(world, task.id), film);
      }),
    );
  }

  test(
    'and can never be fetched expires at the deadline, free',
    story(
      async (world) => {
        const { task } = await world.create();
        world.make(task.id, '/never.mp4');
        await world.advance(1_200_000);
        assert.equal((await world.task(task.id)).error?.code, 'expired');
        assert.deepEqual(await world.wallet(), { available: 100, held: 0 });
        world.make(task.id);
        await world.advance(1_200_000);
        assert.equal(await world.state(task.id), 'failed');
        assert.ok(await world.ledgerIsSound());
      },
      { settings: { taskDeadlineMs: 600_000 } },
    ),
  );

  test(
    'costs the seconds that were asked for, however long it came out',
    story(async (world) => {
      const id = await complete(world, { duration: '10' });
      assert.equal((await world.task(id)).chargeMicros, 560_000n);
    }),
  );
});

describe('our copy', () => {
  for (const [words, config, days] of [
    ['as the operator has it where nothing is said', {}, 30],
    ['for 7 days when temporary', { storage_mode: 'Temporary' }, 7],
    ['until the time that was given', { expire_time: '2026-11-23T00:00:00Z' }, 3],
  ] as const) {
    test(
      `is kept ${words}, then deleted`,
      story(async (world) => {
        const id = await complete(world, { metadata: { output_config: config } });
        await world.sleepThrough(days * DAY_MS - 180_000);
        assert.equal((await bytesOf(world, id)).length, film.length);
        await world.advance(180_000);
        assert.equal(await refusal(world.content(id)), 'variant_not_available');
        const { task, links } = await world.find(id);
        assert.deepEqual([task.state, links], ['completed', null]);
        for await (const entry of world.ctx.media.list('outputs/')) assert.fail(`kept ${entry.key}`);
      }),
    );
  }

  test(
    'is kept until it is deleted when permanent',
    story(async (world) => {
      const id = await complete(world, { metadata: { output_config: { storage_mode: 'Permanent' } } });
      await world.sleepThrough(90 * DAY_MS);
      assert.equal((await bytesOf(world, id)).length, film.length);
    }),
  );

  test(
    'that cannot be deleted does not keep the others from being deleted',
    story(async (world) => {
      const first = await complete(world);
      const second = await complete(world);
      await world.sleepThrough(30 * DAY_MS - 180_000);
      const remove = world.ctx.media.delete;
      const media = world.ctx.media as { delete: typeof remove };
      media.delete = (key) =>
        key.includes(first) ? Promise.reject(new Error('a broken disk')) : remove(key);
      await world.advance(180_000);
      assert.deepEqual((await world.task(second)).result?.outputs, []);
      assert.equal((await world.task(first)).result?.outputs.length, 1);
      assert.ok(world.errors.length > 0);
    }),
  );

  test(
    'has links that end before the copy does',
    story(async (world) => {
      const id = await complete(world, { metadata: { output_config: { storage_mode: 'Temporary' } } });
      const first = (await world.find(id)).links!;
      assert.equal(first.expiresAt, Math.floor(world.clock.now() / 1000) + 86_400);
      await world.sleepThrough(7 * DAY_MS - 180_000);
      const { task, links } = await world.find(id);
      assert.equal(links!.expiresAt, Math.floor(task.mediaExpiresAt! / 1000));
    }),
  );
});
