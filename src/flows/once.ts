/**
 * One effect per `Idempotency-Key`. A repeat is recognised by what was committed together with the effect, so that a
 * crash in between changes nothing; what is under way in this process is kept in memory.
 */
import { GatewayError } from '../core/errors.ts';
import type { Intent } from '../core/intent.ts';
import type { Clock, NewTask, RememberKey, Store, UsedKey } from '../core/ports.ts';

const KEY_LIFETIME_MS = 24 * 3_600_000;
const REPEAT_SOON_MS = 1_000;

/** The scope of operators' keys, told apart from callers' by it. */
export const OPERATORS = 'admin';

/** What a create commits with its effect, and to be told when it has. */
export interface Pending<Remember = NonNullable<NewTask['remember']>> {
  remember: Remember;
  /** From now on a repeat finds what was committed. */
  accepted(): void;
}

/** What is done once. */
export interface Work<Answer> {
  create(pending: Pending<RememberKey>): Promise<Answer>;
  /** The first answer once more; null when nothing came of it and it may be tried again. */
  replay(used: UsedKey): Promise<Answer | null>;
}

/**
 * Creates, or replays what the same key created. Refuses with `idempotency_conflict` where the key stands for another
 * request, with `request_in_progress` where the first one is not answered yet.
 */
export type Once = <Answer>(scope: string, intent: KeyedIntent, work: Work<Answer>) => Promise<Answer>;

export type KeyedIntent = Intent & { key: string };

/** Whether an intent carries a key of the caller's. */
export function hasKey(intent: Intent | null | undefined): intent is KeyedIntent {
  return typeof intent?.key === 'string';
}

export function createOnce({ store, clock }: { store: Pick<Store, 'findUsedKey'>; clock: Clock }): Once {
  /** Keys whose first request is not committed: what they stand for. */
  const underWay = new Map<string, { requestHash: string }>();

  return async <Answer>(scope: string, intent: KeyedIntent, work: Work<Answer>): Promise<Answer> => {
    const { key, requestHash } = intent;
    const name = `${scope} ${key}`;
    const other = underWay.get(name);
    if (other !== undefined) throw other.requestHash === requestHash ? inProgress() : conflict();
    const mine = { requestHash };
    underWay.set(name, mine);
    const accepted = (): void => {
      if (underWay.get(name) === mine) underWay.delete(name);
    };

    /** The first answer, or what the key named before where nothing came of that. */
    async function replay(): Promise<{ answer: Answer } | { replaces: string | null }> {
      const used = await store.findUsedKey(scope, key, clock.now());
      if (used === null) return { replaces: null };
      if (used.requestHash !== requestHash) throw conflict();
      const answer = await work.replay(used);
      return answer === null ? { replaces: used.subjectId } : { answer };
    }

    try {
      const before = await replay();
      if ('answer' in before) return before.answer;
      const expiresAt = clock.now() + KEY_LIFETIME_MS;
      const remember: RememberKey = { kind: 'key', scope, key, requestHash, expiresAt, ...before };
      try {
        return await work.create({ remember, accepted });
      } catch (error) {
        if (!(error instanceof GatewayError) || error.code !== 'request_in_progress') throw error;
        // Another node was faster.
        const first = await replay();
        if ('answer' in first) return first.answer;
        throw error;
      }
    } finally {
      accepted();
    }
  };
}

export function inProgress(): GatewayError {
  return new GatewayError(
    'request_in_progress',
    'The same request is being worked on: send it again in a moment to be given its answer.',
    { retryAfterMs: REPEAT_SOON_MS },
  );
}

function conflict(): GatewayError {
  return new GatewayError(
    'idempotency_conflict',
    'This Idempotency-Key was used for another request: send that one unchanged, or this one with a new key.',
    { param: 'Idempotency-Key' },
  );
}
