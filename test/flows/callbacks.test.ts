/** What a callback URL is promised: every change, in the words of the dialect that was spoken, until it listens. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ACCOUNT_ID, refusal, story, type World } from './harness.ts';
import { sends } from './local-server.ts';
import { verify } from './verify-webhook.ts';

function callbacks(world: World) {
  return world.server.requests.filter(({ path }) => path === '/callback').map(({ body }) => body);
}

describe('a callback URL', () => {
  test(
    "is told of every change with the bare task in Kling's words",
    story(async (world) => {
      world.server.answers.set('/callback', sends('ok', 'text/plain'));
      const { task } = await world.create({
        callback_url: `${world.server.origin}/callback`,
        external_task_id: 'mine',
      });
      await world.settle();
      world.upstream.set(task.id, { status: 'processing' });
      await world.advance(3_000);
      world.make(task.id);
      await world.advance(5_000);
      const bodies = callbacks(world);
      assert.deepEqual(
        bodies.map((body) => body.task_status),
        ['submitted', 'processing', 'succeed'],
      );
      for (const body of bodies) {
        assert.equal(body.task_id, task.id);
        assert.deepEqual(body.task_info, { external_task_id: 'mine' });
        assert.equal('code' in body, false);
      }
      assert.match(bodies[2].task_result.videos[0].url, /^https:\/\/reelay\.test\/content\//);
    }),
  );

  test(
    'is told of a failure with its reason',
    story(async (world) => {
      world.server.answers.set('/callback', sends(''));
      const { task } = await world.create({ callback_url: `${world.server.origin}/callback` });
      world.upstream.set(task.id, {
        status: 'failed',
        code: 'content_policy',
        message: 'Not this one.',
        upstreamCode: null,
      });
      await world.advance(5_000);
      const last = callbacks(world).at(-1);
      assert.deepEqual([last.task_status, last.task_status_msg], ['failed', 'Not this one.']);
    }),
  );

  test(
    'that fails is tried again, later and later, and told what it was to be told',
    story(async (world) => {
      let refusals = 4;
      world.server.answers.set('/callback', (response) =>
        response.writeHead(refusals-- > 0 ? 500 : 200).end(),
      );
      const { task } = await world.create({ callback_url: `${world.server.origin}/callback` });
      world.make(task.id);
      await world.advance(10 * 60_000);
      const words = callbacks(world).map((body) => body.task_status);
      assert.equal(words.length, 7);
      assert.deepEqual(new Set(words), new Set(['submitted', 'processing', 'succeed']));
      assert.equal(await world.state(task.id), 'completed');
    }),
  );

  test(
    'is signed with a secret of the account, and told at every change under another id',
    story(async (world) => {
      world.server.answers.set('/callback', sends(''));
      const { secret } = await world.gateway.webhooks.callbackSecret(ACCOUNT_ID);
      const { task } = await world.create({ callback_url: `${world.server.origin}/callback` });
      await world.settle();
      world.upstream.set(task.id, { status: 'processing' });
      await world.advance(3_000);
      world.make(task.id);
      await world.advance(5_000);
      const told = world.server.requests.filter(({ path }) => path === '/callback');
      assert.equal(told.length, 3);
      for (const { text, headers } of told) verify(secret, text, headers);
      assert.equal(new Set(told.map(({ headers }) => headers['webhook-id'])).size, 3);
    }),
  );

  test(
    'that never answers well is given up after three days, and the task is none the worse',
    story(async (world) => {
      const { task } = await world.create({ callback_url: `${world.server.origin}/nobody` });
      world.make(task.id);
      await world.advance(20_000);
      const tries = () => world.server.requests.filter(({ path }) => path === '/nobody').length;
      await world.sleepThrough(71 * 3_600_000);
      const before = tries();
      await world.sleepThrough(25 * 3_600_000);
      assert.ok(tries() > before, 'it is still tried after 72 hours');
      for (let count = 0; count < 12; count++) await world.sleepThrough(30 * 3_600_000);
      const { deliveries } = await world.record(task.id);
      assert.deepEqual(
        deliveries.map(({ delivery }) => [delivery.state, delivery.lastStatus, delivery.attempts]),
        deliveries.map(() => ['dead', 404, 12]),
      );
      assert.equal(await world.state(task.id), 'completed');
    }),
  );

  test(
    'that leads to a private address is refused before money moves',
    story(async (world) => {
      assert.equal(await refusal(world.create({ callback_url: 'http://10.0.0.1/' })), 'url_not_allowed');
      assert.deepEqual(await world.wallet(), { available: 100, held: 0 });
    }),
  );

  test(
    'hears of it after a restart as well',
    story(async (world) => {
      const { task } = await world.create({ callback_url: `${world.server.origin}/callback` });
      await world.restart();
      world.server.answers.set('/callback', sends(''));
      world.make(task.id);
      await world.advance(60_000);
      const words = new Set(callbacks(world).map((body) => body.task_status));
      assert.deepEqual(words, new Set(['submitted', 'processing', 'succeed']));
    }),
  );
});
