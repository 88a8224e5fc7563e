/**
 * Where a waiting task stands, and about how long it will be until it starts. The order is the lane's; it is read off
 * the store, so that it does not matter which process holds the lane, and kept for a moment, so that looking costs
 * next to nothing however many wait.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock, Provider, QueuePlace, Store, WaitingPlace } from '../core/ports.ts';
import type { Task } from '../core/task.ts';

/** Places read at once; then others have a turn. */
const STEP = 2_000;
/** A snapshot is good for so long, and for so many times as long as it took to read. */
const FRESH_MS = 1_000;
const FRESH_FACTOR = 20;
/** Snapshots are kept of no more lanes than that. */
const SNAPSHOTS_MAX = 200;

export interface QueuePlaces {
  /** Null for a task that does not wait any more. Rejects when the store cannot be read. */
  of(task: Task): Promise<QueuePlace | null>;
}

interface Snapshot {
  freshUntil: number;
  /** In the order of their turns. */
  accounts: string[];
  /** By account: its tasks in their order. */
  queues: Map<string, WaitingPlace[]>;
  /** How long a place takes to come free; null: not known yet. */
  turnMs: number | null;
  /** Nothing starts before that time (Unix ms). */
  notBefore: number;
}

export function createQueuePlaces(deps: {
  store: Store;
  clock: Clock;
  providers: ReadonlyMap<string, Provider>;
}): QueuePlaces {
  const { store, clock, providers } = deps;
  const snapshots = new Map<string, Promise<Snapshot>>();

  async function snapshotOf(channelId: string, pool: string): Promise<Snapshot> {
    const key = `${channelId} ${pool}`;
    const known = snapshots.get(key);
    if (known !== undefined && (await known).freshUntil > clock.now()) return known;
    // Whoever came meanwhile has begun already.
    const current = snapshots.get(key);
    if (current !== known && current !== undefined) return current;
    const reading = read(channelId, pool);
    snapshots.delete(key);
    snapshots.set(key, reading);
    reading.catch(() => snapshots.delete(key));
    if (snapshots.size > SNAPSHOTS_MAX) snapshots.delete(snapshots.keys().next().value!);
    return reading;
  }

  async function read(channelId: string, pool: string): Promise<Snapshot> {
    const startedAt = clock.now();
    const accounts = await store.accountsWaiting(channelId, pool);
    const queues = new Map<string, WaitingPlace[]>(accounts.map((id) => [id, []]));
    let after: WaitingPlace | null = null;
    for (;;) {
      const places: WaitingPlace[] = await store.waitingPlaces(channelId, pool, after, STEP);
      for (const place of places) queues.get(place.accountId)?.push(place);
      if (places.length < STEP) break;
      after = places.at(-1)!;
      await turn();
    }
    const pace = await paceOf(channelId, pool);
    const tookMs = clock.now() - startedAt;
    return {
      ...pace,
      freshUntil: clock.now() + Math.max(FRESH_MS, FRESH_FACTOR * tookMs),
      accounts,
      queues,
    };
  }

  async function paceOf(channelId: string, pool: string): Promise<Pick<Snapshot, 'turnMs' | 'notBefore'>> {
    const row = await store.getChannel(channelId);
    const health = (await store.channelHealth()).find((one) => one.channelId === channelId);
    const pace = (await store.lanePaces(channelId)).find((one) => one.pool === pool);
    const cap = row?.concurrency ?? (row && providers.get(row.provider)?.concurrencyDefault);
    // Where nobody says how many may run, as many do as do.
    const atOnce = cap ?? Math.max(1, await store.openAttemptCount(channelId));
    const paced = pace === undefined ? null : pace.taskMs / atOnce;
    const spaced = row?.requestsPerSecond ? 1000 / row.requestsPerSecond : 0;
    return {
      turnMs: paced === null ? null : Math.max(paced, spaced),
      notBefore: health?.retryAt ?? 0,
    };
  }

  return {
    async of(task) {
      if (task.state !== 'queued' || task.attemptId !== null) return null;
      const snapshot = await snapshotOf(task.channelId, task.pool);
      const position = positionOf(task, snapshot);
      if (snapshot.turnMs === null) return { position, estimatedSeconds: null };
      const waitMs = Math.max(0, snapshot.notBefore - clock.now()) + position * snapshot.turnMs;
      return { position, estimatedSeconds: Math.ceil(waitMs / 1000) };
    },
  };
}

/** One for who is next: in every round each account has a turn, so only so many of each come before. */
function positionOf(task: Task, { accounts, queues }: Pick<Snapshot, 'accounts' | 'queues'>): number {
  const rank = 0 - task.priority;
  const round = countBefore(queues.get(task.accountId) ?? [], rank, task.id);
  let before = round;
  let isBefore = true;
  for (const account of accounts) {
    if (account === task.accountId) {
      isBefore = false;
      continue;
    }
    before += Math.min(queues.get(account)!.length, isBefore ? round + 1 : round);
  }
  return before + 1;
}

/** How many of an account's tasks come before that one; they lie in their order. */
function countBefore(queue: WaitingPlace[], rank: number, taskId: string): number {
  let low = 0;
  let high = queue.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const place = queue[middle]!;
    const isBefore = place.rank < rank || (place.rank === rank && place.taskId < taskId);
    if (isBefore) low = middle + 1;
    else high = middle;
  }
  return low;
}
