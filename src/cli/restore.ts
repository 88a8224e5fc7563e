import { resolve } from 'node:path';
import { systemClock } from '../lib/clock.ts';
import { PASSPHRASE_VARIABLE } from './backup.ts';
import type { Command } from './command.ts';
import { jsonOption } from './connection.ts';
import { printJson, size, time } from './text.ts';
import { orSay, readConfig, stepProgress } from './upkeep.ts';

export const restore: Command = {
  words: ['restore'],
  summary: 'Put a backup into an empty data directory and verify all of it.',
  positionals: ['<file>'],
  options: { ...jsonOption },
  notes: [
    'The data directory (REELAY_DATA) must be empty and no gateway may run on it. Checksums, schema and ledger are checked',
    'before anything takes its place. Secrets in the backup are opened with REELAY_BACKUP_PASSPHRASE.',
    'A backup of nodes that share PostgreSQL is restored likewise; reelay migrate then moves it into an empty database.',
    'Tasks that waited are looked up at their upstream before they are sent, because they may have been sent since.',
  ],
  examples: ['REELAY_DATA=/var/lib/reelay reelay restore reelay-2026-11-20.tar'],
  async run(input, context) {
    const { terminal } = context;
    // Into files, whatever the gateway of this environment uses; reelay migrate takes them on from there.
    const config = readConfig({ ...context, env: { ...context.env, DATABASE_URL: '' } });
    const { restoreBackup } = await import('../upkeep/restore.ts');
    const { openMedia } = await import('../upkeep/media.ts');
    const progress = stepProgress(context);
    let close = async (): Promise<void> => {};
    const report = await orSay(async () => {
      try {
        return await restoreBackup({
          config,
          async openMedia() {
            const opened = await openMedia(config, systemClock);
            close = opened.close;
            return opened.media;
          },
          clock: systemClock,
          path: resolve(context.cwd, input.positionals[0]!),
          passphrase: context.env[PASSPHRASE_VARIABLE] || null,
          onProgress: progress.show,
          signal: context.signal,
        });
      } finally {
        progress.end();
        await close();
      }
    });
    const { header, ledger, missingKeys } = report;
    const isSound = ledger.ok && missingKeys.length === 0;
    if (input.flag('json')) {
      printJson(terminal, {
        created_at: header.created_at,
        version: header.version,
        accounts: report.accounts,
        open_tasks: report.tasks,
        doubted: report.doubted,
        media_files: report.mediaFiles,
        media_bytes: report.mediaBytes,
        secrets: report.secrets,
        missing_keys: missingKeys.map(({ keyId, number }) => ({ key_id: keyId, sealed: number })),
        ledger: { ok: ledger.ok, entries: ledger.entries, mismatches: ledger.mismatches },
      });
      return isSound ? 0 : 1;
    }
    const open = Object.values(report.tasks).reduce((sum, number) => sum + number, 0);
    terminal.out(
      `Restored into ${config.dataDir}: the state of ${time(header.created_at)} UTC, written by version ${header.version}.\n` +
        `${report.accounts} accounts, ${open} unfinished tasks, ${report.mediaFiles} media files (${size(report.mediaBytes)}).\n`,
    );
    if (report.doubted > 0) {
      terminal.out(`${report.doubted} waiting tasks are looked up at their upstream before they are sent.\n`);
    }
    if (ledger.ok) {
      terminal.out(`${terminal.paint('green', '✓')} ${ledger.entries} ledger entries, all of it adds up.\n`);
    } else {
      terminal.out(`${terminal.paint('red', '✗')} The ledger does not add up:\n`);
      for (const mismatch of ledger.mismatches) terminal.out(`  ${mismatch}\n`);
    }
    if (report.secrets === 'closed') {
      terminal.out(`The backup holds secrets; set ${PASSPHRASE_VARIABLE} to restore them with it.\n`);
    }
    for (const { keyId, number } of missingKeys) {
      terminal.out(
        `${terminal.paint('red', '✗')} ${number} secrets need root key ${keyId}: give it with REELAY_SECRET, or put the ` +
          `old installation's file "secret" into ${config.dataDir}, before the first start.\n`,
      );
    }
    return isSound ? 0 : 1;
  },
};
