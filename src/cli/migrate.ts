import { systemClock } from '../lib/clock.ts';
import { UsageError, type Command } from './command.ts';
import { jsonOption } from './connection.ts';
import { printJson } from './text.ts';
import { orSay, readConfig, stepProgress } from './upkeep.ts';

export const migrate: Command = {
  words: ['migrate'],
  summary: 'Move an embedded installation into an empty PostgreSQL database.',
  options: {
    from: { type: 'string', value: 'sqlite', help: 'What is moved: sqlite, the database in REELAY_DATA.' },
    to: { type: 'string', value: '<url>', help: 'postgres://… (default: DATABASE_URL).' },
    ...jsonOption,
  },
  notes: [
    'Stop the gateway first. Everything moves in one transaction, and is compared before it is committed: a run that broke',
    'off has moved nothing, and is started again. With REELAY_S3_… set, media move into the bucket; otherwise they stay.',
    'The embedded database is kept beside its old place as reelay.sqlite.moved.',
  ],
  examples: [
    'reelay migrate --from sqlite --to "$DATABASE_URL"',
    'REELAY_DATA=/var/lib/reelay DATABASE_URL=postgres://reelay@db/reelay reelay migrate --from sqlite',
  ],
  async run(input, context) {
    const { terminal } = context;
    if (input.text('from') !== 'sqlite') {
      throw new UsageError('reelay migrate moves from the embedded database: --from sqlite.');
    }
    const url = input.text('to') ?? context.env.DATABASE_URL ?? '';
    if (!/^postgres(ql)?:\/\//.test(url)) {
      throw new UsageError(
        '--to (or DATABASE_URL) must name a database: postgres://user:password@host:5432/reelay.',
      );
    }
    // The embedded installation's own configuration; where it moves to is no part of it yet.
    const config = readConfig({ ...context, env: { ...context.env, DATABASE_URL: '' } });
    const { migrateToPostgres } = await import('../upkeep/migrate.ts');
    const { openMedia } = await import('../upkeep/media.ts');
    const progress = stepProgress(context, String);
    const report = await orSay(async () => {
      const bucket = config.s3 === null ? null : await openMedia(config, systemClock);
      try {
        return await migrateToPostgres({
          config,
          url,
          media: bucket?.media ?? null,
          clock: systemClock,
          onProgress(step, done) {
            context.signal.throwIfAborted();
            progress.show(step, done, null);
          },
        });
      } finally {
        progress.end();
        await bucket?.close();
      }
    });
    const rows = Object.values(report.rows).reduce((sum, number) => sum + number, 0);
    if (input.flag('json')) {
      printJson(terminal, {
        was_there: report.wasThere,
        rows: report.rows,
        jobs: report.jobs,
        media_files: report.mediaFiles,
        ledger: {
          entries: report.there.entries,
          sum_is_zero: report.there.sumMicros === 0n,
          ok: report.there.ok,
        },
        aside: report.aside,
        root_keys: report.rootKeys,
      });
      return 0;
    }
    terminal.out(
      report.wasThere
        ? `An earlier run had moved all ${rows} rows already.\n`
        : `Moved ${rows} rows, ${report.jobs} waiting jobs and ${report.mediaFiles} media files.\n`,
    );
    terminal.out(
      `${terminal.paint('green', '✓')} ${report.here.entries} ledger entries here and ${report.there.entries} there; on ` +
        'both sides all of it adds up, account by account.\n',
    );
    terminal.out(`The embedded database is kept as ${report.aside}.\n`);
    if (config.secret === null && report.rootKeys.length > 0) {
      terminal.out(
        `Nodes elsewhere need root key ${report.rootKeys.join(', ')}: set REELAY_SECRET to the content of ` +
          `${config.dataDir}/secret on each of them.\n`,
      );
    }
    return 0;
  },
};
