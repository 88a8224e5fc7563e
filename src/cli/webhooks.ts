/** Webhook endpoints of an account, by its operator. */
import { accountOption, adminAccess, findAccount, readPages } from './admin.ts';
import type { Api } from './api.ts';
import { CliError, UsageError, type Command, type Context, type Input } from './command.ts';
import { adminOptions, jsonOption } from './connection.ts';
import { wholeNumber } from './parse.ts';
import { facts, table } from './table.ts';
import { printJson, time } from './text.ts';
import type { Delivery, WebhookEndpoint, WebhookEndpointWithSecret } from './wire.ts';

/** An account has at most 50. */
const ENDPOINTS_MAX = 200;
const shared = { ...accountOption, ...jsonOption, ...adminOptions };

export const webhooksList: Command = {
  words: ['webhooks', 'list'],
  summary: 'List the webhook endpoints of an account.',
  options: shared,
  examples: ['reelay webhooks list --account "Film school"'],
  async run(input, context) {
    const { api, base } = await endpointsOf(input, context);
    const endpoints = await readPages<WebhookEndpoint>(api, base, ENDPOINTS_MAX);
    if (input.flag('json')) printJson(context.terminal, endpoints);
    else {
      context.terminal.out(
        table(
          [
            { title: 'id', text: (endpoint) => endpoint.id },
            { title: 'name', text: (endpoint) => endpoint.name, widthMax: 30 },
            { title: 'state', text: stateOf },
            { title: 'url', text: (endpoint) => endpoint.url, widthMax: 50 },
            { title: 'events', text: (endpoint) => endpoint.event_types.join(', '), widthMax: 60 },
          ],
          endpoints,
        ),
      );
    }
    return 0;
  },
};

export const webhooksCreate: Command = {
  words: ['webhooks', 'create'],
  summary: 'Create a webhook endpoint; its signing secret is shown this once.',
  positionals: ['<url>'],
  options: {
    name: { type: 'string', value: '<name>', help: 'For people (default: the host of the URL).' },
    event: {
      type: 'string',
      multiple: true,
      value: '<type>',
      help: 'An event type it is told of; may be repeated (default: task.completed and task.failed).',
    },
    ...shared,
  },
  examples: ['reelay webhooks create https://example.com/hook --event task.completed --event wallet.low'],
  async run(input, context) {
    const url = input.positionals[0]!;
    const { api, base } = await endpointsOf(input, context);
    const events = input.texts('event');
    const { body } = await api.call<WebhookEndpointWithSecret>(base, {
      method: 'POST',
      json: {
        name: input.text('name') ?? URL.parse(url)?.host ?? url,
        url,
        event_types: events.length > 0 ? events : ['task.completed', 'task.failed'],
      },
    });
    return printSecret(input, context, body);
  },
};

export const webhooksRotate: Command = {
  words: ['webhooks', 'rotate'],
  summary: 'Make a new signing secret for an endpoint; it is shown this once.',
  positionals: ['<endpoint-id>'],
  options: {
    overlap: { type: 'boolean', help: 'The old secret signs as well for 24 hours.' },
    ...shared,
  },
  examples: ['reelay webhooks rotate whe_… --overlap'],
  async run(input, context) {
    const { api, base } = await endpointsOf(input, context);
    const { body } = await api.call<WebhookEndpointWithSecret>(`${base}/${idIn(input)}/rotate-secret`, {
      method: 'POST',
      json: { keep_old_secret_active_for_24_hours: input.flag('overlap') },
    });
    return printSecret(input, context, body);
  },
};

export const webhooksPause: Command = {
  words: ['webhooks', 'pause'],
  summary: 'Pause an endpoint: what happens waits for it.',
  positionals: ['<endpoint-id>'],
  options: shared,
  examples: ['reelay webhooks pause whe_…'],
  run: (input, context) => enable(input, context, false),
};

export const webhooksResume: Command = {
  words: ['webhooks', 'resume'],
  summary: 'Resume an endpoint that was paused or switched off: what waited is sent.',
  positionals: ['<endpoint-id>'],
  options: shared,
  examples: ['reelay webhooks resume whe_…'],
  run: (input, context) => enable(input, context, true),
};

export const webhooksTest: Command = {
  words: ['webhooks', 'test'],
  summary: 'Send a signed sample to an endpoint, and tell what it answers.',
  positionals: ['<endpoint-id>', '[event-type]'],
  options: shared,
  notes: ['Exit code 1 when the endpoint does not answer with 2xx.'],
  examples: ['reelay webhooks test whe_… video.completed'],
  async run(input, context) {
    const { terminal } = context;
    const { api, base } = await endpointsOf(input, context);
    const { body } = await api.call<{ status: number }>(`${base}/${idIn(input)}/test`, {
      method: 'POST',
      json: { event_type: input.positionals[1] ?? 'task.completed' },
    });
    const isFine = body.status >= 200 && body.status <= 299;
    if (input.flag('json')) printJson(terminal, body);
    else
      terminal.out(
        `${isFine ? terminal.paint('green', '✓') : terminal.paint('red', '✗')} it answered ${body.status}.\n`,
      );
    return isFine ? 0 : 1;
  },
};

export const webhooksDelete: Command = {
  words: ['webhooks', 'delete'],
  summary: 'Delete an endpoint; what waits for it is cancelled.',
  positionals: ['<endpoint-id>'],
  options: shared,
  examples: ['reelay webhooks delete whe_…'],
  async run(input, context) {
    const { api, base } = await endpointsOf(input, context);
    const { body } = await api.call(`${base}/${idIn(input)}`, { method: 'DELETE' });
    if (input.flag('json')) printJson(context.terminal, body);
    else context.terminal.out(`Deleted ${String(body.id)}.\n`);
    return 0;
  },
};

export const webhooksDeliveries: Command = {
  words: ['webhooks', 'deliveries'],
  summary: 'List what was sent to an endpoint, newest first.',
  positionals: ['<endpoint-id>'],
  options: {
    state: { type: 'string', value: '<state>', help: 'pending, held, delivered, dead or cancelled.' },
    limit: { type: 'string', value: '<n>', help: 'Deliveries to show (default 20).' },
    ...shared,
  },
  examples: ['reelay webhooks deliveries whe_… --state dead'],
  async run(input, context) {
    const limit = wholeNumber('--limit', input.text('limit') ?? '20', 1, 100_000);
    const { api, base } = await endpointsOf(input, context);
    const path = `${base}/${idIn(input)}/deliveries`;
    const deliveries = await readPages<Delivery>(api, path, limit, { state: input.text('state') });
    if (input.flag('json')) printJson(context.terminal, deliveries);
    else {
      context.terminal.out(
        table(
          [
            { title: 'id', text: (delivery) => delivery.id },
            { title: 'event', text: (delivery) => delivery.event_type },
            { title: 'task', text: (delivery) => delivery.task_id ?? '–' },
            { title: 'state', text: (delivery) => delivery.state },
            { title: 'tries', align: 'right', text: (delivery) => String(delivery.attempts) },
            { title: 'created (UTC)', text: (delivery) => time(delivery.created_at) },
            { title: 'last error', text: (delivery) => delivery.last_error ?? '', widthMax: 50 },
          ],
          deliveries,
        ),
      );
    }
    return 0;
  },
};

export const webhooksRedeliver: Command = {
  words: ['webhooks', 'redeliver'],
  summary: 'Send one delivery again, or all of an endpoint that were given up.',
  positionals: ['<delivery-or-endpoint-id>'],
  options: {
    delivered: { type: 'boolean', help: 'Of an endpoint: those that arrived, instead of those given up.' },
    since: { type: 'string', value: '<time>', help: 'Of an endpoint: only events from then on.' },
    ...shared,
  },
  examples: [
    'reelay webhooks redeliver dlv_…',
    'reelay webhooks redeliver whe_… --since 2026-11-20T00:00:00Z',
  ],
  async run(input, context) {
    const { terminal } = context;
    const { api, base, account } = await endpointsOf(input, context);
    const id = idIn(input);
    if (id.startsWith('dlv_')) {
      const path = `/admin/v1/accounts/${encodeURIComponent(account)}/deliveries/${id}/redeliver`;
      const { body } = await api.call<Delivery>(path, { method: 'POST', json: {} });
      if (input.flag('json')) printJson(terminal, body);
      else terminal.out(`${body.id} (${body.event_type}) is on its way again.\n`);
      return 0;
    }
    const since = input.text('since');
    if (since !== undefined && Number.isNaN(Date.parse(since))) {
      throw new UsageError(`--since must be a time like 2026-11-20T00:00:00Z, not ${JSON.stringify(since)}.`);
    }
    const { body } = await api.call<{ count: number }>(`${base}/${id}/redeliver`, {
      method: 'POST',
      json: {
        state: input.flag('delivered') ? 'delivered' : 'dead',
        ...(since !== undefined && { since: new Date(since).toISOString() }),
      },
    });
    if (input.flag('json')) printJson(terminal, body);
    else
      terminal.out(
        `${body.count} ${body.count === 1 ? 'delivery is' : 'deliveries are'} on the way again.\n`,
      );
    return 0;
  },
};

async function endpointsOf(
  input: Input,
  context: Context,
): Promise<{ api: Api; base: string; account: string }> {
  const access = adminAccess(input, context);
  const { id } = await findAccount(access, input.text('account'));
  return {
    api: access.api,
    base: `/admin/v1/accounts/${encodeURIComponent(id)}/webhook-endpoints`,
    account: id,
  };
}

function idIn(input: Input): string {
  return encodeURIComponent(input.positionals[0]!);
}

async function enable(input: Input, context: Context, enabled: boolean): Promise<number> {
  const { api, base } = await endpointsOf(input, context);
  const path = `${base}/${idIn(input)}`;
  const { body } = await api.call<WebhookEndpoint>(path, { method: 'PATCH', json: { enabled } });
  if (body.enabled !== enabled) throw new CliError(`${body.id} is ${stateOf(body)} all the same.`);
  if (input.flag('json')) printJson(context.terminal, body);
  else context.terminal.out(`${body.name} (${body.id}) is ${stateOf(body)}.\n`);
  return 0;
}

function stateOf({
  enabled,
  disabled_reason: reason,
  disabled_at: at,
  failing_since: since,
}: WebhookEndpoint): string {
  if (!enabled) return `${reason ?? 'off'} since ${time(at)}`;
  return since === null ? 'enabled' : `enabled, failing since ${time(since)}`;
}

function printSecret(input: Input, { terminal }: Context, body: WebhookEndpointWithSecret): number {
  if (input.flag('json')) {
    printJson(terminal, body);
    return 0;
  }
  terminal.out(
    facts([
      ['endpoint', `${body.id} (${body.name})`],
      ['url', body.url],
      ['events', body.event_types.join(', ')],
      ['signing secret', body.signing_secret],
      ['old secret', body.old_secret_until && `signs as well until ${time(body.old_secret_until)} UTC`],
    ]),
  );
  terminal.err('Keep the signing secret now: it is not shown again.\n');
  return 0;
}
