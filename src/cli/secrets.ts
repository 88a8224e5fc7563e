import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../lib/clock.ts';
import { adminAccess } from './admin.ts';
import { UsageError, type Command, type Context } from './command.ts';
import { adminOptions, jsonOption } from './connection.ts';
import { printJson, time } from './text.ts';
import { orSay, readConfig } from './upkeep.ts';
import type { SecretsStatus } from './wire.ts';

const ASK_AGAIN_MS = 200;
/** Nothing has moved for five seconds, and nobody says that he works. */
const UNCHANGED_MAX = 25;

export const secretsStatus: Command = {
  words: ['secrets', 'status'],
  summary:
    'Show which root key seals, and what is sealed with others; exit code 1 when something cannot be opened.',
  options: { ...jsonOption, ...adminOptions },
  notes: ['Keys are shown by name only; no secret ever leaves the gateway.'],
  examples: ['reelay secrets status'],
  async run(input, context) {
    const { api } = adminAccess(input, context);
    const { body } = await api.call<SecretsStatus>('/admin/v1/secrets');
    if (input.flag('json')) printJson(context.terminal, body);
    else printStatus(context, body);
    return isSound(body) ? 0 : 1;
  },
};

export const secretsRotate: Command = {
  words: ['secrets', 'rotate'],
  summary: 'Make a new root key and seal every secret anew with it, while the gateway runs.',
  options: { ...jsonOption, ...adminOptions },
  notes: [
    'Ctrl-C ends the watching only: the gateway goes on, after a restart too. Links that were given out and tokens hold.',
    'With REELAY_SECRET the new key is yours to make: see reference/guides/backup-and-secrets.md.',
  ],
  examples: ['reelay secrets rotate'],
  async run(input, context) {
    const { terminal, signal } = context;
    const { api } = adminAccess(input, context);
    let { body } = await api.call<SecretsStatus>('/admin/v1/secrets/rotate', { method: 'POST' });
    let shown = '';
    let unchanged = 0;
    for (;;) {
      const left = body.others.reduce(
        (sum, { at_hand: isAtHand, sealed }) => sum + (isAtHand ? sealed : 0),
        0,
      );
      // Where several nodes answer in turn, one of them works and the others only see what is left.
      if (!body.resealing && (left <= body.unopened || unchanged > UNCHANGED_MAX)) break;
      const line = body.fault ?? `${left} of ${left + body.sealed} secrets are left`;
      if (line !== shown) terminal.err(`${line}\n`);
      unchanged = line === shown ? unchanged + 1 : 0;
      shown = line;
      await sleep(ASK_AGAIN_MS, undefined, { signal });
      ({ body } = await api.call<SecretsStatus>('/admin/v1/secrets'));
    }
    if (input.flag('json')) printJson(terminal, body);
    else printStatus(context, body);
    return isSound(body) ? 0 : 1;
  },
};

export const secretsForget: Command = {
  words: ['secrets', 'forget'],
  summary: 'Give up a root key that is lost for good, and every secret sealed with it.',
  positionals: ['<key id>'],
  options: {
    yes: { type: 'boolean', help: 'Do it: what was sealed with the key can never be opened again.' },
  },
  notes: [
    'For a gateway that does not start because the key is not at hand. Afterwards enter the credentials of channels again,',
    'issue new keys to callers who sign with AK/SK, and rotate the secrets of webhook endpoints. API keys go on working.',
  ],
  examples: ['reelay secrets forget 1a2b3c4d --yes'],
  async run(input, context) {
    const keyId = input.positionals[0]!;
    if (!input.flag('yes')) {
      throw new UsageError(
        `What was sealed with ${keyId} is lost for good. To do it nevertheless, add --yes.`,
      );
    }
    const config = readConfig(context);
    const { forgetRootKey } = await import('../upkeep/forget-key.ts');
    const number = await orSay(() => forgetRootKey(config, systemClock, keyId));
    context.terminal.out(`${number} secrets sealed with ${keyId} are given up.\n`);
    return 0;
  },
};

function isSound({ unopened, others }: SecretsStatus): boolean {
  return unopened === 0 && others.every(({ at_hand, sealed }) => at_hand || sealed === 0);
}

function printStatus({ terminal }: Context, status: SecretsStatus): void {
  const mark = isSound(status) ? terminal.paint('green', '✓') : terminal.paint('red', '✗');
  const from = status.source === 'file' ? 'kept in the data directory' : 'given by REELAY_SECRET';
  terminal.out(
    `${mark} ${status.sealed} ${status.sealed === 1 ? 'secret is' : 'secrets are'} sealed with root key ${status.current_key_id} ` +
      `(${from}, since ${time(status.current_since)} UTC).\n`,
  );
  for (const { key_id: id, at_hand: isAtHand, sealed } of status.others) {
    if (isAtHand && sealed === 0) {
      const when =
        status.source === 'file'
          ? 'it goes by itself when the links it signed have ended, after three days at most'
          : 'take it out of the configuration three days after the change';
      terminal.out(`  Nothing is sealed with ${id} any more: ${when}.\n`);
    } else if (isAtHand) {
      terminal.out(`  ${sealed} are sealed with ${id}. reelay secrets rotate seals them anew.\n`);
    } else {
      terminal.out(
        `  ${sealed} are sealed with ${id}, which is not at hand: they cannot be opened. Enter them again.\n`,
      );
    }
  }
  if (status.unopened > 0) {
    terminal.out(
      `  ${status.unopened} could not be opened and were left as they are: they were changed, or their key is gone.\n`,
    );
  }
}
