/**
 * What a far gateway's refusal means for us. Gateways speak three shapes, often mixed: Kling's `{code: 1201, message}`,
 * OpenAI's `{error: {code, message, type}}`, and new-api's `{code: "word", message, data: null}` (dto/task.go). A word is
 * the most telling, then Kling's number, then the status.
 */
import { UpstreamError } from '../../core/errors.ts';
import type { UpstreamErrorKind } from '../../core/errors.ts';
import type { Channel } from '../../core/ports.ts';
import { createPublicSentence } from '../kit/public-sentence.ts';
import { isObject, textOf } from './wire.ts';
import type { WireObject } from './wire.ts';

export interface Refusal {
  status: number;
  word: string | null;
  number: number | null;
  message: string;
  retryAfter: string | undefined;
}

/** Words of OpenAI, new-api (types/error.go, service/error.go) and Reelay (reference/errors). */
const kindsByWord: Partial<Record<UpstreamErrorKind, string>> = {
  content_policy:
    'content_policy content_policy_violation moderation_blocked sensitive_words_detected prompt_blocked',
  busy: 'rate_limit_exceeded rate_limit_error concurrency_limit_exceeded too_many_requests',
  duplicate: 'duplicate_external_task_id',
  unavailable: 'unavailable upstream_unavailable system_disk_overloaded system_memory_overloaded',
  channel:
    'invalid_api_key missing_api_key token_expired token_not_yet_valid access_denied forbidden account_disabled ' +
    'insufficient_quota insufficient_user_quota pre_consume_token_quota_failed quota_not_enough ' +
    // It sells this to nobody, or not just now: somebody else may.
    'no_channel model_not_found model_not_allowed model_price_error get_channel_failed channel:no_available_key',
};

const kindOfWord = new Map(
  Object.entries(kindsByWord).flatMap(([kind, words]) =>
    words.split(' ').map((word): [string, UpstreamErrorKind] => [word, kind as UpstreamErrorKind]),
  ),
);

/** Kling's table of errors (official documentation, "Error codes"), as gateways repeat it. */
const kindOfNumber: Record<number, UpstreamErrorKind> = {
  1000: 'channel',
  1001: 'channel',
  1002: 'channel',
  1003: 'channel',
  1004: 'channel',
  1100: 'channel',
  1101: 'channel',
  1102: 'channel',
  1103: 'channel',
  1200: 'rejected',
  1201: 'rejected',
  1202: 'channel',
  1203: 'channel',
  1300: 'content_policy',
  1301: 'content_policy',
  1302: 'busy',
  1303: 'busy',
  1304: 'channel',
  5000: 'ambiguous',
  5001: 'unavailable',
  5002: 'ambiguous',
};

/** Ours: the far side's own sentence speaks of its account and its upstreams, which are no caller's business. */
const sentences: Partial<Record<UpstreamErrorKind, string>> = {
  busy: 'The upstream gateway is busy.',
  channel: 'The upstream gateway does not serve our account.',
  unavailable: 'The upstream gateway is not available.',
  ambiguous: 'The upstream gateway answered with an error of its own.',
};

/** By which a query says that the id is not known. */
const unknownTask = new Set(['1203', 'video_not_found', 'task_not_found', 'task_not_exist']);

export function saysUnknownTask(error: unknown): boolean {
  return error instanceof UpstreamError && unknownTask.has(error.upstreamCode ?? '');
}

const busyRetryMs = 1000;

/** Turns a refusal into ours. */
export function relayError(refusal: Refusal, channel: Channel): UpstreamError {
  const kind = kindOf(refusal);
  const { word, number, status } = refusal;
  return new UpstreamError(kind, sentences[kind] ?? publicSentence(refusal.message, channel), {
    upstreamCode: word ?? (number === null ? `http_${status}` : String(number)),
    ...(kind === 'busy' ? { retryAfterMs: retryAfterMs(refusal.retryAfter) } : {}),
  });
}

function kindOf({ status, word, number, message }: Refusal): UpstreamErrorKind {
  const named = word === null ? undefined : kindOfWord.get(word.toLowerCase());
  if (named !== undefined) return named;
  const numbered = number === null ? undefined : kindOfNumber[number];
  // A key with strict answers gets the number alone.
  if (numbered === 'rejected' && saysDuplicate(message)) return 'duplicate';
  return numbered ?? kindOfStatus(status, word !== null || number !== null);
}

function saysDuplicate(message: string): boolean {
  return (
    /external_?task_?id/i.test(message) && /duplicat|exist|already|unique|used|重复|已存在/i.test(message)
  );
}

/** `isSpoken`: the body is a gateway's; without one a proxy or a wrong base_url is speaking. */
function kindOfStatus(status: number, isSpoken: boolean): UpstreamErrorKind {
  if (status === 429) return 'busy';
  if (status === 413) return 'rejected';
  if (status === 401 || status === 402 || status === 403 || status === 404 || status === 405)
    return 'channel';
  if (status >= 500) return 'ambiguous';
  return isSpoken ? 'rejected' : 'channel';
}

function retryAfterMs(header: string | undefined): number {
  const seconds = Number(header);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 60) * 1000 : busyRetryMs;
}

/** The refusal in an answer; null when it is none. A failed task's own `error` is none. */
export function readRefusal(
  answer: { status: number; headers: Record<string, string> },
  body: WireObject | null,
): Refusal | null {
  const isWell = answer.status >= 200 && answer.status < 300;
  const error = body && isObject(body['error']) ? body['error'] : null;
  const code = body?.['code'] ?? null;
  const number = typeof code === 'number' && !saysWell(code) ? code : null;
  const ownWord = typeof code === 'string' && !saysWell(code) ? code : null;
  const isTask = body !== null && (textOf(body['id']) ?? textOf(body['task_id'])) !== null;
  const isRefusal =
    !isWell || body === null || number !== null || ownWord !== null || (error !== null && !isTask);
  if (!isRefusal) return null;
  return {
    status: answer.status,
    word: textOf(error?.['code']) ?? ownWord ?? textOf(error?.['type']),
    number,
    message: textOf(error?.['message']) ?? textOf(body?.['message']) ?? '',
    retryAfter: answer.headers['retry-after'],
  };
}

/** Kling says 0, new-api `success`, other relays 200. */
function saysWell(code: number | string): boolean {
  return ['0', '200', 'success', ''].includes(String(code).toLowerCase());
}

/** A failed task often carries a sentence alone; these are the words of content filters. */
export function saysContentPolicy(message: string): boolean {
  return /risk control|content[-_ ](safety|policy|security|moderation)|sensitive|违规|敏感|风控|审核/i.test(
    message,
  );
}

/** The far side's sentence without its host, our key, links or lines of a stack. */
export const publicSentence = createPublicSentence(/https?:\/\/\S+/gi);
