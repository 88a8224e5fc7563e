/** A sandbox of one's own for tests of a provider: its simulator over HTTP, with a clock to move. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Json } from '../../core/ports.ts';
import { createTestClock } from '../../lib/clock.ts';
import { writeJson } from '../../lib/json.ts';
import { startSandbox } from '../../sandbox/server.ts';
import type { ProviderBench } from './contract.ts';

/** What a bench takes from its sandbox. */
export type TestSandbox = Pick<
  ProviderBench,
  'baseUrl' | 'clock' | 'behave' | 'behaveWell' | 'submits' | 'close'
>;

export interface TestSandboxOptions {
  /** Where the simulator is mounted: the provider's id. */
  provider: string;
  /** Files can be downloaded (small ones, rendered once). */
  draws?: boolean;
  /** Unix ms. */
  startsAt?: number;
  /** What honest behaviour means for this bench, where it is not the simulator's own. */
  manners?: Record<string, Json>;
}

export async function openTestSandbox(options: TestSandboxOptions): Promise<TestSandbox> {
  const { provider, draws = false, startsAt = Date.UTC(2026, 10, 20), manners } = options;
  const dataDir = await mkdtemp(join(tmpdir(), `reelay-${provider}-`));
  const clock = createTestClock(startsAt);
  const sandbox = await startSandbox({
    dataDir,
    host: '127.0.0.1',
    port: 0,
    speed: 1,
    render: 'tiny',
    clock,
    ...(draws ? {} : { renderer: { video: async () => ({ path: '/dev/null', bytes: 0 }) } }),
  });
  const control = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(sandbox.url + path, {
      method,
      ...(body ? { body: writeJson(body) } : {}),
    });
    if (!response.ok) throw new Error(await response.text());
    return response.json();
  };
  const behave = async (change: Record<string, Json>): Promise<void> => {
    await control('POST', '/_control/behaviour', change);
  };
  if (manners) await behave(manners);
  return {
    baseUrl: `${sandbox.url}/${provider}`,
    clock,
    behave,
    async behaveWell() {
      await control('DELETE', '/_control/behaviour');
      if (manners) await behave(manners);
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
