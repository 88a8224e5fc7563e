/** A root key changes under a running gateway: links, tokens and channels go on as if nothing had been. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { runCli } from '../../src/cli/main.ts';
import { createTestContext } from '../../src/cli/test-gateway.ts';
import {
  call,
  eventually,
  firstRunOf,
  startProcess,
  temporaryDirectory,
  type FirstRunFile,
  type Running,
} from '../helpers/processes.ts';

const data = temporaryDirectory();
const env = {
  PORT: '0',
  REELAY_DATA: data.path,
  REELAY_SANDBOX_SPEED: '100',
  REELAY_SANDBOX_RENDER: 'tiny',
};
let gateway: Running;
let first: FirstRunFile;

before(async () => {
  gateway = await startProcess('src/main.ts', [], env);
  first = firstRunOf(data.path);
});
after(async () => {
  await gateway.kill();
  data.dispose();
});

/** Signed with the AK/SK pair, as Kling's clients do. */
function token(): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ iss: first.access_key, exp: now + 600, nbf: now - 5 })}`;
  return `${signed}.${createHmac('sha256', first.secret_key).update(signed).digest('base64url')}`;
}

async function cli(...args: string[]) {
  const context = createTestContext({ cwd: tmpdir(), env: { REELAY_DATA: data.path } });
  const exitCode = await runCli(args, context);
  return { exitCode, ...context.output() };
}

test('links that were given out, tokens and API keys hold, before and after a restart', async () => {
  const created = await call(`${gateway.url}/v1/videos`, {
    key: first.api_key,
    json: { model: 'kling-v1-6', prompt: 'a cat', seconds: '5' },
  });
  const film = await eventually('the film', 30_000, async () => {
    const { body } = await call(`${gateway.url}/v1/videos/${created.body.id}`, { key: first.api_key });
    return body.status === 'completed' ? body : null;
  });
  const link = new URL(film.metadata.url);
  const holds = async (): Promise<void> => {
    assert.equal((await call(gateway.url + link.pathname + link.search)).status, 200, 'the link');
    assert.equal((await call(`${gateway.url}/v1/videos`, { key: token() })).status, 200, 'the token');
    assert.equal((await call(`${gateway.url}/v1/videos`, { key: first.api_key })).status, 200, 'the key');
  };
  await holds();

  const before = JSON.parse((await cli('secrets', 'status', '--json')).out);
  const rotated = await cli('secrets', 'rotate', '--json');
  assert.equal(rotated.exitCode, 0, rotated.err);
  const after = JSON.parse(rotated.out);
  assert.notEqual(after.current_key_id, before.current_key_id);
  assert.deepEqual(after.others, [{ key_id: before.current_key_id, at_hand: true, sealed: 0 }]);
  assert.equal(after.sealed, before.sealed);
  await holds();
  const again = await call(`${gateway.url}/v1/videos/${created.body.id}`, { key: first.api_key });
  assert.notEqual(again.body.metadata.url, film.metadata.url, 'new links are signed with the new key');

  await gateway.kill();
  gateway = await startProcess('src/main.ts', [], env);
  await holds();
  const restarted = JSON.parse((await cli('secrets', 'status', '--json')).out);
  assert.equal(restarted.current_key_id, after.current_key_id);
});
