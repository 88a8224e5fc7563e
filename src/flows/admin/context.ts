import type { PriceBook } from '../../core/pricing.ts';
import type { Clock, Provider, Store } from '../../core/ports.ts';
import type { GuardedHttp } from '../../lib/guarded-http.ts';
import type { SealKey } from '../../lib/seal.ts';
import type { TaskRequest } from '../../core/request/feature.ts';
import type { Channels, FlowSettings, Lanes } from '../context.ts';

/** What the admin verbs work with. */
export interface AdminContext {
  store: Store;
  /** By id. */
  providers: ReadonlyMap<string, Provider>;
  /** Seals what operators entrust to us; the first key seals, all of them open. */
  keyring: readonly SealKey[];
  clock: Clock;
  newId(prefix: `${string}_`): string;
  priceBook: PriceBook;
  channels: Pick<Channels, 'open' | 'asItCounts'>;
  lanes: Pick<Lanes, 'running' | 'lookAfter'>;
  /** Id of the channel that will make the request, the pinned one where that is given; refuses with `no_channel`. */
  route(request: TaskRequest, pinned: string | null): Promise<string>;
  /** Names this process among those that share a store. */
  owner: string;
  settings: Pick<FlowSettings, 'taskDeadlineMs' | 'retentionMs'>;
  guarded: GuardedHttp;
}

/** The key that seals; throws when the ring is empty, which no start allows. */
export function sealingKey({ keyring }: Pick<AdminContext, 'keyring'>): SealKey {
  const [key] = keyring;
  if (key === undefined) throw new Error('the keyring is empty');
  return key;
}
