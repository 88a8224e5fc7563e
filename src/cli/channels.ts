import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text as readStream } from 'node:stream/consumers';
import { adminAccess } from './admin.ts';
import type { Api } from './api.ts';
import { CliError, UsageError, type Command, type Context, type Input } from './command.ts';
import { adminOptions, jsonOption } from './connection.ts';
import { wholeNumber } from './parse.ts';
import { facts, table } from './table.ts';
import { printJson } from './text.ts';
import { plain } from './width.ts';
import type { ChannelItem, Page, Probe } from './wire.ts';

export const channelsList: Command = {
  words: ['channels', 'list'],
  summary: 'List the accounts at upstreams.',
  options: { ...jsonOption, ...adminOptions },
  examples: ['reelay channels list'],
  async run(input, context) {
    const { api } = adminAccess(input, context);
    const { body } = await api.call<Page<ChannelItem>>('/admin/v1/channels');
    if (input.flag('json')) {
      printJson(context.terminal, body.data);
      return 0;
    }
    context.terminal.out(
      table(
        [
          { title: 'id', text: (channel) => channel.id },
          { title: 'name', text: (channel) => channel.name, widthMax: 48 },
          { title: 'provider', text: (channel) => channel.provider },
          { title: 'state', text: (channel) => (channel.enabled ? 'enabled' : 'disabled') },
          {
            title: 'reaches',
            text: (channel) => (channel.sandbox ? 'sandbox' : (channel.base_url ?? 'default host')),
          },
          { title: 'priority', align: 'right', text: (channel) => String(channel.priority) },
          {
            title: 'running',
            align: 'right',
            text: (channel) => `${channel.running}/${channel.concurrency ?? '∞'}`,
          },
          { title: 'waiting', align: 'right', text: (channel) => String(channel.waiting) },
        ],
        body.data,
      ),
    );
    return 0;
  },
};

export const channelsAdd: Command = {
  words: ['channels', 'add'],
  summary: 'Add an account at an upstream, and try its credential.',
  positionals: ['<provider>'],
  options: {
    name: {
      type: 'string',
      value: '<name>',
      help: 'What the channel is called here (default: the provider).',
    },
    credential: {
      type: 'string',
      multiple: true,
      value: '<field>=<value>',
      help: 'One field of the credential; may be repeated.',
    },
    'credential-file': {
      type: 'string',
      value: '<file>',
      help: 'The credential as a JSON object; - reads standard input.',
    },
    'base-url': {
      type: 'string',
      value: '<url>',
      help: "Where the upstream is (default: the provider's own).",
    },
    concurrency: { type: 'string', value: '<n>', help: 'Most tasks running at once (default: no cap).' },
    'allow-compliance-switches': {
      type: 'boolean',
      help: "Callers may switch off the upstream's own checks of content.",
    },
    ...jsonOption,
    ...adminOptions,
  },
  notes: [
    'What stands on a command line can be read by other users of the machine and stays in the history of the shell:',
    'prefer --credential-file. The gateway seals the credential and never shows it again.',
    'Exit code 1 when the credential does not work; the channel is kept, so that it can be mended.',
  ],
  examples: [
    'reelay channels add kling --credential-file kling.json',
    'reelay channels add kling --name main --credential access_key=… --credential secret_key=…',
    'reelay channels add kling --credential api_key=… --base-url https://api-beijing.klingai.com',
  ],
  async run(input, context) {
    const provider = input.positionals[0]!;
    const credential = await readCredential(input, context);
    const concurrency = input.text('concurrency');
    const { api } = adminAccess(input, context);
    const { body } = await api.call<ChannelItem>('/admin/v1/channels', {
      method: 'POST',
      json: {
        name: input.text('name') ?? provider,
        provider,
        credential,
        base_url: input.text('base-url') ?? null,
        ...(concurrency === undefined
          ? {}
          : { concurrency: wholeNumber('--concurrency', concurrency, 1, 100_000) }),
        ...(input.flag('allow-compliance-switches') && { allows_compliance_switches: true }),
      },
    });
    const probe = await probeChannel(api, body.id);
    if (input.flag('json')) printJson(context.terminal, { ...body, probe });
    else {
      context.terminal.out(`Added ${body.name} (${body.id}).\n`);
      printProbe(context, body, probe);
    }
    return probe.ok ? 0 : 1;
  },
};

export const channelsSet: Command = {
  words: ['channels', 'set'],
  summary: 'Change a channel; what is not named stays.',
  positionals: ['<channel>'],
  options: {
    enabled: {
      type: 'string',
      value: '<yes|no>',
      help: 'Whether it takes tasks; running ones are seen to their end.',
    },
    priority: { type: 'string', value: '<n>', help: 'Higher is tried first.' },
    weight: { type: 'string', value: '<n>', help: 'Share among channels of the same priority.' },
    concurrency: { type: 'string', value: '<n>', help: 'Most tasks running at once, or none.' },
    'compliance-switches': {
      type: 'string',
      value: '<yes|no>',
      help: "Whether callers may switch off the upstream's own checks of content.",
    },
    ...jsonOption,
    ...adminOptions,
  },
  examples: ['reelay channels set main --enabled no', 'reelay channels set main --compliance-switches yes'],
  async run(input, context) {
    const json = {
      ...given(input, 'enabled', yesOrNo, 'enabled'),
      ...given(input, 'priority', (value) => wholeNumber('--priority', value, 0, 1000), 'priority'),
      ...given(input, 'weight', (value) => wholeNumber('--weight', value, 1, 1000), 'weight'),
      ...given(
        input,
        'concurrency',
        (value) => (value === 'none' ? null : wholeNumber('--concurrency', value, 1, 100_000)),
        'concurrency',
      ),
      ...given(input, 'compliance-switches', yesOrNo, 'allows_compliance_switches'),
    };
    if (Object.keys(json).length === 0)
      throw new UsageError('Say what to change. See reelay channels set --help.');
    const { api } = adminAccess(input, context);
    const { body } = await api.call<Page<ChannelItem>>('/admin/v1/channels');
    const found = chosen(body.data, input.positionals[0]!);
    if (found.length > 1) throw new CliError('Several channels have that name: use the id.');
    const path = `/admin/v1/channels/${encodeURIComponent(found[0]!.id)}`;
    const changed = (await api.call<ChannelItem>(path, { method: 'PATCH', json })).body;
    if (input.flag('json')) printJson(context.terminal, changed);
    else {
      const switches = changed.allows_compliance_switches ? 'allowed' : 'not allowed';
      context.terminal.out(
        facts([
          ['channel', `${changed.name} (${changed.id})`],
          ['state', changed.enabled ? 'enabled' : 'disabled'],
          ['priority', `${changed.priority}, weight ${changed.weight}`],
          ['concurrency', String(changed.concurrency ?? '∞')],
          ['compliance switches', switches],
        ]),
      );
    }
    return 0;
  },
};

export const channelsProbe: Command = {
  words: ['channels', 'probe'],
  summary: "Try a channel's credential at its upstream; nothing is made or billed.",
  positionals: ['[channel]'],
  options: { ...jsonOption, ...adminOptions },
  notes: ['Without a name every enabled channel is tried.'],
  examples: ['reelay channels probe', 'reelay channels probe main'],
  async run(input, context) {
    const { api } = adminAccess(input, context);
    const { body } = await api.call<Page<ChannelItem>>('/admin/v1/channels');
    const results = [];
    for (const channel of chosen(body.data, input.positionals[0])) {
      const probe = await probeChannel(api, channel.id);
      results.push({ id: channel.id, name: channel.name, ...probe });
      if (!input.flag('json')) printProbe(context, channel, probe);
    }
    if (input.flag('json')) printJson(context.terminal, results);
    else if (results.length === 0) context.terminal.out('No channel is enabled.\n');
    return results.every((result) => result.ok) ? 0 : 1;
  },
};

export async function probeChannel(api: Api, id: string): Promise<Probe> {
  const { body } = await api.call<Probe>(`/admin/v1/channels/${encodeURIComponent(id)}/probe`, {
    method: 'POST',
  });
  return body;
}

/** One field of a patch where its option was given. */
function given(
  input: Input,
  option: string,
  read: (value: string, option: string) => unknown,
  field: string,
): Record<string, unknown> {
  const value = input.text(option);
  return value === undefined ? {} : { [field]: read(value, option) };
}

function yesOrNo(value: string, option: string): boolean {
  if (value === 'yes' || value === 'no') return value === 'yes';
  throw new UsageError(`--${option} must be yes or no, not ${JSON.stringify(value)}.`);
}

function chosen(channels: ChannelItem[], named: string | undefined): ChannelItem[] {
  if (named === undefined) return channels.filter((channel) => channel.enabled);
  const found = channels.filter((channel) => channel.id === named || channel.name === named);
  if (found.length > 0) return found;
  throw new CliError(`There is no channel ${JSON.stringify(named)}. See reelay channels list.`);
}

function printProbe({ terminal }: Context, channel: ChannelItem, probe: Probe): void {
  const mark = probe.ok ? terminal.paint('green', '✓') : terminal.paint('red', '✗');
  terminal.out(`${mark} ${plain(channel.name)}: ${plain(probe.message)}\n`);
}

async function readCredential(input: Input, context: Context): Promise<Record<string, unknown>> {
  const file = input.text('credential-file');
  const pairs = input.texts('credential');
  if (file === undefined && pairs.length === 0) {
    throw new UsageError(
      'A channel needs a credential: --credential-file <file> or --credential <field>=<value>.',
    );
  }
  const credential: Record<string, unknown> =
    file === undefined ? {} : await readCredentialFile(file, context);
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at < 1) throw new UsageError('--credential takes <field>=<value>, for example access_key=….');
    credential[pair.slice(0, at)] = pair.slice(at + 1);
  }
  return credential;
}

async function readCredentialFile(file: string, { cwd }: Context): Promise<Record<string, unknown>> {
  let content: string;
  try {
    content = file === '-' ? await readStream(process.stdin) : await readFile(resolve(cwd, file), 'utf8');
  } catch (error) {
    throw new CliError(`${file} cannot be read: ${(error as Error).message}`);
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(content);
  } catch {
    parsed = null;
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) {
    return parsed as Record<string, unknown>;
  }
  // The content is a secret, so the message does not quote it.
  throw new CliError(
    `${file} must hold one JSON object, for example {"access_key": "…", "secret_key": "…"}.`,
  );
}
