import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { GatewayError } from '../../core/errors.ts';
import { readIntent } from '../../core/intent.ts';
import { parseMicros } from '../../core/money.ts';
import type { CreateOptions } from '../../core/ports.ts';
import type { Claim, LooseVideo } from '../../core/request/types.ts';
import { headerOf } from './fastify.ts';

const maxCostHeader = 'Reelay-Max-Cost';
const dryRunHeader = 'Reelay-Dry-Run';
const priorityHeader = 'Reelay-Priority';

/** Query of every route that creates something billable. */
export const createQuery = z.looseObject({
  dry_run: z
    .unknown()
    .optional()
    .meta({
      type: 'boolean',
      default: false,
      description:
        'Validate and price the request without creating anything (also: header `Reelay-Dry-Run: true`). ' +
        'The answer is an estimate.',
    }),
});

/**
 * Reads what a caller wants besides the request itself. A word that is neither yes nor no is refused
 * (`invalid_value`): who asks for a dry run in other words must not be billed.
 */
export function createOptions(request: FastifyRequest): CreateOptions {
  const query = (request.query ?? {}) as Record<string, unknown>;
  const inQuery = Object.hasOwn(query, 'dry_run') ? isDryRun(query.dry_run, 'dry_run') : false;
  const header = headerOf(request, dryRunHeader.toLowerCase());
  const inHeader = header === undefined ? false : isDryRun(header, dryRunHeader);
  const dryRun = inQuery || inHeader;
  return {
    dryRun,
    maxCost: headerOf(request, maxCostHeader.toLowerCase()) ?? null,
    priority: headerOf(request, priorityHeader.toLowerCase()) ?? null,
    intent: dryRun ? null : readIntent(request),
  };
}

/** Adds what the headers say to the claims of the body: the lower cost cap holds, the header's priority goes first. */
export function withHeaders(loose: LooseVideo, options: CreateOptions): LooseVideo {
  const priority = priorityOf(options);
  return {
    ...loose,
    ...(options.maxCost !== null && {
      maxCost: [...loose.maxCost, { source: maxCostHeader, value: options.maxCost }],
    }),
    ...(priority !== null && { priority: [priority, ...(loose.priority ?? [])] }),
  };
}

/** The claim of the header; null where there is none. */
export function priorityOf({ priority }: CreateOptions): Claim | null {
  return priority === null ? null : { source: priorityHeader, value: priority };
}

/** The lower of what body and header accept; what is no amount is passed on, to be refused by name. */
export function lowestCost(inBody: unknown, options: CreateOptions): unknown {
  const inHeader = options.maxCost;
  if (inHeader === null) return inBody;
  const body = parseMicros(inBody);
  const header = parseMicros(inHeader);
  if (inBody === undefined || inBody === null || header === null) return inHeader;
  return body !== null && header < body ? inHeader : inBody;
}

function isDryRun(value: unknown, param: string): boolean {
  const word = typeof value === 'string' ? value.trim().toLowerCase() : null;
  // A bare `?dry_run` can only mean yes.
  if (word === 'true' || word === '1' || word === '') return true;
  if (word === 'false' || word === '0') return false;
  throw new GatewayError('invalid_value', `${param} must be true or false.`, { param });
}
