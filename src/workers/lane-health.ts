/** The circuit breaker of one lane: what is heard of the upstream goes in, whether it may be asked comes out. */
import {
  closed,
  halfOpened,
  healthyChannel,
  isTrusted,
  opened,
  pauseMs,
  SILENCES_MAX,
} from '../core/breaker.ts';
import type { ChannelHealth, Clock } from '../core/ports.ts';
import type { HealthBook } from './health-book.ts';

export interface LaneHealthOptions {
  channelId: string;
  clock: Clock;
  book: HealthBook;
  /** In [0, 1). */
  random(): number;
  /** How many times faster than real time the upstream works. */
  speed: number;
  onOpened(): void;
  onClosed(): void;
}

export class LaneHealth {
  readonly #options: LaneHealthOptions;
  /** In a row, of submits and of polls: each may work while the other does not. */
  readonly #silences = { submit: 0, poll: 0 };
  #health: ChannelHealth;

  constructor(options: LaneHealthOptions) {
    this.#options = options;
    const { book, channelId, clock } = options;
    const known = book.get(channelId);
    // Whoever tried when the process ended is gone.
    this.#health =
      known?.state === 'half_open'
        ? { ...known, state: 'open', retryAt: clock.now() }
        : (known ?? healthyChannel(channelId, clock.now()));
  }

  /** Whether tasks may be submitted as they come. */
  get isTrusted(): boolean {
    return isTrusted(this.#health);
  }

  /** When somebody is to try whether it works again; Infinity while nobody has to. */
  get retryAt(): number {
    return this.#health.state === 'open' ? (this.#health.retryAt ?? 0) : Infinity;
  }

  /** The pause is over, a submit or a probe is on its way. */
  halfOpen(): void {
    this.#note(halfOpened(this.#health));
  }

  /** A submit was accepted. */
  accepted(): void {
    this.#silences.submit = 0;
    if (this.#health.state === 'closed' && this.#health.trips === 0) return;
    this.#close('submit');
  }

  /** It answered, if only that it is busy or does not want this. */
  answered(by: 'submit' | 'poll' | 'probe'): void {
    if (by !== 'probe') this.#silences[by] = 0;
    // While it is left alone, what was asked before does not tell how it is now.
    if (by !== 'poll' && this.#health.state === 'half_open') this.#close('probe');
  }

  /** It refused for reasons of its own: credential, balance, maintenance. */
  trouble(reason: string, retryAfterMs: number | null = null): void {
    const { clock, random, speed } = this.#options;
    const now = clock.now();
    const isNews = this.#health.state !== 'open' || now >= this.retryAt;
    // Refusals of submits that were under way together are one piece of news, unless one says for how long.
    if (!isNews && (retryAfterMs === null || now + retryAfterMs <= this.retryAt)) return;
    const before = isNews ? this.#health : { ...this.#health, trips: this.#health.trips - 1 };
    const retryAt = Math.ceil(now + (retryAfterMs ?? pauseMs(before.trips, random(), speed)));
    const wasTrusted = this.isTrusted;
    this.#note(opened(before, { reason, retryAt, at: now }));
    if (wasTrusted) this.#options.onOpened();
  }

  /** It broke off without an answer: once may be chance. */
  silence(of: 'submit' | 'poll', reason: string): void {
    this.#silences[of]++;
    if (this.#health.state === 'half_open' || this.#silences[of] >= SILENCES_MAX) this.trouble(reason);
  }

  /** The operator has changed the channel: it is tried at once. */
  tryNow(): void {
    if (this.#health.state === 'open') this.#note({ ...this.#health, retryAt: this.#options.clock.now() });
  }

  /** The clock was put back. */
  shiftBack(byMs: number): void {
    const { retryAt } = this.#health;
    if (retryAt !== null) this.#health = { ...this.#health, retryAt: retryAt - byMs };
  }

  #close(by: 'submit' | 'probe'): void {
    const wasTrusted = this.isTrusted;
    this.#note(closed(this.#health, by, this.#options.clock.now()));
    if (!wasTrusted) this.#options.onClosed();
  }

  #note(health: ChannelHealth): void {
    this.#health = health;
    this.#options.book.note(health);
  }
}
