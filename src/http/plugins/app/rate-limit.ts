import type { FastifyReply } from 'fastify';
import { GatewayError } from '../../../core/errors.ts';
import type { Counters, OwnedLimits, Principal } from '../../../core/ports.ts';

/** The narrowest of the limits that hold for a request. */
interface Standing {
  limit: number;
  remaining: number;
  resetMs: number;
}

/** Whether anything limits how often this caller may ask; almost nobody's requests pass further than here. */
export function isRateLimited({ limits }: Principal): boolean {
  return limits !== undefined && limits.some(({ requestsPerMinute }) => requestsPerMinute !== undefined);
}

/**
 * Counts a request against its key and its account and says in OpenAI's headers how that stands. Throws
 * `rate_limit_exceeded` with the time to wait.
 */
export async function countRequest(
  counters: Counters,
  principal: Principal,
  reply: FastifyReply,
): Promise<void> {
  let narrowest: Standing | null = null;
  let passed: { standing: Standing; owner: OwnedLimits['owner'] } | null = null;
  for (const { owner, ownerId, requestsPerMinute: limit } of principal.limits ?? []) {
    if (limit === undefined) continue;
    const { count, resetMs } = await counters.count(ownerId);
    const standing = { limit, remaining: Math.max(0, limit - count), resetMs };
    if (narrowest === null || standing.remaining < narrowest.remaining) narrowest = standing;
    if (count > limit) passed ??= { standing, owner };
  }
  const shown = passed?.standing ?? narrowest;
  if (shown !== null) reply.headers(headersOf(shown));
  if (passed === null) return;
  const { limit, resetMs } = passed.standing;
  throw new GatewayError(
    'rate_limit_exceeded',
    `This ${passed.owner} may send ${limit} requests per minute: wait ${Math.ceil(resetMs / 1000)} s.`,
    { retryAfterMs: resetMs },
  );
}

/** Names and forms of OpenAI's API (specs/openai-video.md §4): the reset is a duration such as `12ms` or `1s`. */
function headersOf({ limit, remaining, resetMs }: Standing): Record<string, string> {
  return {
    'x-ratelimit-limit-requests': String(limit),
    'x-ratelimit-remaining-requests': String(remaining),
    'x-ratelimit-reset-requests':
      resetMs < 1000 ? `${Math.ceil(resetMs)}ms` : `${Math.ceil(resetMs / 1000)}s`,
  };
}
