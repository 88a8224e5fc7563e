/**
 * What the upstream's codes mean for us. HTTP 429 mixes what passes with what does not, so the `code` of the
 * body decides, never the status (official documentation, "Error codes"; identical for both standards).
 */
import { UpstreamError } from '../../core/errors.ts';
import type { UpstreamErrorKind } from '../../core/errors.ts';
import type { Channel } from '../../core/ports.ts';
import { createPublicSentence } from '../kit/public-sentence.ts';

/** One try a second is what the documentation asks for after 1302. */
const busyRetryMs = 1000;

interface Meaning {
  kind: UpstreamErrorKind;
  /** Null: the upstream's own sentence goes to the caller. */
  sentence: string | null;
}

const account = (sentence: string): Meaning => ({ kind: 'channel', sentence });
const request: Meaning = { kind: 'rejected', sentence: null };

const meanings: Record<number, Meaning> = {
  1000: account('The upstream account could not be authenticated.'),
  1001: account('The upstream account could not be authenticated.'),
  1002: account('The upstream account could not be authenticated.'),
  1003: account('The upstream found our token not valid yet: the clocks differ.'),
  1004: account('The upstream found our token expired: the clocks differ.'),
  1100: account('The upstream account is not in order.'),
  1101: account('The upstream account is in arrears.'),
  1102: account('The upstream account has no units left.'),
  1103: account('The upstream account may not use this model.'),
  1200: request,
  1201: request,
  1202: request,
  1203: request,
  1300: { kind: 'content_policy', sentence: null },
  1301: { kind: 'content_policy', sentence: null },
  1302: { kind: 'busy', sentence: 'The upstream is asked too fast.' },
  1303: { kind: 'busy', sentence: 'The upstream has no free slot.' },
  1304: account('The upstream does not accept our address.'),
  // An internal error or a timeout says nothing about whether the task was made before it.
  5000: { kind: 'ambiguous', sentence: 'The upstream had an internal error.' },
  5001: { kind: 'unavailable', sentence: 'The upstream is under maintenance.' },
  5002: { kind: 'ambiguous', sentence: 'The upstream ran into an internal timeout.' },
};

/** The code by which a query says that the id is not known (or belongs to another path). */
export const codeNotFound = 1203;

/** Whether what was to be deleted is gone: never known, or deleted before (`Element already be deleted for id: …`). */
export function saysGone({ upstreamCode, publicMessage }: UpstreamError): boolean {
  if (upstreamCode === String(codeNotFound)) return true;
  return upstreamCode === '1201' && /already.*deleted/i.test(publicMessage);
}

/** Turns a refusal into ours. `code` is null where the answer was not the upstream's envelope. */
export function klingError(
  answer: { status: number; code: number | null; message: string; retryAfter: string | undefined },
  channel: Channel,
): UpstreamError {
  const { status, code, message } = answer;
  if (code === null) return foreignAnswer(status);
  const meaning = meanings[code] ?? byStatus(status);
  const isDuplicate = (code === 1200 || code === 1201) && saysDuplicate(message);
  return new UpstreamError(
    isDuplicate ? 'duplicate' : meaning.kind,
    meaning.sentence ?? publicSentence(message, channel),
    {
      upstreamCode: String(code),
      ...(meaning.kind === 'busy' ? { retryAfterMs: retryAfterMs(answer.retryAfter) } : {}),
    },
  );
}

/** The code for a used external id is not documented; refusals name the field and say that it exists. */
function saysDuplicate(message: string): boolean {
  return (
    /external_?task_?id/i.test(message) && /duplicat|exist|repeat|unique|used|重复|已存在/i.test(message)
  );
}

/** A code we have no row for: its status is the best hint. */
function byStatus(status: number): Meaning {
  if (status === 401 || status === 403) return account('The upstream refused our account.');
  if (status === 429) return { kind: 'busy', sentence: 'The upstream is busy.' };
  if (status >= 400 && status < 500) return request;
  return { kind: 'ambiguous', sentence: 'The upstream answered with an error of its own.' };
}

/** Not the envelope: a proxy, a relay or a wrong base_url is speaking. */
function foreignAnswer(status: number): UpstreamError {
  const upstreamCode = `http_${status}`;
  if (status === 429) {
    return new UpstreamError('busy', 'The upstream is busy.', { upstreamCode, retryAfterMs: busyRetryMs });
  }
  if (status === 413) {
    return new UpstreamError('rejected', 'The request is larger than the upstream takes.', { upstreamCode });
  }
  if (status === 401 || status === 403) {
    return new UpstreamError('channel', 'The upstream refused our account.', { upstreamCode });
  }
  if (status >= 300 && status < 500) {
    return new UpstreamError('channel', 'What answers at the channel’s base_url is not the Kling API.', {
      upstreamCode,
    });
  }
  return new UpstreamError('ambiguous', 'The upstream answered with an error of its own.', { upstreamCode });
}

function retryAfterMs(header: string | undefined): number {
  const seconds = Number(header);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 60) * 1000 : busyRetryMs;
}

/**
 * A failed task carries a sentence and no code; these are the ones its content filter writes. The official
 * wording is "Failure to pass the risk control system"; the rest are relays' renderings of 1300 and 1301.
 */
export function saysContentPolicy(message: string): boolean {
  return /risk control|content[- ](safety|policy|security|moderation)|sensitive|违规|敏感|风控|审核/i.test(
    message,
  );
}

/** The upstream's sentence without its host, our credential or lines of a stack. */
export const publicSentence = createPublicSentence(/\b[\w.-]*\.?(klingai\.com|kling\.ai)\b/gi);
