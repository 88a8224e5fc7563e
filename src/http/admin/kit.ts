import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyReply,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { formatMicros } from '../../core/money.ts';
import type { Page, PageQuery } from '../../core/ports.ts';

/** An instance whose handlers get the types of their zod schemas. */
export type AdminRoutes = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

const pageLimitMax = 200;

/** Fields of every paged query. */
export const pageFields = {
  cursor: z.string().min(1).max(512).optional().meta({ description: '`next_cursor` of the page before.' }),
  limit: z.coerce.number().int().min(1).max(pageLimitMax).default(50),
};

export const pageQuery = z.object(pageFields);

export const idParams = z.object({ id: z.string() });

export const nameField = z.string().trim().min(1).max(100);

export const moneyField = z.string().meta({ description: 'A decimal amount.', examples: ['12.50'] });

export const timeField = z.string().meta({ format: 'date-time' });

/** A page as it goes over the wire. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({ data: z.array(item), next_cursor: z.string().nullable() });
}

export function readPageQuery(query: { cursor?: string | undefined; limit: number }): PageQuery {
  return { cursor: query.cursor ?? null, limit: query.limit };
}

export function renderPage<Row, Item>(
  page: Page<Row>,
  render: (row: Row) => Item,
): { data: Item[]; next_cursor: string | null } {
  return { data: page.rows.map(render), next_cursor: page.nextCursor };
}

/** Lists that are never long: everything on one page, in the shape of all others. */
export function renderList<Row, Item>(rows: readonly Row[], render: (row: Row) => Item) {
  return { data: rows.map(render), next_cursor: null };
}

/** Unix ms -> ISO 8601, which no reader takes for seconds. */
export function renderTime(unixMs: number): string;
export function renderTime(unixMs: number | null): string | null;
export function renderTime(unixMs: number | null): string | null {
  return unixMs === null ? null : new Date(unixMs).toISOString();
}

/** Objects whose keys are the wire's own words, not ours. */
const foreign = new Set(['compliance', 'extensions', 'metadata']);

/** Our own records as the wire spells them: `cfgScale` -> `cfg_scale`, at every depth. */
export function toWire(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toWire);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      foreign.has(key) ? inner : toWire(inner),
    ]),
  );
}

export function renderMoney(micros: bigint): string;
export function renderMoney(micros: bigint | null): string | null;
export function renderMoney(micros: bigint | null): string | null {
  return micros === null ? null : formatMicros(micros);
}

/** Tells the answer to a repeat from the first one. */
export function markReplayed(reply: FastifyReply, { replayed }: { replayed?: true }): void {
  if (replayed) reply.header('idempotent-replayed', 'true');
}
