/**
 * Intake on PostgreSQL: tasks accepted while the lane is at its cap, beside what the server takes when the very same rows
 * are written in bare batches by one session that does nothing else.
 */
import assert from 'node:assert/strict';
import pg from 'pg';
import { startPostgres } from '../test/helpers/postgres.ts';
import { startServer } from './child.ts';
import { startLoadedGateway, turnOf } from './gateway.ts';
import { fillLane } from './intake.ts';
import { rateLine, type Report } from './report.ts';
import { ratioOf, takeTurns, type Pace, type Turn } from './rounds.ts';

/** As many callers as wait at once; a bare batch holds as many tasks. */
const CONNECTIONS = 256;
const AIM = 0.25;

export async function intakePg(scratch: string, pace: Pace): Promise<Report> {
  const server = await startPostgres({ durable: true });
  try {
    await using upstream = await startServer({ script: 'bench/references/upstream.ts' });
    const url = await newDatabase(server.url, 'gateway');
    await using gateway = await startLoadedGateway({
      scratch,
      upstreamUrl: upstream.url,
      concurrency: 1,
      env: { DATABASE_URL: url },
    });
    await fillLane(gateway);
    // One more, which waits: its rows are the pattern of the bare batches.
    await turnOf(gateway, gateway.create, { connections: 1, durationMs: 50 });
    const bare = await openBareWriter(url, await newDatabase(server.url, 'bare', 'gateway'));
    try {
      const turns = await takeTurns(
        [
          { name: 'bare', turn: (durationMs) => bare.turn(durationMs) },
          {
            name: 'gateway',
            turn: (durationMs) => turnOf(gateway, gateway.create, { connections: CONNECTIONS, durationMs }),
          },
        ],
        pace,
      );
      assert.equal((await gateway.channel()).running, 1, 'nothing is submitted while the lane is at its cap');
      await gateway.verifyLedger();
      const of = (name: string): Turn[] => turns.get(name)!;
      return {
        title: `Intake on PostgreSQL: tasks accepted per second, lane at its cap, ${CONNECTIONS} connections`,
        lines: [rateLine('bare unnest batches', of('bare')), rateLine('gateway', of('gateway'))],
        ratios: [
          ratioOf({
            of: 'gateway ÷ bare unnest batches',
            subject: of('gateway'),
            reference: of('bare'),
            aim: AIM,
            // Its limit is the server.
            busy: false,
          }),
        ],
      };
    } finally {
      await bare.close();
    }
  } finally {
    await server.stop();
  }
}

/** An empty database, or one with the tables of another. */
async function newDatabase(serverUrl: string, name: string, like?: string): Promise<string> {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  try {
    if (like !== undefined) {
      // A pattern is copied only while nobody uses it: the gateway opens its sessions again by itself.
      await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [like]);
    }
    await client.query(`create database ${name}${like === undefined ? '' : ` template ${like}`}`);
  } finally {
    await client.end();
  }
  return url.href;
}

interface BareWriter {
  turn(durationMs: number): Promise<Turn>;
  close(): Promise<void>;
}

/** The tables of an acceptance, and which of their columns are of one task alone. */
const TABLES: Record<string, string[]> = {
  tasks: ['id'],
  ledger_entries: ['id', 'posting_id', 'task_id'],
  events: ['id', 'task_id'],
};

/** Writes the rows of accepted tasks, modelled on the newest one, into a database like the gateway's. */
async function openBareWriter(patternUrl: string, url: string): Promise<BareWriter> {
  const client = new pg.Client({ connectionString: url, pipeline: true });
  await client.connect();
  const { rows: tasks } = await client.query<{ id: string; account_id: string }>(
    'select id, account_id from tasks where attempt_id is null order by id desc limit 1',
  );
  const [task] = tasks;
  if (!task) throw new Error(`no task waits in ${patternUrl}`);
  const inserts = await Promise.all(
    Object.entries(TABLES).map(async ([table, own]) => {
      const { rows: columns } = await client.query<{ name: string; type: string }>(
        `select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
         where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`,
        [table],
      );
      const names = columns.map(({ name }) => name).join(', ');
      const arrays = columns.map(({ type }, index) => `$${index + 1}::${type}[]`).join(', ');
      const key = table === 'tasks' ? 'id' : 'task_id';
      const { rows: pattern } = await client.query<Record<string, unknown>>(
        `select ${columns.map(({ name }) => `${name}::text`).join(', ')} from ${table} where ${key} = $1`,
        [task.id],
      );
      return {
        own,
        columns: columns.map(({ name }) => name),
        pattern,
        query: { name: table, text: `insert into ${table} (${names}) select * from unnest(${arrays})` },
      };
    }),
  );
  let written = 0;

  async function batch(): Promise<void> {
    const first = written;
    written += CONNECTIONS;
    const sent: Promise<unknown>[] = [client.query('begin')];
    for (const { own, columns, pattern, query } of inserts) {
      const values = columns.map((column) => {
        const isOwn = own.includes(column);
        const all: unknown[] = [];
        for (let number = first; number < written; number++) {
          for (const row of pattern) {
            const value = row[column];
            // Behind the pattern's id, so that ids grow as the gateway's do.
            all.push(isOwn ? `${String(value)}${String(number).padStart(9, '0')}` : value);
          }
        }
        return all;
      });
      sent.push(client.query({ ...query, values }));
    }
    sent.push(
      client.query({
        name: 'wallet',
        text: `update wallets set available_micros = available_micros - 1, held_micros = held_micros + 1
               where account_id = $1 and available_micros > 0`,
        values: [task!.account_id],
      }),
      client.query('commit'),
    );
    await Promise.all(sent);
  }

  return {
    async turn(durationMs) {
      const cpu = process.cpuUsage();
      const from = performance.now();
      const before = written;
      while (performance.now() - from < durationMs) await batch();
      const seconds = (performance.now() - from) / 1000;
      const { user, system } = process.cpuUsage(cpu);
      const tasksWritten = written - before;
      return {
        perSecond: tasksWritten / seconds,
        cpuMicros: (user + system) / tasksWritten,
        residentBytes: process.memoryUsage.rss(),
        cores: (user + system) / 1e6 / seconds,
      };
    },
    close: () => client.end(),
  };
}
