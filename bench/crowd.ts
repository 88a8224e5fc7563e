/**
 * Crowd: very many tasks in flight at an upstream that lists them. How soon the gateway is ready, what polling them
 * costs, how late polls are and what that does to everybody else; and how many bytes each takes in the process.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { startServer, type RunningServer } from './child.ts';
import { fillInFlight } from './filled.ts';
import { gatewayEnvironment } from './gateway.ts';
import type { Report } from './report.ts';

const AIMS = { readyMs: 2_000, cores: 0.5, lateP99Ms: 1_000, loopP99Ms: 20, bytes: 200 };

interface UpstreamReport {
  /** Times between two looks at a task, in ms, and how many looks there were. */
  gapP50: number;
  gapP99: number;
  looks: number;
  pages: number;
}

export async function crowd(
  scratch: string,
  { tasks, settleMs, measureMs }: { tasks: number; settleMs: number; measureMs: number },
): Promise<Report> {
  await using upstream = await startServer({
    script: 'bench/references/upstream.ts',
    args: [String(tasks)],
  });
  const { directory } = await fillInFlight(scratch, upstream.url, tasks);
  await using gateway = await startServer({
    script: 'src/main.ts',
    cwd: directory,
    env: gatewayEnvironment(directory),
  });
  await sleep(settleMs);
  await loopDelay(gateway);
  await upstreamReport(upstream);
  const before = gateway.cpuMicros();
  await sleep(measureMs);
  const cores = (gateway.cpuMicros() - before) / (measureMs * 1_000);
  const loop = await loopDelay(gateway);
  const seen = await upstreamReport(upstream);
  const residentMib = gateway.residentBytes() / 1024 / 1024;
  await using packed = await startServer({
    script: 'bench/references/packed.ts',
    args: [String(tasks)],
    nodeArgs: ['--expose-gc'],
  });
  const bytes = Number(await (await request(packed.url)).body.text());
  const line = (name: string, text: string, isMet: boolean, aim: string): string =>
    `${name.padEnd(33)}${text.padEnd(36)}aim ${aim}: ${isMet ? 'met' : 'missed'}`;
  // The longest time between two polls of an old task is 15 s and a tenth; beyond it a poll was late.
  const lateMs = Math.max(0, seen.gapP99 - 16_500);
  return {
    title: `Crowd: ${tasks.toLocaleString('en')} tasks in flight, at an upstream that lists them`,
    lines: [
      line(
        'process start to ready',
        `${gateway.startMs.toFixed(0)} ms`,
        gateway.startMs <= AIMS.readyMs,
        `${AIMS.readyMs} ms`,
      ),
      line('polling', `${cores.toFixed(3)} of a core`, cores <= AIMS.cores, `${AIMS.cores}`),
      line(
        'between two looks at a task',
        `${(seen.gapP50 / 1000).toFixed(1)} s, p99 ${(seen.gapP99 / 1000).toFixed(1)} s; ${seen.pages} pages`,
        seen.looks > 0 && lateMs <= AIMS.lateP99Ms,
        'p99 at most 1 s after the 16.5 s that are due',
      ),
      line(
        'event loop, p99 of its delay',
        `${loop.toFixed(1)} ms`,
        loop <= AIMS.loopP99Ms,
        `${AIMS.loopP99Ms} ms`,
      ),
      line('bytes per task that is polled', bytes.toFixed(0), bytes <= AIMS.bytes, `${AIMS.bytes}`),
      `${'resident memory'.padEnd(33)}${residentMib.toFixed(0)} MiB`,
    ],
    ratios: [],
  };
}

/** Since it was asked last. */
async function loopDelay(gateway: RunningServer): Promise<number> {
  const text = await (await request(`${gateway.url}/metrics`)).body.text();
  const seconds = /^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(text)?.[1];
  if (seconds === undefined) throw new Error('the gateway does not tell how late its event loop is');
  return Number(seconds) * 1000;
}

/** Since it was asked last. */
async function upstreamReport(upstream: RunningServer): Promise<UpstreamReport> {
  return (await (await request(`${upstream.url}/report`)).body.json()) as UpstreamReport;
}
