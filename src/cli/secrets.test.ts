import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { runCli } from './main.ts';
import { createTestContext, refusal, startTestGateway } from './test-gateway.ts';

const env = { REELAY_ADMIN_TOKEN: 'adm-token-for-tests' };
const status = {
  source: 'file',
  current_key_id: '1a2b3c4d',
  current_since: '2026-11-20T10:00:00.000Z',
  sealed: 12,
  others: [{ key_id: '9f8e7d6c', at_hand: true, sealed: 0 }],
  unopened: 0,
  resealing: false,
  fault: null,
};

async function cli(routes: Parameters<typeof startTestGateway>[0], ...args: string[]) {
  const gateway = await startTestGateway(routes);
  const context = createTestContext({ cwd: tmpdir(), env: { ...env, REELAY_URL: gateway.url } });
  const exitCode = await runCli(args, context);
  await gateway.close();
  return { exitCode, ...context.output() };
}

test('secrets status names keys and says when an old one may go', async () => {
  const { exitCode, out } = await cli({ 'GET /admin/v1/secrets': { json: status } }, 'secrets', 'status');
  assert.equal(exitCode, 0);
  assert.match(
    out,
    /12 secrets are sealed with root key 1a2b3c4d \(kept in the data directory, since 2026-11-20/,
  );
  assert.match(out, /Nothing is sealed with 9f8e7d6c any more: it goes by itself/);
});

test('secrets status fails when something cannot be opened', async () => {
  const others = [{ key_id: '9f8e7d6c', at_hand: false, sealed: 2 }];
  const json = { ...status, others, unopened: 2 };
  const { exitCode, out } = await cli({ 'GET /admin/v1/secrets': { json } }, 'secrets', 'status');
  assert.equal(exitCode, 1);
  assert.match(out, /2 are sealed with 9f8e7d6c, which is not at hand/);
});

test('secrets rotate watches until everything is sealed anew', async () => {
  const working = {
    ...status,
    sealed: 4,
    others: [{ key_id: '9f8e7d6c', at_hand: true, sealed: 8 }],
    resealing: true,
  };
  const { exitCode, out, err } = await cli(
    {
      'POST /admin/v1/secrets/rotate': { json: working },
      'GET /admin/v1/secrets': [{ json: working }, { json: status }],
    },
    'secrets',
    'rotate',
  );
  assert.equal(exitCode, 0);
  assert.equal(err, '8 of 12 secrets are left\n');
  assert.match(out, /12 secrets are sealed with root key 1a2b3c4d/);
});

test('secrets rotate passes on what the gateway says where the key is not its to make', async () => {
  const { exitCode, err } = await cli(
    { 'POST /admin/v1/secrets/rotate': refusal(409, 'conflict', 'Put a new key into REELAY_SECRET.') },
    'secrets',
    'rotate',
  );
  assert.equal(exitCode, 1);
  assert.match(err, /Put a new key into REELAY_SECRET/);
});
