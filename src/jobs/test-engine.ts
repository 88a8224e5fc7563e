/** For tests: pg-boss on a database of its own, on a clock that moves the database's time as well. */
import { TestClock } from 'pg-boss';
import { createTestDatabase, type TestDatabase } from '../../test/helpers/test-database.ts';
import type { Clock } from '../core/ports.ts';
import { openBoss, type Boss } from './boss.ts';

export interface TestEngine {
  database: TestDatabase;
  /** Of the engine: `tick` and `setTime` move it. */
  time: TestClock;
  /** The same as a clock of ours. */
  clock: Clock;
  /** One more connection, as of another node. */
  connect(supervises: boolean): Promise<Boss>;
  close(): Promise<void>;
}

export async function startTestEngine(): Promise<TestEngine> {
  const database = await createTestDatabase();
  const time = new TestClock(1_800_000_000_000);
  const opened: Boss[] = [];
  return {
    database,
    time,
    clock: clockOf(time),
    async connect(supervises) {
      const boss = await openBoss({ url: database.url, supervises, clock: time, onError: () => {} });
      opened.push(boss);
      return boss;
    },
    async close() {
      for (const boss of opened) await boss.close();
      await database.drop();
    },
  };
}

function clockOf(time: TestClock): Clock {
  const clock: Clock = {
    now: () => time.now(),
    setTimeout: (callback, delayMs) => time.setTimeout(callback, delayMs) as object,
    clearTimeout: (timer) => time.clearTimeout(timer),
    sleep: (delayMs, signal) =>
      new Promise((resolve, reject) => {
        const timer = clock.setTimeout(resolve, delayMs);
        signal?.addEventListener('abort', () => {
          clock.clearTimeout(timer);
          reject(signal.reason as Error);
        });
      }),
  };
  return clock;
}
