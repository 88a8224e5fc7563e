/** Allowed lengths in words, for messages: `5 or 10`, `3 to 15`. */
export function secondsInWords(durations: readonly number[]): string {
  const first = durations[0];
  const last = durations.at(-1);
  if (first === undefined || last === undefined) return 'above zero';
  if (durations.length > 2 && last - first === durations.length - 1) return `${first} to ${last}`;
  if (durations.length === 1) return String(first);
  return `${durations.slice(0, -1).join(', ')} or ${last}`;
}
