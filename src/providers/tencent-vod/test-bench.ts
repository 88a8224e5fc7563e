/** A sandbox of one's own for tests of this provider: the VOD simulator over HTTP, with a clock to move. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestClock } from '../../lib/clock.ts';
import { writeJson } from '../../lib/json.ts';
import { startSandbox } from '../../sandbox/server.ts';
import type { ProviderBench } from '../kit/contract.ts';
import { tencentVod } from './provider.ts';
import { videoRequest } from './request-sample.ts';

/** `slots`: tasks that may run at once; the upstream's own number is one. `startsAt`: Unix ms. */
export async function openVodBench(
  slots: number,
  startsAt: number = Date.UTC(2026, 10, 20),
): Promise<ProviderBench> {
  const dataDir = await mkdtemp(join(tmpdir(), 'reelay-vod-'));
  const clock = createTestClock(startsAt);
  const sandbox = await startSandbox({
    dataDir,
    host: '127.0.0.1',
    port: 0,
    speed: 1,
    render: 'tiny',
    clock,
    renderer: { video: async () => ({ path: '/dev/null', bytes: 0 }) },
  });
  const control = async (method: string, path: string, body?: object) => {
    const response = await fetch(sandbox.url + path, {
      method,
      ...(body ? { body: writeJson(body) } : {}),
    });
    if (!response.ok) throw new Error(await response.text());
    return response.json() as Promise<unknown>;
  };
  await control('POST', '/_control/behaviour', { slots });
  return {
    provider: tencentVod,
    baseUrl: `${sandbox.url}/tencent-vod`,
    clock,
    request: (prompt) => videoRequest({ prompt }),
    wrongCredential: {
      secret_id: 'sandbox-access-key',
      secret_key: 'not-the-secret-key-at-all',
      sub_app_id: 1500000001,
    },
    prompts: {
      rejectContent: 'a [[reject:InvalidParameter.VoilationContent]]',
      failContent: 'a [[fail:ContentModerationFailed]]',
      fail: 'a [[fail]]',
    },
    behave: async (change) => void (await control('POST', '/_control/behaviour', change)),
    async behaveWell() {
      await control('DELETE', '/_control/behaviour');
      await control('POST', '/_control/behaviour', { slots });
    },
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
