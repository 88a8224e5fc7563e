/**
 * Where a waiting task stands, and about how long it will be until it starts. The order is the lane's; it is read off
 * the store, so that it does not matter which process holds the lane, and kept for a moment, so that looking costs
 * next to nothing however many wait. Who comes while it is kept joins the end of it.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock, Provider, QueuePlace, Store, WaitingPlace } from '../core/ports.ts';
import type { Task } from '../core/task.ts';

/** Places read at once; then others have a turn. */
const STEP = 2_000;
/** A snapshot is good for so long, and for so many times as long as it took to read. */
const FRESH_MS = 1_000;
const FRESH_FACTOR = 50;
/** Who goes before more than so many does not join: moving them all would cost more than it says. */
const JOIN_MAX = 1_000;
/** Snapshots are kept of no more lanes than that. */
const SNAPSHOTS_MAX = 200;

export interface QueuePlaces {
  /**
   * Null for a task that does not wait any more. Answered at once as long as what was read is fresh. Rejects when the
   * store cannot be read.
   */
  of(task: Task): QueuePlace | null | Promise<QueuePlace | null>;
}

interface Kept {
  reading: Promise<Snapshot>;
  /** What was read; null while it is. */
  snapshot: Snapshot | null;
}

interface Snapshot {
  /** Tasks accepted before may be in it. */
  readAt: number;
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
  const snapshots = new Map<string, Kept>();

  /** Fresh, or being read. */
  function snapshotOf(channelId: string, pool: string): Snapshot | Promise<Snapshot> {
    const key = `${channelId} ${pool}`;
    const known = snapshots.get(key);
    if (known !== undefined) {
      if (known.snapshot === null) return known.reading;
      if (known.snapshot.freshUntil > clock.now()) return known.snapshot;
    }
    const kept: Kept = { reading: read(channelId, pool), snapshot: null };
    snapshots.delete(key);
    snapshots.set(key, kept);
    kept.reading.then(
      (snapshot) => (kept.snapshot = snapshot),
      () => snapshots.delete(key),
    );
    if (snapshots.size > SNAPSHOTS_MAX) snapshots.delete(snapshots.keys().next().value!);
    return kept.reading;
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
      readAt: startedAt,
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

  function placeIn(snapshot: Snapshot, task: Task): QueuePlace {
    const position = positionOf(task, snapshot);
    if (snapshot.turnMs === null) return { position, estimatedSeconds: null };
    const waitMs = Math.max(0, snapshot.notBefore - clock.now()) + position * snapshot.turnMs;
    return { position, estimatedSeconds: Math.ceil(waitMs / 1000) };
  }

  return {
    of(task) {
      if (task.state !== 'queued' || task.attemptId !== null) return null;
      const snapshot = snapshotOf(task.channelId, task.pool);
      return snapshot instanceof Promise
        ? snapshot.then((read) => placeIn(read, task))
        : placeIn(snapshot, task);
    },
  };
}

/** One for who is next: in every round each account has a turn, so only so many of each come before. */
function positionOf(task: Task, snapshot: Snapshot): number {
  const { accounts, queues } = snapshot;
  const round = roundOf(task, snapshot);
  let before = round;
  let isEarlier = true;
  for (const account of accounts) {
    if (account === task.accountId) {
      isEarlier = false;
      continue;
    }
    before += Math.min(queues.get(account)!.length, isEarlier ? round + 1 : round);
  }
  return before + 1;
}

/**
 * How many tasks of its account come before it. One that was accepted after the reading joins, so that those that come
 * later stand behind it; where it goes before very many, it is counted at the next reading.
 */
function roundOf(task: Task, { readAt, accounts, queues }: Snapshot): number {
  const place: WaitingPlace = { accountId: task.accountId, rank: 0 - task.priority, taskId: task.id };
  const isNew = task.createdAt >= readAt;
  const queue = queues.get(task.accountId);
  if (queue === undefined) {
    if (isNew) {
      queues.set(task.accountId, [place]);
      accounts.push(task.accountId);
    }
    return 0;
  }
  const round = countBefore(queue, place);
  if (isNew && queue[round]?.taskId !== task.id && queue.length - round <= JOIN_MAX) {
    queue.splice(round, 0, place);
  }
  return round;
}

/** How many of an account's tasks come before that one; they lie in their order. */
function countBefore(queue: WaitingPlace[], place: WaitingPlace): number {
  let low = 0;
  let high = queue.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(queue[middle]!, place)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Of two tasks of one account. */
function isBefore(one: WaitingPlace, other: WaitingPlace): boolean {
  return one.rank < other.rank || (one.rank === other.rank && one.taskId < other.taskId);
}
