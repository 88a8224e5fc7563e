import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as dialectRegistry from '../dialects/index.ts';
import { createFakeGateway } from '../dialects/kit/fake-gateway.ts';
import { startFixture, testApiKey, type Fixture } from './server.fixture.ts';

describe('a slash at the end of a path', () => {
  let fixture: Fixture;
  const headers = { authorization: `Bearer ${testApiKey}` };
  before(async () => {
    fixture = await startFixture({ gateway: createFakeGateway(), dialects: Object.values(dialectRegistry) });
  });
  after(() => fixture.server.close());

  test('changes nothing', async () => {
    for (const slash of ['', '/']) {
      const made = await fixture.server.inject({
        method: 'POST',
        url: `/kling/v1/videos/multi-elements${slash}`,
        payload: { session_id: '1', edit_mode: 'removal' },
        headers,
      });
      assert.equal(made.statusCode, 200, made.body);
      const { data } = made.json();
      const found = await fixture.server.inject({
        url: `/kling/v1/videos/multi-elements/${data.task_id}${slash}`,
        headers,
      });
      assert.equal(found.json().data.task_id, data.task_id);
      assert.equal((await fixture.server.inject({ url: `/v1/models${slash}`, headers })).statusCode, 200);
    }
  });

  test('does not make a known path an unknown one', async () => {
    for (const slash of ['', '/']) {
      const answer = await fixture.server.inject({ method: 'POST', url: `/v1/models${slash}`, headers });
      assert.deepEqual([answer.statusCode, answer.headers.allow], [405, 'GET, HEAD']);
    }
  });
});
