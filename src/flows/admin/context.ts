import type { Channel, ChannelRow, Clock, PriceView, Provider, Store } from '../../core/ports.ts';
import type { Ids } from '../../lib/ids.ts';
import type { SealKey } from '../../lib/seal.ts';

/** What the admin verbs work with. */
export interface AdminContext {
  store: Store;
  /** By id. */
  providers: ReadonlyMap<string, Provider>;
  /** Seals what operators entrust to us; the first key seals, all of them open. */
  keyring: readonly [SealKey, ...SealKey[]];
  clock: Clock;
  ids: Ids;
  /** Prices as they stand, the operator's overrides included. */
  priceViews(): PriceView[];
  /** A channel ready for provider code; throws SealError when its credential cannot be opened. */
  openChannel(row: ChannelRow): Channel;
  /** Tasks of a channel now. */
  laneCounts(channelId: string): LaneCounts | Promise<LaneCounts>;
}

export interface LaneCounts {
  running: number;
  waiting: number;
}
