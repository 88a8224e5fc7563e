/**
 * What operators see at `/metrics` besides requests and the process itself. Counts of this node's own doings cost an
 * addition where they happen; what all nodes share is read from the store when somebody looks.
 */
import type { Measure, Reading, Store, StoreWatch } from './core/ports.ts';
import { Histogram } from './lib/histogram.ts';
import type { LaneSet } from './workers/lanes.ts';

/** Seconds: a commit on a fast disk, a slow one, a server far away, trouble. */
const CHANGE_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5];
const COMMIT_BOUNDS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
/** Seconds: upstreams answer in tenths, and are given up after 30. */
const UPSTREAM_BOUNDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Counting costs a millisecond or two up to here. */
const DELIVERIES_MAX = 10_000;

/** Counts what this node does; `parts` are what it is made of, once they exist. */
export class Measures implements StoreWatch {
  readonly #changes = new Map<string, { labels: Record<string, string>; count: number }>();
  readonly #changeSeconds = new Histogram(CHANGE_BOUNDS);
  readonly #commits = new Histogram(COMMIT_BOUNDS);
  readonly #upstreamSeconds = new Histogram(UPSTREAM_BOUNDS);

  changed(change: string, outcome: string, seconds: number): void {
    const key = `${change} ${outcome}`;
    const known = this.#changes.get(key);
    if (known === undefined) this.#changes.set(key, { labels: { change, outcome }, count: 1 });
    else known.count++;
    this.#changeSeconds.observe(seconds, '', () => ({}));
  }

  committed(changes: number): void {
    this.#commits.observe(changes, '', () => ({}));
  }

  /** An exchange with an upstream: `status` is its answer's, or why there was none. */
  asked(provider: string, method: string, status: string, seconds: number): void {
    this.#upstreamSeconds.observe(seconds, `${provider} ${method} ${status}`, () => ({
      provider,
      method,
      status,
    }));
  }

  list(parts: {
    store: Store;
    lanes: LaneSet;
    jobCounts: () => Promise<{ queue: string; state: string; count: number }[]>;
    countedAlone: () => number;
    info: { version: string; role: string; engine: string };
  }): Measure[] {
    const { store, lanes, jobCounts, countedAlone, info } = parts;
    return [
      {
        name: 'reelay_info',
        help: 'Always 1: what this node is.',
        type: 'gauge',
        read: () => [{ labels: info, value: 1 }],
      },
      {
        name: 'reelay_store_changes_total',
        help: 'Changes by name and outcome: ok, the end it came to, nothing_changed, or the code of the refusal.',
        type: 'counter',
        read: () => [...this.#changes.values()].map(({ labels, count }) => ({ labels, value: count })),
      },
      {
        name: 'reelay_store_change_duration_seconds',
        help: 'Time from asking for a change to its answer, its commit included.',
        type: 'histogram',
        read: () => this.#changeSeconds.read(),
      },
      {
        name: 'reelay_store_commit_changes',
        help: 'Changes that shared one commit.',
        type: 'histogram',
        read: () => this.#commits.read(),
      },
      {
        name: 'reelay_upstream_request_duration_seconds',
        help: 'Exchanges with upstreams by provider, method (POST submits, GET polls) and status, or why there was none.',
        type: 'histogram',
        read: () => this.#upstreamSeconds.read(),
      },
      {
        name: 'reelay_lane_running',
        help: 'Attempts under way, by channel, of the lanes that this node holds.',
        type: 'gauge',
        read: () => lanes.held().map(({ channel, running }) => ({ labels: { channel }, value: running })),
      },
      {
        name: 'reelay_lane_waiting',
        help: 'Tasks that wait for a slot, by channel, of the lanes that this node holds.',
        type: 'gauge',
        read: () =>
          Promise.all(
            lanes.held().map(async ({ channel }): Promise<Reading> => {
              return { labels: { channel }, value: await store.waitingCount(channel) };
            }),
          ),
      },
      {
        name: 'reelay_channel_open',
        help: 'By channel: 1 while its circuit breaker keeps new tasks away, 0.5 while one is let through, else 0.',
        type: 'gauge',
        read: () => lanes.states().map(({ channel, openness }) => ({ labels: { channel }, value: openness })),
      },
      {
        name: 'reelay_jobs',
        help: 'Background jobs by queue and state.',
        type: 'gauge',
        read: async () =>
          (await jobCounts()).map(({ queue, state, count }) => ({ labels: { queue, state }, value: count })),
      },
      {
        name: 'reelay_webhook_deliveries_open',
        help: `Webhook deliveries that wait or are under way; ${DELIVERIES_MAX} stands for that many or more.`,
        type: 'gauge',
        read: async () => [{ labels: {}, value: await store.webhooks.openCount(DELIVERIES_MAX) }],
      },
      {
        name: 'reelay_rate_limits_counted_alone_total',
        help: 'Requests counted by this node alone, because the shared counters could not be reached.',
        type: 'counter',
        read: () => [{ labels: {}, value: countedAlone() }],
      },
    ];
  }
}
