import { cut, padEnd, padStart, plain, widthOf } from './width.ts';

export interface Column<Row> {
  title: string;
  /** Numbers stand at the right edge. */
  align?: 'right';
  /** Most columns it may take; longer text is cut. */
  widthMax?: number;
  text(row: Row): string;
}

/** Rows under titles, each column as wide as its widest cell. Ends with a newline. */
export function table<Row>(columns: Column<Row>[], rows: Row[]): string {
  const cells = rows.map((row) =>
    columns.map((column) => cut(plain(column.text(row)), column.widthMax ?? Number.MAX_SAFE_INTEGER)),
  );
  const lines = [columns.map((column) => column.title.toUpperCase()), ...cells];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => widthOf(line[index]!))));
  return lines
    .map((line) =>
      line
        .map((cell, index) => (columns[index]!.align === 'right' ? padStart : padEnd)(cell, widths[index]!))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** Names and values below each other; rows without a value are left out. */
export function facts(rows: [string, string | null | undefined][]): string {
  const shown = rows.filter((row): row is [string, string] => row[1] !== null && row[1] !== undefined);
  const width = Math.max(0, ...shown.map(([name]) => widthOf(name)));
  return shown.map(([name, value]) => `${padEnd(name, width)}  ${plain(value)}\n`).join('');
}
