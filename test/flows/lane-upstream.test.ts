/** Against the simulated platform itself, which refuses with 1303 whatever goes beyond a pack's slots. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { World } from '../../chaos/world.ts';
import { call, eventually, type LooseJson } from '../helpers/processes.ts';

const SLOTS = 3;
/** Pictures asked for at once, and a film after each. */
const PICTURES = [1, 3, 2, 2, 1, 3, 1, 1, 2];

async function create(world: World, key: string, path: string, json: object): Promise<string> {
  const answer = await call(`${world.url}/kling/v1${path}`, { key, json });
  assert.equal(answer.status, 200, answer.text);
  return answer.body.data.task_id;
}

test('a lane with the cap of its packs is never told 1303, however films and pictures mix', async () => {
  await using world = await World.open({ speed: 60, behaviour: { slots: SLOTS } });
  await world.useOnly('kling');
  const [channel] = (await world.list('/channels')).filter(({ provider }) => provider === 'kling');
  await world.admin(`/channels/${channel!.id}`, { concurrency: SLOTS }, 'PATCH');
  const accounts = [await world.openAccount('100'), await world.openAccount('100')];
  const ids: string[] = [];
  for (const [index, n] of PICTURES.entries()) {
    const { key } = accounts[index % 2]!;
    const picture = { model_name: 'kling-v2-1', prompt: `${n} cats`, n };
    ids.push(await create(world, key, '/images/generations', picture));
    ids.push(await create(world, key, '/videos/text2video', { model_name: 'kling-v1-6', prompt: 'a cat' }));
  }
  await eventually('everything was made', 60_000, async () => (await world.openTasks()) === 0);
  const records: LooseJson[] = await Promise.all(ids.map((id) => world.admin(`/tasks/${id}`)));
  for (const { task, attempts } of records) {
    assert.equal(task.state, 'completed');
    assert.deepEqual(
      attempts.map((attempt: LooseJson) => [attempt.state, attempt.upstream_code]),
      [['made', null]],
    );
  }
  assert.ok(records.some(({ queue_wait_ms }) => queue_wait_ms > 0));
});
