/**
 * Moves an embedded installation into PostgreSQL. The embedded database is put aside at the end, under another name, so
 * that no gateway goes on with it by mistake and it is there should anybody want it back.
 */
import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { Clock, LedgerVerdict, MediaStore } from '../core/ports.ts';
import { openBoss } from '../jobs/boss.ts';
import { openLocalDisk } from '../media/local-disk.ts';
import { openStore } from '../store/index.ts';
import { moveToPostgres } from '../store/move.ts';
import { DATABASE_FILE, MOVED_FILE } from '../store/sqlite/open.ts';
import { syncFolder } from './archive-writer.ts';
import { UpkeepError } from './format.ts';

export interface MigrateOptions {
  /** Of the embedded installation. */
  config: Config;
  /** `postgres://…`. */
  url: string;
  /** Where the nodes will look for media; null: where they are. */
  media: MediaStore | null;
  clock: Clock;
  onProgress(step: string, done: number): void;
}

export interface MigrateReport {
  /** An earlier run had moved everything already. */
  wasThere: boolean;
  rows: Record<string, number>;
  jobs: number;
  mediaFiles: number;
  here: LedgerVerdict;
  there: LedgerVerdict;
  /** Where the embedded database lies now. */
  aside: string;
  rootKeys: string[];
}

/** Throws UpkeepError for what an operator can mend; then the target holds nothing of it. */
export async function migrateToPostgres(options: MigrateOptions): Promise<MigrateReport> {
  const report = await moveAll(options);
  // The last step: from now on nobody starts on the embedded database.
  await rename(join(options.config.dataDir, DATABASE_FILE), report.aside);
  await syncFolder(options.config.dataDir);
  return report;
}

async function moveAll(options: MigrateOptions): Promise<MigrateReport> {
  const { config, url, clock, onProgress } = options;
  const file = join(config.dataDir, DATABASE_FILE);
  const aside = join(config.dataDir, MOVED_FILE);
  if (!existsSync(file)) {
    throw new UpkeepError(
      existsSync(aside)
        ? `This installation was moved already: its database lies aside as ${aside}.`
        : `There is no database in ${config.dataDir}: is REELAY_DATA the gateway's directory?`,
    );
  }
  // Also refuses while a gateway runs here, and brings both sides to the same schema.
  const source = await opened(() => openStore({ directory: config.dataDir, clock }));
  try {
    onProgress('ledger here', 0);
    const here = await source.verifyLedger();
    if (!here.ok) {
      throw new UpkeepError(`The ledger here does not add up, so it is not moved: ${here.mismatches[0]}`);
    }
    const rootKeys = (await source.sealed.rootKeys()).flatMap(({ id, retiredAt }) =>
      retiredAt === null ? [id] : [],
    );
    const mediaFiles = options.media === null ? 0 : await moveMedia(config, options.media, onProgress);
    const target = await opened(() => openStore({ directory: config.dataDir, databaseUrl: url, clock }));
    try {
      const outcome = await target.alone(async () => {
        const boss = await openBoss({ url, supervises: false, onError: () => {} });
        try {
          return await moveToPostgres({ file, url, jobWriter: boss.writer, onProgress });
        } finally {
          await boss.close();
        }
      });
      if (outcome.kind === 'occupied') {
        throw new UpkeepError(
          `The target database is not empty (there are ${outcome.table}): name an empty one, and start no gateway on it before.`,
        );
      }
      if (outcome.kind === 'different') {
        throw new UpkeepError(
          `What arrived is not what was sent, so nothing was kept: ${outcome.faults.join(' ')}`,
        );
      }
      const { rows, ledger: there } = outcome;
      const jobs = outcome.kind === 'moved' ? outcome.jobs : 0;
      return { wasThere: outcome.kind === 'there', rows, jobs, mediaFiles, here, there, aside, rootKeys };
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** Files that are there in full are not sent again. */
async function moveMedia(
  config: Config,
  to: MediaStore,
  onProgress: MigrateOptions['onProgress'],
): Promise<number> {
  const from = await openLocalDisk(join(config.dataDir, 'media'));
  let files = 0;
  let bytes = 0;
  for await (const { key, bytes: size } of from.list('')) {
    if ((await to.stat(key))?.bytes !== size) {
      const found = await from.open(key);
      if (found === null) continue;
      await to.put(key, found.stream);
    }
    files++;
    bytes += size;
    onProgress('media', bytes);
  }
  return files;
}

async function opened<Result>(open: () => Promise<Result>): Promise<Result> {
  try {
    return await open();
  } catch (error) {
    throw new UpkeepError((error as Error).message, { cause: error });
  }
}
