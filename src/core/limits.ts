/** Caps of a key or an account. What is absent is not limited. */
import { GatewayError } from './errors.ts';

export interface Limits {
  requestsPerMinute?: number;
  /** Tasks that are not final. */
  concurrentTasks?: number;
  /** What was charged and is held, of tasks accepted on one day or in one month (UTC). */
  spendPerDayMicros?: bigint;
  spendPerMonthMicros?: bigint;
  /** Public model names. */
  models?: string[];
  /** Addresses and ranges (CIDR) requests may come from. */
  ipAddresses?: string[];
  /** Unix ms. */
  expiresAt?: number;
}

/** The day and month of a moment (UTC), as numbers that grow. */
export function periodsOf(at: number): { day: number; month: number } {
  const date = new Date(at);
  return { day: Math.floor(at / 86_400_000), month: date.getUTCFullYear() * 12 + date.getUTCMonth() };
}

/** Whether every list of models names one of these; who has no list may use all. */
export function mayUseModel(limits: readonly Limits[] | undefined, names: readonly string[]): boolean {
  return (limits ?? []).every((each) => isListed(each, names));
}

/** Refuses with `model_not_allowed` where some list of models names neither the model nor what was asked for. */
export function refuseModel(
  limits: readonly Limits[] | undefined,
  request: { model: string; requestedModel: string },
): void {
  const names = [request.model, request.requestedModel];
  const refusing = limits?.find((each) => !isListed(each, names));
  if (refusing === undefined) return;
  throw new GatewayError(
    'model_not_allowed',
    `This key may not use ${request.requestedModel}. It may use: ${refusing.models!.join(', ')}.`,
    { param: 'model' },
  );
}

function isListed({ models }: Limits, names: readonly string[]): boolean {
  const wanted = names.map((name) => name.toLowerCase());
  return models === undefined || models.some((model) => wanted.includes(model.toLowerCase()));
}
