/** Two gateways in a row: what is asked of the second is made by the first, and paid for at both. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { request } from 'undici';
import {
  assertLedgerBalances,
  completed,
  finished,
  openAccount,
  startGateway,
} from '../../../conformance/support/gateway.ts';
import type { TestAccount, TestGateway } from '../../../conformance/support/gateway.ts';
import { dataUri, plainPicture } from '../../../conformance/support/picture.ts';
import { call, type LooseJson } from '../../../test/helpers/processes.ts';

/** 5 s of kling-1.6-720p. */
const price = 0.28;
let far: TestGateway;
let near: TestGateway;
let farAccount: TestAccount;
let account: TestAccount;
let channel: LooseJson;

before(async () => {
  [far, near] = await Promise.all([startGateway('tiny'), startGateway('tiny')]);
  farAccount = await openAccount(far, '100');
  account = await openAccount(near, '100');
  channel = await near.admin('/channels', {
    name: 'the other gateway',
    provider: 'relay',
    credential: { api_key: farAccount.key },
    base_url: far.url,
  });
});
after(() => Promise.all([near.stop(), far.stop()]));

const availableAt = async (who: TestAccount): Promise<number> => Number((await who.wallet()).available);
const create = (path: string, json: unknown) => call(`${near.url}${path}`, { key: account.key, json });

/** What work costs at the far side and at the near one. */
async function costOf(work: () => Promise<void>): Promise<[far: number, near: number]> {
  const before = [await availableAt(farAccount), await availableAt(account)] as const;
  await work();
  const round = (amount: number): number => Math.round(amount * 1e6) / 1e6;
  return [
    round(before[0] - (await availableAt(farAccount))),
    round(before[1] - (await availableAt(account))),
  ];
}

test('a channel has to say which gateway it is', async () => {
  const key = near.keys.admin_token;
  const json = { name: 'nowhere', provider: 'relay', credential: { api_key: 'sk-0123456789' } };
  const made = await call(`${near.url}/admin/v1/channels`, { key, json });
  assert.equal(made.status, 400, made.text);
  assert.equal(made.body.error.param, 'base_url');
  const url = `${near.url}/admin/v1/channels/${channel.id}`;
  const emptied = await call(url, { key, method: 'PATCH', json: { base_url: null } });
  assert.equal(emptied.status, 400, emptied.text);
});

test('its simulator leaves to the others what they can make', async () => {
  const { data: channels } = await far.admin('/channels');
  const made = await call(`${far.url}/v1/videos`, {
    key: farAccount.key,
    json: { model: 'kling-v1-6', prompt: 'a dog', seconds: '5' },
  });
  const { task } = await far.admin(`/tasks/${made.body.id}`);
  const chosen = channels.find(({ id }: LooseJson) => id === task.channel_id);
  assert.deepEqual([chosen?.provider, chosen?.sandbox], ['kling', true]);
  assert.ok(channels.some(({ provider }: LooseJson) => provider === 'relay'));
});

test('the probe tells whether its key works', async () => {
  assert.equal((await near.admin(`/channels/${channel.id}/probe`, {})).ok, true);
});

for (const dialect of ['kling', 'openai']) {
  describe(`through the ${dialect} dialect`, () => {
    before(() =>
      near.admin(`/channels/${channel.id}`, { credential: { api_key: farAccount.key, dialect } }, 'PATCH'),
    );

    test('a film is made over there, kept here, and charged at both', async () => {
      let id = '';
      const cost = await costOf(async () => {
        const made = await create('/v1/videos', { model: 'kling-v1-6', prompt: 'a cat', seconds: '5' });
        assert.equal(made.status, 200, made.text);
        id = made.body.id;
        const video = await completed(near, account.key, id);
        assert.ok(video.video_url.startsWith(near.url), video.video_url);
      });
      assert.deepEqual(cost, [price, price]);
      const film = await request(`${near.url}/v1/videos/${id}/content`, {
        headers: { authorization: `Bearer ${account.key}` },
      });
      assert.equal(film.headers['content-type'], 'video/mp4');
      assert.equal(Buffer.from(await film.body.arrayBuffer()).toString('latin1', 4, 8), 'ftyp');
      // The far side knows it by our id, and calls it something else.
      const there = await call(`${far.url}/v1/videos/${id}`, { key: farAccount.key });
      assert.equal(there.body.status, 'completed');
      assert.notEqual(there.body.id, id);
      assert.ok(there.body.model === 'kling-1.6-720p', there.body.model);
    });

    test('a picture goes along', async () => {
      const image = dataUri(
        await plainPicture({ red: 190, green: 30, blue: 40 }, { width: 400, height: 400 }),
      );
      const body = { model_name: 'kling-v2-5-turbo', image, prompt: 'it moves', duration: '5' };
      const made = await create('/kling/v1/videos/image2video', body);
      assert.equal(made.status, 200, made.text);
      await completed(near, account.key, made.body.data.task_id);
    });

    test('what is refused there for its content fails here, and nobody pays', async () => {
      const cost = await costOf(async () => {
        const body = { model: 'kling-v1-6', prompt: 'x [[fail:1301]]', seconds: '5' };
        const made = await create('/v1/videos', body);
        const video = await finished(near, account.key, made.body.id);
        assert.equal(video.error.code, 'content_policy', JSON.stringify(video.error));
      });
      assert.deepEqual(cost, [0, 0]);
    });
  });
}

test('the books of both balance', async () => {
  await assertLedgerBalances(far);
  await assertLedgerBalances(near);
});
