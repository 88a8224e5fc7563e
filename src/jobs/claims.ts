/**
 * Jobs that this node has claimed from pg-boss, kept its own by heartbeats: one statement for all of them, every few
 * seconds. A claim whose heartbeat was not confirmed in time is given up before another node can take it.
 */
import type { Clock } from '../core/ports.ts';
import { Loop } from '../lib/loop.ts';
import { HEARTBEAT_SECONDS, type Boss } from './boss.ts';

const HEARTBEAT_MS = 3_000;
/** Longer nobody counts on a claim that was not confirmed: a second before the engine gives it to another node. */
const TRUSTED_MS = (HEARTBEAT_SECONDS - 1) * 1_000;

export interface Claim {
  id: string;
  /** Counts from 1. */
  attempts: number;
  data: unknown;
  /** False as soon as another node may have it. */
  isOurs(): boolean;
  /** Aborts when it is lost. */
  lost: AbortSignal;
}

/** Names one claim of a job: a later one of the same job counts higher. */
interface Attempt {
  id: string;
  retryCount: number;
}

interface Held {
  attempt: Attempt;
  confirmedAt: number;
  controller: AbortController;
}

export class Claims {
  readonly #boss: Boss;
  readonly #queue: string;
  readonly #clock: Clock;
  readonly #held = new Map<string, Held>();
  readonly #heartbeat: Loop;

  /** `clock` must not be set back: see {@link steadyClock}. */
  constructor(options: { boss: Boss; queue: string; clock: Clock; onError: (error: unknown) => void }) {
    this.#boss = options.boss;
    this.#queue = options.queue;
    this.#clock = options.clock;
    this.#heartbeat = new Loop({
      clock: options.clock,
      step: () => this.#confirm(),
      onError: options.onError,
      retryMs: 1_000,
    });
  }

  /** Claims up to `limit` jobs that are due. */
  async take(limit: number): Promise<Claim[]> {
    const askedAt = this.#clock.now();
    const jobs = await this.#boss.pgBoss.fetch<object>(this.#queue, { batchSize: limit });
    const claims = jobs.map(({ id, retryCount, data }) => {
      const held: Held = {
        attempt: { id, retryCount },
        confirmedAt: askedAt,
        controller: new AbortController(),
      };
      this.#held.set(id, held);
      return {
        id,
        attempts: retryCount + 1,
        data,
        isOurs: () => this.#isTrusted(held),
        lost: held.controller.signal,
      };
    });
    if (claims.length > 0) this.#heartbeat.wake();
    return claims;
  }

  /** Done. Nothing happens where the claim was lost. */
  complete(claims: Pick<Claim, 'id'>[]): Promise<void> {
    return this.#settle(claims, (attempts) => this.#boss.pgBoss.complete(this.#queue, attempts));
  }

  /** Failed: it comes back later, or is buried when it has failed as often as it may. */
  fail(claim: Pick<Claim, 'id'>, error: object): Promise<void> {
    return this.#settle([claim], (attempts) => this.#boss.pgBoss.fail(this.#queue, attempts, error));
  }

  /** No more heartbeats. */
  async stop(): Promise<void> {
    await this.#heartbeat.stop();
  }

  async #settle(claims: Pick<Claim, 'id'>[], work: (attempts: Attempt[]) => Promise<unknown>): Promise<void> {
    const attempts = claims.flatMap(({ id }) => this.#held.get(id)?.attempt ?? []);
    for (const { id } of claims) this.#held.delete(id);
    if (attempts.length > 0) await work(attempts);
  }

  #isTrusted({ attempt, confirmedAt, controller }: Held): boolean {
    return (
      this.#held.has(attempt.id) && !controller.signal.aborted && this.#clock.now() - confirmedAt < TRUSTED_MS
    );
  }

  /** One heartbeat for all; answers when the next is due. */
  async #confirm(): Promise<number> {
    this.#giveUpDoubtful();
    const dueAt = Math.min(...this.#held.values().map((held) => held.confirmedAt + HEARTBEAT_MS));
    const askedAt = this.#clock.now();
    if (dueAt > askedAt) return dueAt;
    const asked = [...this.#held.values()];
    const confirmed = await this.#touch(asked);
    for (const held of asked) {
      if (confirmed.has(held.attempt.id)) held.confirmedAt = askedAt;
      else this.#lose(held, 'another node has it');
    }
    return askedAt + HEARTBEAT_MS;
  }

  /** Answers the ids that are still ours. Rejects when the database does not answer in time. */
  async #touch(asked: Held[]): Promise<Set<string>> {
    const limit = new AbortController();
    const attempts = asked.map(({ attempt }) => attempt);
    const touched = this.#boss.pgBoss.touch(this.#queue, attempts) as Promise<{ settled?: string[] }>;
    touched.catch(() => {});
    const late = this.#clock.sleep(HEARTBEAT_MS, limit.signal).then(() => {
      throw new Error('a heartbeat was not answered in time');
    });
    late.catch(() => {});
    try {
      return new Set((await Promise.race([touched, late])).settled);
    } finally {
      limit.abort();
    }
  }

  #giveUpDoubtful(): void {
    const now = this.#clock.now();
    for (const held of this.#held.values()) {
      if (now - held.confirmedAt >= TRUSTED_MS) this.#lose(held, 'its heartbeat was not confirmed in time');
    }
  }

  #lose(held: Held, reason: string): void {
    // Settled in the meantime: that was no loss.
    if (this.#held.get(held.attempt.id) !== held) return;
    this.#held.delete(held.attempt.id);
    held.controller.abort(new Error(`the claim to job ${held.attempt.id} is lost: ${reason}`));
  }
}
