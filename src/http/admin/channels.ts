import { z } from 'zod';
import { readIntent } from '../../core/intent.ts';
import type { Admin, ChannelInput, ChannelView } from '../../core/ports.ts';
import {
  idParams,
  nameField,
  pageOf,
  renderList,
  renderTime,
  timeField,
  type AdminRoutes,
  markReplayed,
} from './kit.ts';

const fields = {
  name: nameField,
  // Every credential is an object; whether it is the right one is for the provider to say.
  credential: z.looseObject({}).meta({
    description: 'In the shape that the provider asks for. Sealed when it arrives, never shown again.',
  }),
  base_url: z.string().max(2048).nullable().meta({ description: "null: the provider's own." }),
  priority: z.number().int().min(-1000).max(1000).meta({ description: 'Higher is tried first.' }),
  weight: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .meta({ description: 'Share among channels of the same priority.' }),
  concurrency: z.number().int().min(1).max(100_000).nullable().meta({
    description:
      'Most that may run at once, in units of the upstream (a film, each picture) and in each pool it counts apart; null: its default.',
  }),
  requests_per_second: z.number().positive().max(100_000).nullable(),
  enabled: z.boolean(),
  allows_compliance_switches: z.boolean().meta({
    description:
      "Whether callers may switch off the upstream's own checks of content (`input_compliance_check` and the like).",
  }),
};

const newChannel = z
  .strictObject({
    name: fields.name,
    provider: z.string().min(1).max(100),
    credential: fields.credential,
    base_url: fields.base_url.default(null),
    priority: fields.priority.default(0),
    weight: fields.weight.default(1),
    concurrency: fields.concurrency.default(null),
    requests_per_second: fields.requests_per_second.default(null),
    enabled: fields.enabled.default(true),
    allows_compliance_switches: fields.allows_compliance_switches.default(false),
  })
  .meta({ id: 'NewChannel' });

const channelPatch = z
  .strictObject({
    name: fields.name.optional(),
    credential: fields.credential.optional(),
    base_url: fields.base_url.optional(),
    priority: fields.priority.optional(),
    weight: fields.weight.optional(),
    concurrency: fields.concurrency.optional(),
    requests_per_second: fields.requests_per_second.optional(),
    enabled: fields.enabled.optional(),
    allows_compliance_switches: fields.allows_compliance_switches.optional(),
  })
  .meta({ id: 'ChannelPatch' });

const channel = z
  .object({
    id: z.string(),
    name: z.string(),
    provider: z.string(),
    base_url: z.string().nullable(),
    priority: z.number(),
    weight: z.number(),
    concurrency: z.number().nullable(),
    requests_per_second: z.number().nullable(),
    enabled: z.boolean(),
    allows_compliance_switches: z.boolean(),
    sandbox: z.boolean().meta({ description: 'Reaches the built-in simulator, never a real upstream.' }),
    running: z.number().int(),
    waiting: z.number().int(),
    health: z
      .object({
        state: z.enum(['closed', 'open', 'half_open']).meta({
          description:
            'Of its circuit breaker. closed: it works. open: left alone until `retry_at`. half_open: one submit or probe is trying.',
        }),
        since: timeField,
        reason: z.string().nullable().meta({ description: 'What it said last; null while it works.' }),
        retry_at: timeField.nullable(),
      })
      .meta({ description: 'Whether it takes new tasks; what it runs is polled all the same.' }),
    created_at: timeField,
    updated_at: timeField,
  })
  .meta({ id: 'Channel' });

export function addChannelRoutes(routes: AdminRoutes, admin: Admin): void {
  routes.get(
    '/admin/v1/channels',
    { schema: { summary: 'List channels', response: { 200: pageOf(channel) } } },
    async () => renderList(await admin.listChannels(), renderChannel),
  );

  routes.post(
    '/admin/v1/channels',
    { schema: { summary: 'Add an account at an upstream', body: newChannel, response: { 200: channel } } },
    async (request, reply) => {
      const { body } = request;
      const input = {
        name: body.name,
        provider: body.provider,
        credential: body.credential,
        baseUrl: body.base_url,
        priority: body.priority,
        weight: body.weight,
        concurrency: body.concurrency,
        requestsPerSecond: body.requests_per_second,
        enabled: body.enabled,
        allowsComplianceSwitches: body.allows_compliance_switches,
      };
      const made = await admin.createChannel(input, readIntent(request));
      markReplayed(reply, made);
      return renderChannel(made);
    },
  );

  routes.get(
    '/admin/v1/channels/:id',
    { schema: { summary: 'Get a channel', params: idParams, response: { 200: channel } } },
    async (request) => renderChannel(await admin.getChannel(request.params.id)),
  );

  routes.patch(
    '/admin/v1/channels/:id',
    {
      schema: {
        summary: 'Change a channel; what is not named stays',
        params: idParams,
        body: channelPatch,
        response: { 200: channel },
      },
    },
    async (request) => renderChannel(await admin.updateChannel(request.params.id, readPatch(request.body))),
  );

  routes.delete(
    '/admin/v1/channels/:id',
    {
      schema: {
        summary: 'Delete a channel; its running tasks are still seen to their end',
        params: idParams,
        response: { 200: z.object({ id: z.string(), deleted: z.literal(true) }) },
      },
    },
    async (request) => {
      await admin.deleteChannel(request.params.id);
      return { id: request.params.id, deleted: true as const };
    },
  );

  routes.post(
    '/admin/v1/channels/:id/probe',
    {
      schema: {
        summary: 'Try the credential at the upstream, without making anything',
        params: idParams,
        response: { 200: z.object({ ok: z.boolean(), message: z.string() }) },
      },
    },
    async (request) => admin.probeChannel(request.params.id),
  );
}

function readPatch(body: z.infer<typeof channelPatch>): Partial<Omit<ChannelInput, 'provider'>> {
  const patch: Partial<Omit<ChannelInput, 'provider'>> = {};
  if (body.name !== undefined) patch.name = body.name;
  if (body.credential !== undefined) patch.credential = body.credential;
  if (body.base_url !== undefined) patch.baseUrl = body.base_url;
  if (body.priority !== undefined) patch.priority = body.priority;
  if (body.weight !== undefined) patch.weight = body.weight;
  if (body.concurrency !== undefined) patch.concurrency = body.concurrency;
  if (body.requests_per_second !== undefined) patch.requestsPerSecond = body.requests_per_second;
  if (body.enabled !== undefined) patch.enabled = body.enabled;
  if (body.allows_compliance_switches !== undefined) {
    patch.allowsComplianceSwitches = body.allows_compliance_switches;
  }
  return patch;
}

function renderChannel(view: ChannelView): z.infer<typeof channel> {
  return {
    id: view.id,
    name: view.name,
    provider: view.provider,
    base_url: view.baseUrl,
    priority: view.priority,
    weight: view.weight,
    concurrency: view.concurrency,
    requests_per_second: view.requestsPerSecond,
    enabled: view.enabled,
    allows_compliance_switches: view.allowsComplianceSwitches === true,
    sandbox: view.sandbox,
    running: view.running,
    waiting: view.waiting,
    health: {
      state: view.health.state,
      since: renderTime(view.health.since),
      reason: view.health.reason,
      retry_at: renderTime(view.health.retryAt),
    },
    created_at: renderTime(view.createdAt),
    updated_at: renderTime(view.updatedAt),
  };
}
