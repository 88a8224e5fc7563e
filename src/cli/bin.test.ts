/** The real command, started by whatever Node npm itself runs on (Node 20, say): it hands over to the pinned one. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startTestGateway } from './test-gateway.ts';

const bin = fileURLToPath(new URL('../../bin/reelay.mjs', import.meta.url));
const node = process.env.npm_node_execpath ?? process.execPath;
const cwd = mkdtempSync(join(tmpdir(), 'reelay-bin-'));
after(() => rmSync(cwd, { recursive: true }));

function start(args: string[], env: Record<string, string> = {}) {
  const child = spawn(node, [bin, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  const watchers = new Set<() => void>();
  child.stdout.on('data', (chunk: Buffer) => void (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
    for (const watcher of watchers) watcher();
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)));
  return {
    child,
    ended: async () => ({ code: await ended, out, err }),
    says: (text: string) =>
      new Promise<void>((resolve, reject) => {
        const look = () => {
          if (err.includes(text)) resolve();
        };
        watchers.add(look);
        void ended.then((code) => reject(new Error(`ended with ${code} before saying ${text}: ${err}`)));
        look();
      }),
  };
}

test('passes arguments, output and the exit code through', async () => {
  const help = await start(['generate', '--help']).ended();
  assert.equal(help.code, 0, help.err);
  assert.match(help.out, /Usage: reelay generate/);
  const wrong = await start(['generate', '--nonsense']).ended();
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /Unknown option --nonsense/);
});

test('start takes a role, and says what one alone is good for', async () => {
  const { code, err } = await start(['start', '--role=worker'], { DATABASE_URL: '' }).ended();
  assert.equal(code, 1);
  assert.match(err, /The role "worker" is for one of several nodes that share a database/);
});

test('SIGTERM reaches the command, which says how to resume', async (t) => {
  const id = 'task_1';
  const video = {
    id,
    status: 'in_progress',
    progress: 5,
    model: 'm',
    seconds: '5',
    size: '1280x720',
    error: null,
  };
  const gateway = await startTestGateway({
    'POST /v1/videos?dry_run=true': {
      json: { model: 'm', amount: '0.28', currency: 'USD', balance_after: '1.00', warnings: [] },
    },
    'POST /v1/videos': { json: video },
    [`GET /v1/videos/${id}`]: { headers: { 'openai-poll-after-ms': '20' }, json: video },
  });
  t.after(() => gateway.close());
  const command = start(['generate', 'a cat'], { REELAY_URL: gateway.url, REELAY_API_KEY: 'rk' });
  await command.says(`task ${id}`);
  command.child.kill('SIGTERM');
  const { code, err } = await command.ended();
  assert.equal(code, 130);
  assert.match(err, /reelay download task_1/);
});
