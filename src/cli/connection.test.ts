import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Command } from './command.ts';
import { adminOptions, callerOptions, connect, needApiKey } from './connection.ts';
import { parseInput } from './parse.ts';

const cwd = mkdtempSync(join(tmpdir(), 'reelay-connection-'));
after(() => rmSync(cwd, { recursive: true }));
const elsewhere = join(cwd, 'elsewhere');
mkdirSync(join(cwd, 'data'));
mkdirSync(elsewhere);
writeFileSync(
  join(cwd, 'data', 'first-run.json'),
  JSON.stringify({
    base_url: 'http://127.0.0.1:8787',
    admin_token: 'file-admin',
    account_id: 'acc_1',
    api_key: 'file-key',
  }),
);

const command: Command = {
  words: ['x'],
  summary: '',
  options: { ...callerOptions, ...adminOptions },
  examples: [],
  run: async () => 0,
};
const connection = (args: string[], env: Record<string, string> = {}, from = cwd) =>
  connect(parseInput(command, args), { env, cwd: from });

test('the file of the first start is enough', () => {
  assert.deepEqual(connection([]), {
    url: 'http://127.0.0.1:8787',
    isUrlGiven: false,
    apiKey: 'file-key',
    adminToken: 'file-admin',
    accountId: 'acc_1',
  });
});

test('options win over the environment, the environment over the file', () => {
  const env = {
    REELAY_URL: 'http://localhost:8787',
    REELAY_API_KEY: 'env-key',
    REELAY_ADMIN_TOKEN: 'env-admin',
  };
  assert.equal(connection([], env).apiKey, 'env-key');
  assert.equal(connection([], env).url, 'http://localhost:8787');
  assert.equal(connection(['--key', 'k', '--url', 'http://h:1'], env).apiKey, 'k');
  assert.equal(connection(['--admin-token', 't'], env).adminToken, 't');
});

test('the secrets in the file are never shown to another gateway', () => {
  for (const url of ['https://reelay.example.com', 'http://127.0.0.1:9999', 'https://127.0.0.1:8787']) {
    const found = connection(['--url', url]);
    assert.deepEqual([found.apiKey, found.adminToken, found.accountId], [null, null, null], url);
  }
  assert.equal(connection(['--url', 'http://localhost:8787']).apiKey, 'file-key');
});

test('REELAY_DATA says where the file is', () => {
  assert.equal(connection([], { REELAY_DATA: join(cwd, 'data') }, elsewhere).apiKey, 'file-key');
  assert.equal(connection([], {}, elsewhere).apiKey, null);
  assert.throws(() => needApiKey(connection([], {}, elsewhere)), /--key.*REELAY_API_KEY/);
});

test('an SDK base URL is understood, a word is refused', () => {
  assert.equal(connection(['--url', 'http://h:1/v1/']).url, 'http://h:1');
  assert.throws(() => connection(['--url', 'localhost']), { exitCode: 2 });
});
