/**
 * The circuit breaker of a channel, as data: it opens after trouble of the channel's own, lets one try through when its
 * pause is over, and closes when that succeeds. Pure: the lane decides when to ask, the store keeps what was decided.
 */
import type { ChannelHealth } from './ports.ts';

/** Submits or poll rounds in a row that broke off without an answer until the channel counts as out of order. */
export const SILENCES_MAX = 3;
const PAUSE_MIN_MS = 1_000;
const PAUSE_MAX_MS = 60_000;

/** A channel that never had any trouble. */
export function healthyChannel(channelId: string, at: number): ChannelHealth {
  return { channelId, state: 'closed', since: at, reason: null, retryAt: null, trips: 0 };
}

/** How long a channel is left alone that has refused so often before. `jitter` in [0, 1) keeps nodes apart. */
export function pauseMs(refusals: number, jitter: number, speed: number): number {
  const base = Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** Math.min(refusals, 10));
  // Whole, because it is written down.
  return Math.ceil((base * (0.75 + 0.5 * jitter)) / speed);
}

/** It refused for reasons of its own, or a try failed. */
export function opened(
  health: ChannelHealth,
  trouble: { reason: string; retryAt: number; at: number },
): ChannelHealth {
  return {
    channelId: health.channelId,
    state: 'open',
    // Tries that fail do not make it a new trouble.
    since: health.state === 'closed' ? trouble.at : health.since,
    reason: trouble.reason,
    retryAt: trouble.retryAt,
    trips: health.trips + 1,
  };
}

/** Its pause is over: somebody tries. */
export function halfOpened(health: ChannelHealth): ChannelHealth {
  return { ...health, state: 'half_open', retryAt: null };
}

/**
 * A try succeeded. A probe proves that it answers, not that it takes tasks: only an accepted one makes it forget how
 * often it opened, so that a channel which answers and refuses is left alone ever longer.
 */
export function closed(health: ChannelHealth, by: 'submit' | 'probe', at: number): ChannelHealth {
  const trips = by === 'submit' ? 0 : health.trips;
  if (health.state === 'closed') return { ...health, trips };
  return { channelId: health.channelId, state: 'closed', since: at, reason: null, retryAt: null, trips };
}

/** Whether routing trusts it with new tasks. */
export function isTrusted(health: ChannelHealth | null): boolean {
  return health === null || health.state === 'closed';
}
