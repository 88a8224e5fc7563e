/**
 * How late it was when the database was last written to, in a file beside it, so that a start notices a clock that was
 * put back while nobody ran. To the minute, and not synced: a mark that is lost costs patience, nothing else.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const MARK_FILE = 'reelay.clock';
const EVERY_MS = 60_000;
/** Less is a clock being trimmed. */
const TRIM_MS = 1_000;

export interface ClockMark {
  /** By how much the clock lies behind the mark at this moment; 0 when it does not. */
  behindMs(): number;
  /** What was appointed has been brought forward: from now on this clock counts. */
  reset(): void;
  /** The database is being written to. A clock that is put back meanwhile is still noticed at the next start. */
  touch(): void;
  close(): void;
}

export function openClockMark(directory: string, now: () => number): ClockMark {
  const file = join(directory, MARK_FILE);
  let marked = read(file);
  function write(at: number): void {
    marked = at;
    try {
      writeFileSync(`${file}.new`, String(at), { mode: 0o600 });
      renameSync(`${file}.new`, file);
    } catch {
      // The disk is full, say: the database has more to tell about that.
    }
  }
  return {
    behindMs() {
      const byMs = marked - now();
      return byMs > TRIM_MS ? byMs : 0;
    },
    reset: () => write(now()),
    touch() {
      const at = now();
      if (at - marked >= EVERY_MS) write(at);
    },
    close() {
      const at = now();
      if (at > marked) write(at);
    },
  };
}

function read(file: string): number {
  try {
    const at = Number(readFileSync(file, 'utf8'));
    return Number.isSafeInteger(at) ? at : -Infinity;
  } catch {
    return -Infinity;
  }
}
