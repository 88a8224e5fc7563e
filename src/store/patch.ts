/** A row with the fields of a patch laid over it; a field that is there but undefined changes nothing. */
export function patched<Row extends object>(row: Row, patch: Partial<NoInfer<Row>>): Row {
  const given = Object.entries(patch).filter(([, value]) => value !== undefined);
  return { ...row, ...Object.fromEntries(given) };
}
