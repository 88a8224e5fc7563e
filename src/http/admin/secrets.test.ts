import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../../core/errors.ts';
import type { SecretsStatus } from '../../core/ports.ts';
import { createAnswerCheck } from '../description.fixture.ts';
import { startFixture, testAdminToken, testApiKey } from '../server.fixture.ts';

const status: SecretsStatus = {
  source: 'file',
  currentKeyId: '1a2b3c4d',
  currentSince: 1_800_000_000_000,
  sealed: 12,
  others: [{ keyId: '9f8e7d6c', isAtHand: true, sealed: 3 }],
  unopened: 0,
  isResealing: true,
  fault: null,
};

test('operators see which keys seal how much, and ask for a new one', async () => {
  let rotations = 0;
  const fixture = await startFixture({
    secrets: {
      status: async () => status,
      rotate: async () => {
        rotations++;
        return status;
      },
    },
  });
  const check = await createAnswerCheck(fixture.server);
  const ask = async (method: 'GET' | 'POST', url: string, token: string) => {
    const answer = await fixture.server.inject({
      method,
      url,
      headers: { authorization: `Bearer ${token}` },
    });
    check(method, url, answer.statusCode, answer.json());
    return { status: answer.statusCode, body: answer.json() };
  };
  const wire = {
    source: 'file',
    current_key_id: '1a2b3c4d',
    current_since: '2027-01-15T08:00:00.000Z',
    sealed: 12,
    others: [{ key_id: '9f8e7d6c', at_hand: true, sealed: 3 }],
    unopened: 0,
    resealing: true,
    fault: null,
  };
  assert.deepEqual(await ask('GET', '/admin/v1/secrets', testAdminToken), { status: 200, body: wire });
  assert.deepEqual(await ask('POST', '/admin/v1/secrets/rotate', testAdminToken), {
    status: 200,
    body: wire,
  });
  assert.equal(rotations, 1);
  assert.equal((await ask('POST', '/admin/v1/secrets/rotate', testApiKey)).status, 401);
  assert.equal(rotations, 1);
  await fixture.server.close();
});

test('a rotation that is not ours to make is refused with what to do instead', async () => {
  const refuse = async () => {
    throw new GatewayError('conflict', 'Put a new key into REELAY_SECRET.');
  };
  const fixture = await startFixture({ secrets: { status: refuse, rotate: refuse } });
  const answer = await fixture.server.inject({
    method: 'POST',
    url: '/admin/v1/secrets/rotate',
    headers: { authorization: `Bearer ${testAdminToken}` },
  });
  assert.equal(answer.statusCode, 409);
  assert.match(answer.json().error.message, /REELAY_SECRET/);
  await fixture.server.close();
});
