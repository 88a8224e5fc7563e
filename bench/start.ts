/** Start and idle memory: how long a process takes until it is ready, and what it then occupies. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startServer, type ServerOptions } from './child.ts';
import { gatewayEnvironment } from './gateway.ts';
import { figureLine, type Report } from './report.ts';
import { spreadOf } from './rounds.ts';
import { newDataDirectory } from './scratch.ts';

const MIB = 1024 * 1024;
const AIM_MS = 700;
const AIM_TIMES = 2.5;

interface Figures {
  startMs: number[];
  residentMib: number[];
}

/**
 * `idleMs`: how long a server is left alone before its memory is read. Compiled code is kept as the set-up script, the
 * image and the systemd unit have it; a start without any is measured beside them.
 */
export async function start(
  scratch: string,
  { rounds, idleMs }: { rounds: number; idleMs: number },
): Promise<Report> {
  const used = newDataDirectory(scratch);
  const cache = join(scratch, 'compile-cache');
  await warm(cache);
  const kinds: Record<string, () => ServerOptions> = {
    'bare node:http server': () => ({ script: 'bench/references/bare.mjs' }),
    'gateway, first start': () => firstStart(newDataDirectory(scratch), cache),
    'the same, nothing compiled yet': () =>
      firstStart(newDataDirectory(scratch), join(newDataDirectory(scratch), 'compile-cache')),
    'gateway, started again': () => ({
      script: 'src/main.ts',
      cwd: used,
      env: { ...gatewayEnvironment(used), NODE_COMPILE_CACHE: cache },
    }),
  };
  const figures = new Map<string, Figures>();
  for (const kind of Object.keys(kinds)) figures.set(kind, { startMs: [], residentMib: [] });
  // The first round only fills the system's file cache.
  for (let round = 0; round <= rounds; round++) {
    for (const [kind, options] of Object.entries(kinds)) {
      await using server = await startServer(options());
      await sleep(idleMs);
      if (round > 0) {
        figures.get(kind)!.startMs.push(server.startMs);
        figures.get(kind)!.residentMib.push(server.residentBytes() / MIB);
      }
    }
  }
  const bare = spreadOf(figures.get('bare node:http server')!.residentMib).median;
  return {
    title: 'Start: process start to ready, and resident memory when idle',
    lines: [...figures].flatMap(([kind, { startMs, residentMib }]) => {
      const memory = spreadOf(residentMib);
      const start = spreadOf(startMs);
      const times = memory.median / bare;
      const verdict = (aim: string, isMet: boolean): string =>
        kind.startsWith('gateway') ? `; aim ${aim}: ${isMet ? 'met' : 'missed'}` : '';
      return [
        figureLine(kind, start, 0, `ms to ready${verdict(`${AIM_MS} ms`, start.median <= AIM_MS)}`),
        figureLine(
          '',
          memory,
          0,
          `MiB idle, ${times.toFixed(2)} of the bare server's${verdict(String(AIM_TIMES), times <= AIM_TIMES)}`,
        ),
      ];
    }),
    ratios: [],
  };
}

/** As a newcomer starts it (npm start): an empty directory, the sandbox and the demo account. */
function firstStart(directory: string, cache: string): ServerOptions {
  return {
    script: 'bin/start.mjs',
    cwd: directory,
    env: { PORT: '0', REELAY_DATA: directory, NODE_COMPILE_CACHE: cache },
  };
}

/** As the set-up script does after an install. */
async function warm(cache: string): Promise<void> {
  await promisify(execFile)(process.execPath, [fileURLToPath(new URL('../src/warm.ts', import.meta.url))], {
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: cache },
  });
}
