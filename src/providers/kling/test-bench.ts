/** A sandbox of one's own for tests of this provider: the simulator over HTTP, with a clock to move. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestClock } from '../../lib/clock.ts';
import { writeJson } from '../../lib/json.ts';
import { startSandbox } from '../../sandbox/server.ts';
import type { ProviderBench } from '../kit/contract.ts';
import { kling } from './provider.ts';
import { videoRequest } from './request-sample.ts';

/** `draws`: files can be downloaded (small ones, rendered once). */
export async function openKlingBench({ draws = false } = {}): Promise<ProviderBench> {
  const dataDir = await mkdtemp(join(tmpdir(), 'reelay-kling-'));
  const clock = createTestClock(Date.UTC(2026, 10, 20));
  const sandbox = await startSandbox({
    dataDir,
    host: '127.0.0.1',
    port: 0,
    speed: 1,
    render: 'tiny',
    clock,
    ...(draws ? {} : { renderer: { video: async () => ({ path: '/dev/null', bytes: 0 }) } }),
  });
  const control = async (method: string, path: string, body?: object) => {
    const response = await fetch(sandbox.url + path, {
      method,
      ...(body ? { body: writeJson(body) } : {}),
    });
    if (!response.ok) throw new Error(await response.text());
    return response.json() as Promise<unknown>;
  };
  return {
    provider: kling,
    baseUrl: `${sandbox.url}/kling`,
    clock,
    request: (prompt) => videoRequest({ prompt }),
    wrongCredential: { access_key: 'sandbox-access-key', secret_key: 'not-the-secret-key-at-all' },
    prompts: { rejectContent: 'a [[reject:1301]]', failContent: 'a [[fail:1301]]', fail: 'a [[fail]]' },
    behave: async (change) => void (await control('POST', '/_control/behaviour', change)),
    behaveWell: async () => void (await control('DELETE', '/_control/behaviour')),
    async submits(handle) {
      const { tasks } = (await control('GET', '/_control/tasks')) as {
        tasks: { dedup_handle: string | null; submits: number }[];
      };
      return tasks.find((task) => task.dedup_handle === handle)?.submits ?? 0;
    },
    async close() {
      await sandbox.close();
      await rm(dataDir, { recursive: true });
    },
  };
}
