import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';

const main = fileURLToPath(new URL('main.ts', import.meta.url));
const headers = { authorization: 'Bearer api-key-kling-sandbox' };

interface Started {
  child: ChildProcess;
  lines: string[];
  errors: string[];
}

async function start(environment: Record<string, string>): Promise<Started> {
  const child = spawn(process.execPath, [main], {
    env: { ...process.env, HOST: '127.0.0.1', PORT: '0', REELAY_SANDBOX_RENDER: 'tiny', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const errors: string[] = [];
  child.stderr!.setEncoding('utf8').on('data', (text: string) => errors.push(text));
  const reader = createInterface(child.stdout!);
  reader.on('line', (line) => lines.push(line));
  await Promise.race([once(reader, 'line'), once(child, 'close')]);
  return { child, lines, errors };
}

function urlOf(lines: string[]): string {
  const url = /^Reelay sandbox is ready at (http:\/\/127\.0\.0\.1:\d+)$/.exec(lines[0] ?? '')?.[1];
  assert.ok(url, lines.join('\n'));
  return url;
}

describe('npm run sandbox', () => {
  test('loses no accepted task when it is killed, and ends cleanly when it is asked to', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'reelay-sandbox-main-'));
    const first = await start({ REELAY_DATA: directory });
    const path = '/kling/v1/videos/text2video';
    const created = await request(urlOf(first.lines) + path, {
      method: 'POST',
      headers,
      body: JSON.stringify({ model_name: 'kling-v1', prompt: 'a cat', external_task_id: 'mine' }),
    });
    const { data } = (await created.body.json()) as { data: { task_id: string } };
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');

    const second = await start({ REELAY_DATA: directory });
    const found = await request(`${urlOf(second.lines)}${path}/mine`, { headers });
    assert.equal(((await found.body.json()) as { data: { task_id: string } }).data.task_id, data.task_id);
    second.child.kill('SIGTERM');
    assert.deepEqual(await once(second.child, 'exit'), [0, null]);
    assert.equal(second.lines.length, 1);
    await rm(directory, { recursive: true });
  });

  test('says what is wrong with a setting', async () => {
    const { child, lines, errors } = await start({ REELAY_SANDBOX_SPEED: 'fast', REELAY_DATA: tmpdir() });
    if (child.exitCode === null) await once(child, 'close');
    assert.deepEqual(lines, []);
    assert.match(errors.join(''), /REELAY_SANDBOX_SPEED must be a number above 0, not fast/);
  });
});
