/**
 * Content: a finished film of 50 MB from the local disk and from an S3-compatible store, beside a bare proxy in front of
 * that store; and what slow readers cost in memory.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServer, type RunningServer } from './child.ts';
import { fillFinished, type Filled } from './filled.ts';
import { gatewayEnvironment, turnOf } from './gateway.ts';
import type { LoadRequest } from './load.ts';
import { rateLine, type Report } from './report.ts';
import { ratioOf, takeTurns, type Pace } from './rounds.ts';

const CONNECTIONS = 4;
const AIM = 0.95;
const SLOW_READERS = 50;
const AIM_SLOW_MIB = 30;
const MIB = 1024 * 1024;

export async function content(
  scratch: string,
  { bytes, ...pace }: Pace & { bytes: number },
): Promise<Report> {
  const filled = await fillFinished(scratch, 0);
  const id = putFilm(filled, bytes);
  await using store = await startServer({ script: 'bench/references/film.ts', args: [String(bytes)] });
  await using proxy = await startServer({ script: 'bench/references/proxy.ts', args: [store.url] });
  const start = (more: Record<string, string>): Promise<RunningServer> =>
    startServer({
      script: 'src/main.ts',
      cwd: filled.directory,
      env: { ...gatewayEnvironment(filled.directory), ...more },
    });
  const wanted: Omit<LoadRequest, 'url'> = {
    path: `/v1/videos/${id}/content`,
    headers: { authorization: `Bearer ${filled.caller.apiKey}` },
    body: '',
    method: 'GET',
  };
  // One gateway at a time: they share a directory.
  const turn = (more: Record<string, string>) => async (durationMs: number) => {
    await using gateway = await start(more);
    return await turnOf(gateway, { ...wanted, url: gateway.url }, { connections: CONNECTIONS, durationMs });
  };
  const s3 = {
    REELAY_S3_ENDPOINT: store.url,
    REELAY_S3_REGION: 'us-east-1',
    REELAY_S3_BUCKET: 'bench',
    REELAY_S3_ACCESS_KEY: 'bench',
    REELAY_S3_SECRET_KEY: 'bench-secret',
  };
  const turns = await takeTurns(
    [
      {
        name: 'proxy',
        turn: (durationMs) =>
          turnOf(proxy, { ...wanted, url: proxy.url }, { connections: CONNECTIONS, durationMs }),
      },
      { name: 'disk', turn: turn({}) },
      { name: 's3', turn: turn(s3) },
    ],
    pace,
  );
  const rises: string[] = [];
  for (const [name, more] of Object.entries({ 'local disk': {}, S3: s3 })) {
    await using gateway = await start(more);
    await sleep(1_000);
    const rise = await slowReaders(gateway, wanted);
    const verdict = rise <= AIM_SLOW_MIB ? 'met' : 'missed';
    rises.push(
      `${`${SLOW_READERS} slow readers, ${name}`.padEnd(33)}${rise.toFixed(1)} MiB more`.padEnd(69) +
        `aim ${AIM_SLOW_MIB}: ${verdict}`,
    );
  }
  const reference = turns.get('proxy')!;
  const ratio = (of: string, name: string) =>
    ratioOf({ of, subject: turns.get(name)!, reference, aim: AIM, busy: false });
  return {
    title: `Content: a film of ${(bytes / 1e6).toFixed(0)} MB, ${CONNECTIONS} connections`,
    lines: [
      rateLine('bare proxy', reference),
      rateLine('gateway, local disk', turns.get('disk')!),
      rateLine('gateway, S3', turns.get('s3')!),
      ...rises,
    ],
    ratios: [ratio('local disk ÷ bare proxy', 'disk'), ratio('S3 ÷ bare proxy', 's3')],
  };
}

/** Puts a large film in the place of what the sandbox made; answers its task. */
function putFilm({ directory }: Filled, bytes: number): string {
  const film = Buffer.alloc(bytes, 'film');
  const database = new DatabaseSync(join(directory, 'reelay.sqlite'));
  const row = database.prepare('select id, result from tasks where result is not null').get();
  if (row === undefined) throw new Error('there is no finished task');
  const result = JSON.parse(String(row.result)) as {
    outputs: { role: string; key: string; bytes: number; sha256: string }[];
  };
  const output = result.outputs.find(({ role }) => role === 'video')!;
  const path = join(directory, 'media', output.key);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, film);
  output.bytes = bytes;
  output.sha256 = createHash('sha256').update(film).digest('hex');
  database.prepare('update tasks set result = ? where id = ?').run(JSON.stringify(result), row.id!);
  database.close();
  return String(row.id);
}

/** How much the server grows, in MiB, while readers have taken one piece of the film each and then stand still. */
async function slowReaders(server: RunningServer, wanted: Omit<LoadRequest, 'url'>): Promise<number> {
  const before = server.residentBytes();
  const sockets = await Promise.all(
    Array.from({ length: SLOW_READERS }, () => readOnePiece(server.url, wanted)),
  );
  await sleep(2_000);
  const rise = server.residentBytes() - before;
  for (const socket of sockets) socket.destroy();
  return rise / MIB;
}

function readOnePiece(url: string, { path, headers }: Omit<LoadRequest, 'url'>): Promise<Socket> {
  const { hostname, port, host } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => {
      const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}`);
      socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    });
    socket.once('error', reject);
    socket.once('data', () => {
      socket.pause();
      resolve(socket);
    });
  });
}
