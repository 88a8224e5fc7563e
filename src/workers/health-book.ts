/**
 * The health of all channels as routing asks for it: from memory, whoever holds their lanes. What a lane here decides
 * counts at once and is written down; what lanes elsewhere decide arrives with the store's notices.
 */
import type { ChannelHealth, Store } from '../core/ports.ts';

export class HealthBook {
  readonly #store: Store;
  readonly #onError: (error: unknown, where: string) => void;
  readonly #known = new Map<string, ChannelHealth>();
  /** Channels whose newest state is on its way to the store: what the store says of them is older. */
  readonly #writing = new Map<string, number>();
  readonly #inHand = new Set<Promise<void>>();
  #unsubscribe = (): void => {};

  constructor(store: Store, onError: (error: unknown, where: string) => void) {
    this.#store = store;
    this.#onError = onError;
  }

  /** Reads what is known and follows it from then on. Rejects when the store cannot be read. */
  async start(): Promise<void> {
    this.#unsubscribe = this.#store.onCommit('health', () => this.#hold(this.#read()));
    await this.#read();
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    await Promise.all(this.#inHand);
  }

  /** Null: it never had any trouble. */
  get(channelId: string): ChannelHealth | null {
    return this.#known.get(channelId) ?? null;
  }

  /** Counts at once, and is written down. Only the lane of a channel may say how it is. */
  note(health: ChannelHealth): void {
    this.#known.set(health.channelId, health);
    this.#hold(this.#write(health));
  }

  async #write(health: ChannelHealth): Promise<void> {
    const { channelId } = health;
    this.#writing.set(channelId, (this.#writing.get(channelId) ?? 0) + 1);
    try {
      await this.#store.noteHealth(health);
    } finally {
      const left = this.#writing.get(channelId)! - 1;
      if (left === 0) this.#writing.delete(channelId);
      else this.#writing.set(channelId, left);
    }
  }

  async #read(): Promise<void> {
    for (const health of await this.#store.channelHealth()) {
      if (!this.#writing.has(health.channelId)) this.#known.set(health.channelId, health);
    }
  }

  #hold(work: Promise<void>): void {
    const held = work
      .catch((error: unknown) => this.#onError(error, 'health'))
      .finally(() => this.#inHand.delete(held));
    this.#inHand.add(held);
  }
}
