/**
 * The configured channels, kept in memory and opened for provider code with their credentials decrypted.
 */
import { UpstreamError } from '../core/errors.ts';
import type {
  Channel,
  ChannelRow,
  Clock,
  Exchange,
  Json,
  MediaStore,
  Provider,
  Store,
  UpstreamHttp,
} from '../core/ports.ts';
import type { Media } from '../core/request/types.ts';
import { taskIdOf } from '../core/task.ts';
import { type SealKey, unseal } from '../lib/seal.ts';
import type { Channels } from './context.ts';

export interface ChannelDirectoryOptions {
  store: Store;
  providers: ReadonlyMap<string, Provider>;
  keyring: readonly SealKey[];
  media: MediaStore;
  clock: Clock;
  /** Base URL of the sandbox for this provider; null while there is none. */
  sandboxUrl(providerId: string): string | null;
  createHttp(onExchange: ((exchange: Exchange) => void) | null, row: ChannelRow): UpstreamHttp;
  /** Where an upstream may push to; null when it cannot reach us. */
  callbackUrl(row: ChannelRow, taskId: string): string | null;
  /** Where an upstream may fetch a stored input; null when it cannot reach us. */
  mediaUrl(row: ChannelRow, key: string): string | null;
}

/** Seals and opens a credential with the channel's id as its context, so that a row cannot be moved to another. */
export function credentialContext(channelId: string): string {
  return `channel:${channelId}`;
}

export async function createChannelDirectory(options: ChannelDirectoryOptions): Promise<Channels> {
  const opened = new Map<string, { row: ChannelRow; credential: Json }>();
  // A promise, so that whoever asks while they are read gets the new ones too.
  let rows: Promise<ChannelRow[]> | null = null;
  const forget = (): void => {
    rows = null;
    opened.clear();
  };
  options.store.onCommit('channels', forget);

  function asItCounts(row: ChannelRow): ChannelRow {
    const isOff = row.sandbox && row.enabled && options.sandboxUrl(row.provider) === null;
    return isOff ? { ...row, enabled: false } : row;
  }

  async function all(): Promise<ChannelRow[]> {
    rows ??= options.store.listChannels().then((found) => found.map(asItCounts));
    try {
      return await rows;
    } catch (error) {
      forget();
      throw error;
    }
  }
  await all();

  function credentialOf(row: ChannelRow): Json {
    const known = opened.get(row.id);
    if (known?.row.credentialSealed === row.credentialSealed) return known.credential;
    // Sandbox channels hold no secret: what the simulator accepts is public knowledge.
    const credential = row.sandbox
      ? options.providers.get(row.provider)!.sandboxCredential
      : (JSON.parse(unseal(options.keyring, row.credentialSealed, credentialContext(row.id))) as Json);
    opened.set(row.id, { row, credential });
    return credential;
  }

  function baseUrlOf(row: ChannelRow): string {
    if (row.sandbox) return options.sandboxUrl(row.provider) ?? 'http://sandbox.invalid';
    return row.baseUrl ?? options.providers.get(row.provider)!.baseUrlDefault;
  }

  async function readMedia(media: Media): Promise<{ bytes: Buffer; contentType: string }> {
    if (media.kind !== 'stored') throw new Error(`media of kind ${media.kind} has no stored bytes`);
    const found = await options.media.open(media.key);
    // Nothing was sent yet, and it will not come back: the task ends, with the reason.
    if (found === null) {
      throw new UpstreamError(
        'rejected',
        `${media.source}: its file is no longer kept: it was deleted, or its time was over, before the task was submitted.`,
      );
    }
    const chunks: Buffer[] = [];
    for await (const chunk of found.stream) chunks.push(chunk as Buffer);
    return { bytes: Buffer.concat(chunks), contentType: media.contentType };
  }

  return {
    all,
    async get(id) {
      return (await all()).find((row) => row.id === id) ?? options.store.getChannel(id);
    },
    asItCounts,
    mediaUrl: (row, key) => options.mediaUrl(row, key),
    open(row, onExchange): Channel {
      return {
        id: row.id,
        provider: row.provider,
        baseUrl: baseUrlOf(row),
        credential: credentialOf(row),
        allowsComplianceSwitches: row.allowsComplianceSwitches === true,
        http: options.createHttp(onExchange, row),
        clock: options.clock,
        readMedia,
        callbackUrl: (handle) => options.callbackUrl(row, taskIdOf(handle)),
      };
    },
  };
}
