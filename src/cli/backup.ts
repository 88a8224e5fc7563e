import { resolve } from 'node:path';
import { systemClock } from '../lib/clock.ts';
import { UsageError, type Command } from './command.ts';
import { jsonOption } from './connection.ts';
import { printJson, size } from './text.ts';
import { orSay, readConfig, stepProgress } from './upkeep.ts';

export const PASSPHRASE_VARIABLE = 'REELAY_BACKUP_PASSPHRASE';

export const backup: Command = {
  words: ['backup'],
  summary: 'Write database and media into one file, while the gateway runs.',
  positionals: ['<file>'],
  options: {
    'with-secrets': {
      type: 'boolean',
      help: `Include the root keys and the admin token, sealed with ${PASSPHRASE_VARIABLE}.`,
    },
    'without-media': {
      type: 'boolean',
      help: 'Leave the media out (a bucket that keeps its own versions, say).',
    },
    ...jsonOption,
  },
  notes: [
    'Runs beside the gateway, on its machine: settings come from REELAY_DATA and reelay.yaml, as for reelay start.',
    'What is sealed in the database opens with the root key only, which is not in the file: keep it somewhere else,',
    'or take it along with --with-secrets. The films of the sandbox’s own upstream are not in it.',
  ],
  examples: [
    'reelay backup reelay-2026-11-20.tar',
    `${PASSPHRASE_VARIABLE}='four random words or more' reelay backup all.tar --with-secrets`,
  ],
  async run(input, context) {
    const { terminal } = context;
    const config = readConfig(context);
    const passphrase = input.flag('with-secrets') ? passphraseOf(context.env) : null;
    const { writeBackup } = await import('../upkeep/backup.ts');
    const { openMedia } = await import('../upkeep/media.ts');
    const progress = stepProgress(context);
    const report = await orSay(async () => {
      const { media, close } = await openMedia(config, systemClock);
      try {
        return await writeBackup({
          config,
          media,
          clock: systemClock,
          path: resolve(context.cwd, input.positionals[0]!),
          withMedia: !input.flag('without-media'),
          passphrase,
          onProgress: progress.show,
          signal: context.signal,
        });
      } finally {
        progress.end();
        await close();
      }
    });
    const { ledger } = report;
    const isSound = ledger === null || ledger.ok;
    if (input.flag('json')) {
      printJson(terminal, {
        path: report.path,
        bytes: report.bytes,
        media_files: report.mediaFiles,
        media_gone: report.mediaGone,
        root_keys: report.rootKeys,
        has_secrets: report.hasSecrets,
        ledger: ledger && { ok: ledger.ok, entries: ledger.entries, mismatches: ledger.mismatches },
      });
      return isSound ? 0 : 1;
    }
    terminal.out(`${report.path}: ${size(report.bytes)}, ${report.mediaFiles} media files.\n`);
    if (ledger === null) {
      terminal.out(
        'An older version still uses this database: its ledger is verified when the backup is restored.\n',
      );
    } else if (ledger.ok) {
      terminal.out(
        `${terminal.paint('green', '✓')} ${ledger.entries} ledger entries in it, all of it adds up.\n`,
      );
    } else {
      terminal.out(`${terminal.paint('red', '✗')} The ledger in it does not add up:\n`);
      for (const mismatch of ledger.mismatches) terminal.out(`  ${mismatch}\n`);
    }
    if (!report.hasSecrets && report.rootKeys.length > 0) {
      terminal.out(
        `Secrets in it open with root key ${report.rootKeys.join(', ')} only, which is not in the file: keep it elsewhere.\n`,
      );
    }
    return isSound ? 0 : 1;
  },
};

export function passphraseOf(env: Record<string, string | undefined>): string {
  const passphrase = env[PASSPHRASE_VARIABLE];
  if (passphrase) return passphrase;
  throw new UsageError(`Set ${PASSPHRASE_VARIABLE} to the passphrase that seals the secrets in the backup.`);
}
