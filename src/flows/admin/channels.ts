import { healthyChannel } from '../../core/breaker.ts';
import { GatewayError } from '../../core/errors.ts';
import type {
  Admin,
  ChannelInput,
  ChannelRow,
  ChannelView,
  Provider,
  RememberKey,
} from '../../core/ports.ts';
import { writeJson } from '../../lib/json.ts';
import { seal } from '../../lib/seal.ts';
import { hasKey, OPERATORS, type Once } from '../once.ts';
import { credentialContext } from '../open-channel.ts';
import { probeChannel } from '../probe-channel.ts';
import { readBaseUrl } from './base-url.ts';
import { sealingKey, type AdminContext } from './context.ts';

type ChannelVerbs = Pick<
  Admin,
  'listChannels' | 'createChannel' | 'getChannel' | 'updateChannel' | 'deleteChannel' | 'probeChannel'
>;

/** The operator's accounts at upstreams. Credentials are sealed when they arrive and are never shown again. */
export function channelVerbs(context: AdminContext, once: Once): ChannelVerbs {
  const { store, clock, newId } = context;

  async function requireRow(id: string): Promise<ChannelRow> {
    return (await store.getChannel(id)) ?? unknownChannel(id);
  }

  async function viewOf(row: ChannelRow): Promise<ChannelView> {
    const { credentialSealed: _hidden, ...shown } = context.channels.asItCounts(row);
    return {
      ...shown,
      running: await context.lanes.running(row.id),
      waiting: await store.waitingCount(row.id),
      health:
        (await store.channelHealth()).find(({ channelId }) => channelId === row.id) ??
        healthyChannel(row.id, row.createdAt),
    };
  }

  async function create(input: ChannelInput, remember: RememberKey | null): Promise<ChannelView> {
    const now = clock.now();
    const id = newId('chan_');
    const provider = requireProvider(context.providers, input.provider);
    const row: ChannelRow = {
      id,
      name: input.name,
      provider: provider.id,
      credentialSealed: sealCredential(context, provider, id, input.credential),
      baseUrl: baseUrlOf(provider, input.baseUrl),
      priority: input.priority,
      weight: input.weight,
      concurrency: input.concurrency,
      requestsPerSecond: input.requestsPerSecond,
      enabled: input.enabled,
      sandbox: false,
      ...(input.allowsComplianceSwitches && { allowsComplianceSwitches: true }),
      createdAt: now,
      updatedAt: now,
    };
    await store.createChannel(row, remember);
    return viewOf(row);
  }

  return {
    listChannels: async () => Promise.all((await store.listChannels()).map(viewOf)),

    async createChannel(input, intent) {
      if (!hasKey(intent)) return create(input, null);
      return once<ChannelView & { replayed?: true }>(OPERATORS, intent, {
        create: ({ remember }) => create(input, remember),
        replay: async ({ subjectId }) => ({ ...(await viewOf(await requireRow(subjectId))), replayed: true }),
      });
    },

    getChannel: async (id) => viewOf(await requireRow(id)),

    async updateChannel(id, patch) {
      const row = await requireRow(id);
      const { credential, baseUrl, ...plain } = patch;
      if (row.sandbox && (credential !== undefined || baseUrl !== undefined)) {
        throw new GatewayError(
          'conflict',
          "This channel belongs to the sandbox: its credential and base_url are not the operator's. Add a channel instead.",
          { param: credential === undefined ? 'base_url' : 'credential' },
        );
      }
      const changes: Parameters<typeof store.updateChannel>[1] = { ...plain, updatedAt: clock.now() };
      if (baseUrl !== undefined) {
        changes.baseUrl = baseUrlOf(requireProvider(context.providers, row.provider), baseUrl);
      }
      if (credential !== undefined) {
        const provider = requireProvider(context.providers, row.provider);
        changes.credentialSealed = sealCredential(context, provider, id, credential);
      }
      return viewOf((await store.updateChannel(id, changes)) ?? unknownChannel(id));
    },

    async deleteChannel(id) {
      if (!(await store.deleteChannel(id, clock.now()))) unknownChannel(id);
    },

    async probeChannel(id) {
      const row = await requireRow(id);
      requireProvider(context.providers, row.provider);
      return probeChannel(context, row);
    },
  };
}

function sealCredential(
  context: AdminContext,
  provider: Provider,
  channelId: string,
  credential: unknown,
): string {
  return seal(
    sealingKey(context),
    writeJson(provider.parseCredential(credential)),
    credentialContext(channelId),
  );
}

/** Null: the provider's own. Throws `missing_required_parameter` where it has none. */
function baseUrlOf(provider: Provider, text: string | null): string | null {
  if (text !== null || provider.baseUrlDefault !== '') return readBaseUrl(text);
  throw new GatewayError(
    'missing_required_parameter',
    `'base_url' is required for provider ${provider.id}: the address of the gateway, like 'https://gateway.example.com'.`,
    { param: 'base_url' },
  );
}

function requireProvider(providers: ReadonlyMap<string, Provider>, id: string): Provider {
  const provider = providers.get(id);
  if (provider !== undefined) return provider;
  const known = [...providers.keys()].join(', ');
  throw new GatewayError('invalid_value', `'provider' must be one of: ${known}.`, { param: 'provider' });
}

function unknownChannel(id: string): never {
  throw new GatewayError('not_found', `There is no channel '${id}'.`);
}
