import type { Limits } from '../core/limits.ts';

/** A row with the fields of a patch laid over it; a field that is there but undefined changes nothing. */
export function patched<Row extends object>(row: Row, patch: Partial<NoInfer<Row>>): Row {
  const given = Object.entries(patch).filter(([, value]) => value !== undefined);
  return { ...row, ...Object.fromEntries(given) };
}

/** The same for a row with limits, which `null` takes away. */
export function withLimits<Row extends { limits?: Limits }>(
  row: Row,
  patch: Partial<Omit<NoInfer<Row>, 'limits'>> & { limits?: Limits | null | undefined },
): Row {
  const { limits, ...fields } = patch;
  const changed = patched<Row>(row, fields as Partial<Row>);
  if (limits === undefined) return changed;
  const { limits: _before, ...rest } = changed;
  return (limits === null ? rest : { ...rest, limits }) as Row;
}
