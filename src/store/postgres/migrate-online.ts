/**
 * Brings a database to this version while other nodes work on it. Tables and columns change in one transaction that
 * gives way instead of making everybody wait: it takes a lock at once or is undone and tried again. Indexes are made
 * afterwards, one by one and concurrently, and are written down until they are there, so that a start after a kill goes
 * on with them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { postgresEngine } from '../engine.ts';
import { migrate, type OnUpgrade } from '../migrate.ts';
import type { Connection } from './connection.ts';
import { drive } from './executor.ts';
import { sqlState } from './failures.ts';

/** While a change of a table waits for its lock, writers wait behind it. */
const LOCK_WAIT_MS = 200;
/** All locks of one try together; then whoever writes has a turn. */
const TRY_MS = 500;
const PAUSE_MS = 100;
/** Half a minute of giving way; then a try may take as long as it takes, for each single lock. */
const GIVES_WAY_TIMES = 50;
const TRIES_MAX = 200;

const LOCK_NOT_AVAILABLE = '55P03';
const DEADLOCK_DETECTED = '40P01';

/** A try that has held locks for too long. */
class GaveWay extends Error {}

/** To be called under a lock of the session that keeps other nodes from doing the same. */
export async function migrateOnline(
  connection: Connection,
  at: number,
  onUpgrade?: OnUpgrade,
): Promise<void> {
  const run = async (text: string, values?: unknown[]) =>
    (await connection.execute({ text, ...(values && { values }) })).rows;
  const [{ known } = { known: null }] = await run("select to_regclass('migrations') as known");
  if (known === null) {
    // Nobody works on it yet.
    await run('begin');
    await drive(connection, migrate(postgresEngine, at));
    await run('commit');
    return;
  }
  for (let tries = 1; ; tries++) {
    try {
      await changeTables(connection, run, at, {
        givesWay: tries <= GIVES_WAY_TIMES,
        onUpgrade: tries === 1 ? onUpgrade : undefined,
      });
      break;
    } catch (error) {
      await run('rollback');
      const code = sqlState(error);
      const isInTheWay =
        error instanceof GaveWay || code === LOCK_NOT_AVAILABLE || code === DEADLOCK_DETECTED;
      if (!isInTheWay || tries === TRIES_MAX) throw error;
      await sleep(PAUSE_MS);
    }
  }
  await buildIndexes(run);
}

type Run = (text: string, values?: unknown[]) => Promise<Record<string, unknown>[]>;

async function changeTables(
  connection: Connection,
  run: Run,
  at: number,
  { givesWay, onUpgrade }: { givesWay: boolean; onUpgrade: OnUpgrade | undefined },
): Promise<void> {
  const postponed: string[] = [];
  await run('begin');
  await run(`set local lock_timeout = ${LOCK_WAIT_MS}`);
  const startedAt = performance.now();
  const postpone = (sql: string): boolean => {
    if (givesWay && performance.now() - startedAt > TRY_MS) throw new GaveWay();
    if (!/^(create|drop) (unique )?index /i.test(sql)) return false;
    postponed.push(sql);
    return true;
  };
  const steps = migrate(postgresEngine, at, { postpone, onUpgrade });
  await drive(connection, steps);
  if (postponed.length > 0) {
    await run('create table if not exists pending_indexes (number serial primary key, sql text not null)');
    for (const sql of postponed) await run('insert into pending_indexes (sql) values ($1)', [sql]);
  }
  await run('commit');
}

async function buildIndexes(run: Run): Promise<void> {
  const [{ pending } = { pending: null }] = await run("select to_regclass('pending_indexes') as pending");
  if (pending === null) return;
  const steps = (await run('select number, sql from pending_indexes order by number')).map((row) => ({
    number: Number(row.number),
    sql: String(row.sql),
  }));
  for (const [index, { number, sql }] of steps.entries()) {
    const name = nameIn(sql);
    if (/^drop/i.test(sql)) {
      // What is made anew under its name takes its place; until then it serves.
      const isReplaced = steps.slice(index + 1).some((later) => nameIn(later.sql) === name);
      if (!isReplaced) await run(`drop index concurrently if exists ${quoted(name)}`);
    } else {
      await build(run, sql, name);
    }
    await run('delete from pending_indexes where number = $1', [number]);
  }
  await run('drop table pending_indexes');
}

/** Under a name of its own first, because a build that breaks off leaves an index that serves nobody. */
async function build(run: Run, sql: string, name: string): Promise<void> {
  const building = `${name}__new`;
  await run(`drop index concurrently if exists ${quoted(building)}`);
  await run(
    sql
      .replace(/^create (unique )?index /i, (start) => `${start}concurrently `)
      .replace(quoted(name), quoted(building)),
  );
  await run('begin');
  await run(`drop index if exists ${quoted(name)}`);
  await run(`alter index ${quoted(building)} rename to ${quoted(name)}`);
  await run('commit');
}

function nameIn(sql: string): string {
  const name = /^(?:create (?:unique )?|drop )index (?:if (?:not )?exists )?"([^"]+)"/i.exec(sql)?.[1];
  if (name === undefined) throw new Error(`no name of an index in: ${sql}`);
  return name;
}

function quoted(name: string): string {
  return `"${name}"`;
}
