/** A byte range as files are read: both ends count. */
export interface ByteRange {
  start: number;
  end: number;
}

/**
 * What a `Range` header asks of a file of `bytes` bytes (RFC 9110 §14): one range, `unsatisfiable` (416), or
 * `whole` where the header is absent, of another unit, malformed or asks for several ranges, all of which a server
 * may answer with the whole file.
 */
export function parseRange(header: string | undefined, bytes: number): ByteRange | 'whole' | 'unsatisfiable' {
  const match = /^\s*bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header ?? '');
  if (!match) return 'whole';
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return 'whole';
  if (first === '') {
    const length = Number(last);
    return length === 0 || bytes === 0
      ? 'unsatisfiable'
      : { start: Math.max(0, bytes - length), end: bytes - 1 };
  }
  const start = Number(first);
  const end = last === '' ? bytes - 1 : Math.min(Number(last), bytes - 1);
  if (last !== '' && Number(last) < start) return 'whole';
  return start >= bytes ? 'unsatisfiable' : { start, end };
}

/** Whether the copy a client holds is the file's present state, so that 304 will do (RFC 9110 §13.1). */
export function isNotModified(
  headers: { ifNoneMatch?: string; ifModifiedSince?: string },
  file: { etag: string; modifiedAt: number },
): boolean {
  if (headers.ifNoneMatch !== undefined) {
    const wanted = headers.ifNoneMatch.trim();
    return wanted === '*' || entityTags(wanted).some((tag) => opaque(tag) === opaque(file.etag));
  }
  if (headers.ifModifiedSince === undefined) return false;
  const since = Date.parse(headers.ifModifiedSince);
  return !Number.isNaN(since) && wholeSeconds(file.modifiedAt) <= since;
}

/** Whether a `Range` still applies under `If-Range` (RFC 9110 §13.1.5): a strong tag or the exact date. */
export function rangeStillApplies(
  ifRange: string | undefined,
  file: { etag: string; modifiedAt: number },
): boolean {
  if (ifRange === undefined) return true;
  const wanted = ifRange.trim();
  if (wanted.startsWith('"')) return wanted === file.etag;
  if (wanted.startsWith('W/')) return false;
  return Date.parse(wanted) === wholeSeconds(file.modifiedAt);
}

function entityTags(list: string): string[] {
  return list.match(/(?:W\/)?"[^"]*"/g) ?? [];
}

function opaque(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag;
}

/** HTTP dates have no milliseconds. */
function wholeSeconds(unixMs: number): number {
  return Math.floor(unixMs / 1000) * 1000;
}
