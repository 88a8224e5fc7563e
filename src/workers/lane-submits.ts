/**
 * Submits of one channel, and doubts of how they ended: each outcome is put where it belongs (watched, in doubt, over),
 * and what it says of the channel is heeded.
 */
import { UpstreamError } from '../core/errors.ts';
import type { ChannelRow, Exchange } from '../core/ports.ts';
import type { FlowContext } from '../flows/context.ts';
import { settleDoubt } from '../flows/settle-doubt.ts';
import { submitAttempt, type OnRefused, type SubmitOutcome } from '../flows/submit-attempt.ts';
import { acceptedOf, type Accepted } from './accepted.ts';
import { DOUBT_GRACE_MS, type Doubts } from './doubts.ts';
import type { LaneHealth } from './lane-health.ts';
import type { LanePool } from './lane-pool.ts';
import type { LaneRoom, Place, Placed } from './lane-room.ts';

export interface LaneSubmitsOptions {
  ctx: FlowContext;
  /** The channel as it is configured now. */
  row(): ChannelRow;
  room: LaneRoom;
  doubts: Doubts;
  health: LaneHealth;
  /** The upstream has it: it is to be watched. */
  onAccepted(accepted: Accepted, place: Place): void;
  /** An outcome is recorded, or in doubt. */
  onSettled(): void;
  onError(error: unknown, where: string): void;
}

export class LaneSubmits {
  readonly #options: LaneSubmitsOptions;
  /** Attempts whose outcome is being found out. */
  readonly #settling = new Set<string>();

  constructor(options: LaneSubmitsOptions) {
    this.#options = options;
  }

  /** Whether the outcome of this attempt is being found out. */
  has(attemptId: string): boolean {
    return this.#settling.has(attemptId);
  }

  /** Submits with a place already taken; never rejects. */
  submit(attempt: Placed): Promise<void> {
    const { ctx, row } = this.#options;
    const { task, attemptId, place } = attempt;
    return this.#settleOutcome(attempt, () =>
      submitAttempt(ctx, row(), task, attemptId, this.#onRefused(place)),
    );
  }

  /** Finds out how a submit has ended, which counts as one under way meanwhile; never rejects. */
  settle({ exchanges, ...attempt }: Placed & { exchanges: Exchange[] }): Promise<void> {
    const { ctx, row, room } = this.#options;
    const { task, attemptId, place } = attempt;
    room.beginSubmit(place.pool);
    return this.#settleOutcome(attempt, () =>
      settleDoubt(ctx, row(), task, attemptId, exchanges, this.#onRefused(place)),
    );
  }

  /** "Not now": wait as told, else ever longer; after that, one submit tries the water. */
  heed(refusal: UpstreamError, pool: LanePool | null = null): void {
    const { room, health } = this.#options;
    if (refusal.kind === 'busy') {
      if (pool !== null) room.pause(pool, refusal.retryAfterMs);
      health.answered('submit');
    } else if (refusal.kind === 'channel' || refusal.kind === 'unavailable') {
      room.beCareful();
      health.trouble(reasonOf(refusal), refusal.retryAfterMs);
    }
  }

  async #settleOutcome(attempt: Placed, work: () => Promise<SubmitOutcome>): Promise<void> {
    const { ctx, room, doubts, health, onAccepted, onSettled, onError } = this.#options;
    const { attemptId, place } = attempt;
    const dueAt = ctx.clock.now() + ctx.settings.submitTimeoutMs + DOUBT_GRACE_MS;
    this.#settling.add(attemptId);
    try {
      const outcome = await work();
      if (outcome.kind === 'doubt') {
        doubts.add({ ...attempt, dueAt, exchanges: outcome.exchanges });
        health.silence('submit', 'The upstream broke off without an answer.');
      } else if (outcome.kind === 'accepted') {
        place.pool.speedUp();
        health.accepted();
        onAccepted(acceptedOf(attempt.task, { attemptId, ...outcome }), place);
      } else {
        if (outcome.kind === 'ended') health.answered('submit');
        room.leave(place);
      }
    } catch (error) {
      // Not recorded: neither accepted nor refused as far as the store knows, so it is in doubt.
      if (!(error instanceof UpstreamError)) onError(error, 'submit');
      doubts.add({ ...attempt, dueAt, exchanges: [] });
      health.silence('submit', reasonOf(error));
    } finally {
      this.#settling.delete(attemptId);
      room.endSubmit(place.pool);
      onSettled();
    }
  }

  #onRefused({ pool }: Place): OnRefused {
    return (refusal) => this.heed(refusal, pool);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof UpstreamError)) return 'What the upstream answered could not be kept.';
  const { publicMessage, upstreamCode } = error;
  return upstreamCode === null ? publicMessage : `${publicMessage} (${upstreamCode})`;
}
