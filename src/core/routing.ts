/**
 * Which channel makes a request: capability first, then priority, then weight. Pure.
 */
import type { TaskRequest } from './request/feature.ts';

/** A channel as routing sees it. */
export interface Candidate {
  id: string;
  enabled: boolean;
  sandbox: boolean;
  /** Higher is preferred. */
  priority: number;
  /** Its circuit breaker is closed: no trouble of its own (credential, balance, outage) is known. */
  isHealthy: boolean;
  /** Share among channels of the same priority; 0 only when nothing else is left. */
  weight: number;
  /** Why this channel cannot make the request; null when it can. */
  missing(request: TaskRequest): string | null;
}

export type Route = { channelId: string } | { channelId: null; missing: string[] };

export interface RouteOptions {
  /** Sandbox channels count although a real channel is enabled (the operator set REELAY_SANDBOX). */
  sandboxAlways: boolean;
  /** Channels that refused this task already. */
  exclude?: ReadonlySet<string>;
  /** Rather none than one that is in trouble. */
  onlyHealthy?: boolean;
  /** In [0, 1): picks among equals by weight. */
  random: number;
}

/**
 * Picks a channel by capability, health, priority and weight, or says what is missing: one sentence for every distinct
 * reason, so that the refusal can name the way out. A paying caller never gets a simulated film by accident: once a real channel is enabled, sandbox
 * channels are no candidates.
 */
export function chooseChannel(candidates: Candidate[], request: TaskRequest, options: RouteOptions): Route {
  const isCandidate = candidacyAmong(candidates, options);
  const missing = new Set<string>();
  const able: Candidate[] = [];
  for (const candidate of candidates) {
    if (!isCandidate(candidate)) continue;
    if (options.exclude?.has(candidate.id)) continue;
    const reason = candidate.missing(request);
    if (reason === null) able.push(candidate);
    else missing.add(reason);
  }
  if (able.length === 0) {
    return {
      channelId: null,
      missing: missing.size > 0 ? [...missing] : ['no channel is enabled'],
    };
  }
  // Who is known to be down comes only where nobody else is able; its pause ends, and it is tried again.
  const healthy = able.filter((candidate) => candidate.isHealthy);
  if (healthy.length === 0 && options.onlyHealthy) {
    return { channelId: null, missing: ['every channel that can make it is in trouble'] };
  }
  const pool = healthy.length > 0 ? healthy : able;
  const priority = Math.max(...pool.map((candidate) => candidate.priority));
  const best = pool.filter((candidate) => candidate.priority === priority);
  const total = best.reduce((sum, candidate) => sum + candidate.weight, 0);
  if (total === 0) return { channelId: best[Math.floor(options.random * best.length)]!.id };
  let point = options.random * total;
  for (const candidate of best) {
    point -= candidate.weight;
    if (point < 0) return { channelId: candidate.id };
  }
  return { channelId: best.at(-1)!.id };
}

/** Whether a channel counts at all beside the others. */
export function candidacyAmong(
  all: Pick<Candidate, 'enabled' | 'sandbox'>[],
  { sandboxAlways }: Pick<RouteOptions, 'sandboxAlways'>,
): (one: Pick<Candidate, 'enabled' | 'sandbox'>) => boolean {
  const real = all.some(({ enabled, sandbox }) => enabled && !sandbox);
  return ({ enabled, sandbox }) => enabled && (!sandbox || !real || sandboxAlways);
}
