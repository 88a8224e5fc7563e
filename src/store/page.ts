/** Keyset pages by id: one row more than asked for tells whether there is a next one. */
import type { Page, PageQuery } from '../core/ports.ts';
import type { Procedure } from './statement.ts';

/** Sorts after every id. */
export const AFTER_ALL_IDS = '~';
/** Sorts before every id. */
export const BEFORE_ALL_IDS = '';

/** A page of a list that runs from the newest id down. */
export function* fromPage<Row extends { id: string }, Item>(
  query: PageQuery,
  fromRow: (row: Row) => Item,
  read: (before: string, limit: number) => Procedure<Row[]>,
): Procedure<Page<Item>> {
  return toPage(query, yield* read(query.cursor ?? AFTER_ALL_IDS, query.limit + 1), fromRow);
}

/** Cuts what was read to the page and names the row it ended with. */
export function toPage<Row extends { id: string }, Item>(
  query: PageQuery,
  found: Row[],
  fromRow: (row: Row) => Item,
): Page<Item> {
  const shown = found.slice(0, query.limit);
  return {
    rows: shown.map(fromRow),
    nextCursor: found.length > query.limit ? (shown.at(-1)?.id ?? null) : null,
  };
}
