import { accountOption, adminAccess, findAccount } from './admin.ts';
import { CliError, type Command } from './command.ts';
import { adminOptions, jsonOption } from './connection.ts';
import { limitOptions, merged, printLimits, readLimits } from './limits.ts';
import { facts, table } from './table.ts';
import { printJson, time } from './text.ts';
import type { IssuedKey, Key, Page } from './wire.ts';

export const keysList: Command = {
  words: ['keys', 'list'],
  summary: 'List the API keys of an account.',
  options: { ...accountOption, ...jsonOption, ...adminOptions },
  examples: ['reelay keys list', 'reelay keys list --account "Film school"'],
  async run(input, context) {
    const access = adminAccess(input, context);
    const account = await findAccount(access, input.text('account'));
    const { body } = await access.api.call<Page<Key>>(keysPath(account.id));
    if (input.flag('json')) {
      printJson(context.terminal, body.data);
      return 0;
    }
    context.terminal.out(
      table(
        [
          { title: 'id', text: (key) => key.id },
          { title: 'name', text: (key) => key.name, widthMax: 30 },
          { title: 'api key', text: (key) => key.hint },
          { title: 'access key', text: (key) => key.access_key },
          { title: 'answers', text: (key) => key.response_style },
          { title: 'created (UTC)', text: (key) => time(key.created_at) },
          { title: 'revoked (UTC)', text: (key) => time(key.revoked_at) },
        ],
        body.data,
      ),
    );
    return 0;
  },
};

export const keysCreate: Command = {
  words: ['keys', 'create'],
  summary: 'Create an API key and an access key pair; shown this once.',
  positionals: ['[name]'],
  options: {
    ...accountOption,
    strict: {
      type: 'boolean',
      help: 'Answers are exactly what the documents of the Kling platform show, nothing added.',
    },
    ...limitOptions,
    ...jsonOption,
    ...adminOptions,
  },
  examples: [
    'reelay keys create laptop',
    'reelay keys create --account "Film school" --strict "Kling client"',
    'reelay keys create trial --spend-per-day 5 --model kling-2.5 --expires 2027-01-31T00:00:00Z',
  ],
  async run(input, context) {
    const { terminal } = context;
    const access = adminAccess(input, context);
    const account = await findAccount(access, input.text('account'));
    const limits = merged(null, readLimits(input));
    const { body } = await access.api.call<IssuedKey>(keysPath(account.id), {
      method: 'POST',
      json: {
        name: input.positionals[0] ?? 'command line',
        response_style: input.flag('strict') ? 'strict' : 'superset',
        ...(limits !== null && { limits }),
      },
    });
    if (input.flag('json')) {
      printJson(terminal, body);
      return 0;
    }
    terminal.out(
      facts([
        ['key id', body.id],
        ['account', `${account.id} (${account.name})`],
        ['API key', body.api_key],
        ['access key', body.access_key],
        ['secret key', body.secret_key],
      ]),
    );
    terminal.err('Keep them now: the API key and the secret key are not shown again.\n');
    return 0;
  },
};

export const keysLimits: Command = {
  words: ['keys', 'limits'],
  summary: 'Show what a key is held to, or change it.',
  positionals: ['<key-id>'],
  options: { ...accountOption, ...limitOptions, ...jsonOption, ...adminOptions },
  notes: ['What is not named stays; "none" takes a limit away.'],
  examples: ['reelay keys limits key_…', 'reelay keys limits key_… --ip 203.0.113.0/24 --spend-per-day none'],
  async run(input, context) {
    const access = adminAccess(input, context);
    const account = await findAccount(access, input.text('account'));
    const keyId = input.positionals[0]!;
    const { body } = await access.api.call<Page<Key>>(keysPath(account.id));
    let key = body.data.find(({ id }) => id === keyId);
    if (key === undefined)
      throw new CliError(`${account.name} has no key ${JSON.stringify(keyId)}. See reelay keys list.`);
    const given = readLimits(input);
    if (Object.keys(given).length > 0) {
      const path = `${keysPath(account.id)}/${encodeURIComponent(keyId)}`;
      const json = { limits: merged(key.limits, given) };
      key = (await access.api.call<Key>(path, { method: 'PATCH', json })).body;
    }
    printLimits(input, context, `${key.name} (${key.id})`, key.limits);
    return 0;
  },
};

export const keysRevoke: Command = {
  words: ['keys', 'revoke'],
  summary: 'Revoke a key; its running tasks are still seen to their end.',
  positionals: ['<key-id>'],
  options: { ...accountOption, ...jsonOption, ...adminOptions },
  examples: ['reelay keys revoke key_… --account "Film school"'],
  async run(input, context) {
    const access = adminAccess(input, context);
    const account = await findAccount(access, input.text('account'));
    const keyId = input.positionals[0]!;
    const { body } = await access.api.call<Key>(`${keysPath(account.id)}/${encodeURIComponent(keyId)}`, {
      method: 'DELETE',
    });
    if (input.flag('json')) printJson(context.terminal, body);
    else context.terminal.out(`Revoked ${body.id} (${body.name}) of ${account.name}.\n`);
    return 0;
  },
};

function keysPath(accountId: string): string {
  return `/admin/v1/accounts/${encodeURIComponent(accountId)}/keys`;
}
