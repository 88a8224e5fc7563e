/** Start and idle memory: how long a process takes until it is ready, and what it then occupies. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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

/** `idleMs`: how long a server is left alone before its memory is read. */
export async function start(
  scratch: string,
  { rounds, idleMs }: { rounds: number; idleMs: number },
): Promise<Report> {
  const used = newDataDirectory(scratch);
  const kinds: Record<string, () => ServerOptions> = {
    'bare node:http server': () => ({ script: 'bench/references/bare.mjs' }),
    'gateway, first start': () => firstStart(newDataDirectory(scratch)),
    'gateway, started again': () => ({
      script: 'src/main.ts',
      cwd: used,
      // As the image and the systemd unit set it.
      env: { ...gatewayEnvironment(used), NODE_COMPILE_CACHE: join(scratch, 'compile-cache') },
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

/** As a newcomer starts it: an empty directory, the sandbox and the demo account. */
function firstStart(directory: string): ServerOptions {
  return { script: 'src/main.ts', cwd: directory, env: { PORT: '0', REELAY_DATA: directory } };
}
