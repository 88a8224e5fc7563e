/**
 * What the upstream's codes mean for us. Every answer is HTTP 200; codes are words with dots, and a code we have no
 * row for is judged by its first word (cloud.tencent.com/document/api/266/31774, "Common error codes").
 */
import { UpstreamError } from '../../core/errors.ts';
import type { UpstreamErrorKind } from '../../core/errors.ts';
import type { Channel } from '../../core/ports.ts';
import type { FailureCode } from '../../core/task.ts';
import { createPublicSentence } from '../kit/public-sentence.ts';

interface Meaning {
  kind: UpstreamErrorKind;
  /** Null: the upstream's own sentence goes to the caller. */
  sentence: string | null;
}

const account = (sentence: string): Meaning => ({ kind: 'channel', sentence });
const request: Meaning = { kind: 'rejected', sentence: null };
const content: Meaning = { kind: 'content_policy', sentence: null };
const foreign = account('What answers at the channel’s base_url is not the VOD API.');

/** The first rows a code is looked up in: itself, then itself without its last word. */
const meanings: Record<string, Meaning> = {
  AuthFailure: account('The upstream account could not be authenticated.'),
  'AuthFailure.SignatureExpire': account('The upstream found our signature out of time: the clocks differ.'),
  UnauthorizedOperation: account('The upstream account may not use this.'),
  'FailedOperation.InvalidVodUser': account('VOD is not enabled for the upstream account.'),
  'FailedOperation.NoPrivileges': account('The upstream account may not use this.'),
  'FailedOperation.InvalidAccount': account('The upstream account is not in order.'),
  'InvalidParameterValue.SubAppId': account('The upstream account has no application of this sub_app_id.'),
  IpInBlacklist: account('The upstream does not accept our address.'),
  IpNotInWhitelist: account('The upstream does not accept our address.'),
  // Quotas of the account (CreateAigcQuota), not of the moment.
  LimitExceeded: account('The upstream account has used up its quota.'),
  NoSuchProduct: foreign,
  NoSuchVersion: foreign,
  InvalidAction: foreign,
  UnsupportedProtocol: foreign,
  UnsupportedRegion: account('The upstream does not know the region of the channel’s credential.'),
  // Both the rate (20 a second) and the number of running tasks (one, unless raised by ticket).
  RequestLimitExceeded: { kind: 'busy', sentence: 'The upstream has no free slot.' },
  // "模型任务堆积": the model's queue is full; nothing was taken.
  FailedOperation: { kind: 'unavailable', sentence: 'The upstream’s queue is full.' },
  ResourceInsufficient: { kind: 'unavailable', sentence: 'The upstream is short of resources.' },
  ResourceUnavailable: { kind: 'unavailable', sentence: 'The upstream is short of resources.' },
  ServiceUnavailable: { kind: 'unavailable', sentence: 'The upstream is under maintenance.' },
  ActionOffline: { kind: 'unavailable', sentence: 'The upstream has taken this offline.' },
  // Says nothing about whether the task was made before it.
  InternalError: { kind: 'ambiguous', sentence: 'The upstream had an internal error.' },
  'InvalidParameterValue.SessionId': { kind: 'duplicate', sentence: null },
  // Their spelling, and the right one in case they mend it.
  'InvalidParameter.VoilationContent': content,
  'InvalidParameter.ViolationContent': content,
  ContentModerationFailed: content,
  InvalidParameter: request,
  InvalidParameterValue: request,
  InvalidRequest: request,
  MissingParameter: request,
  UnknownParameter: request,
  UnsupportedOperation: request,
  RequestSizeLimitExceeded: request,
  ResourceNotFound: request,
};

function meaningOf(code: string): Meaning | null {
  for (let name = code; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('.')))) {
    if (Object.hasOwn(meanings, name)) return meanings[name]!;
  }
  return null;
}

/** Turns a refusal into ours. */
export function vodError(answer: { code: string; message: string }, channel: Channel): UpstreamError {
  const meaning: Meaning = meaningOf(answer.code) ?? {
    kind: 'ambiguous',
    sentence: 'The upstream answered with an error of its own.',
  };
  return new UpstreamError(meaning.kind, meaning.sentence ?? publicSentence(answer.message, channel), {
    upstreamCode: answer.code.slice(0, 80),
  });
}

/** Whether a query says that there is no such task (any more): only those of three days can be asked for. */
export function saysUnknownTask(error: UpstreamError): boolean {
  const code = error.upstreamCode ?? '';
  return /^ResourceNotFound(\.|$)/.test(code) || code === 'InvalidParameterValue.TaskId';
}

/** Whether a delete says that there is nothing (any more) to delete. */
export function saysUnknownThing(error: UpstreamError): boolean {
  return /^ResourceNotFound(\.|$)/.test(error.upstreamCode ?? '');
}

/** Not the envelope: a proxy or a wrong base_url is speaking. VOD itself answers 200 whatever happened. */
export function foreignAnswer(status: number): UpstreamError {
  const upstreamCode = `http_${status}`;
  if (status === 429) return new UpstreamError('busy', 'The upstream is busy.', { upstreamCode });
  if (status === 413) {
    return new UpstreamError('rejected', 'The request is larger than the upstream takes.', { upstreamCode });
  }
  if (status >= 300 && status < 500) {
    return new UpstreamError('channel', foreign.sentence!, { upstreamCode });
  }
  return new UpstreamError('ambiguous', 'The upstream answered with an error of its own.', { upstreamCode });
}

/** The one numeric code that is known: over the account's number of running tasks. */
const overConcurrency = 70_000;

/** Why a finished task failed, in our words. */
export function failureOf(
  task: { errorCode: number; errorName: string | null; message: string },
  channel: Channel,
): { code: FailureCode; message: string; upstreamCode: string | null; isRetryable?: true } {
  const name = task.errorName ?? (task.errorCode === overConcurrency ? 'RequestLimitExceeded' : null);
  const upstreamCode = name ?? (task.errorCode === 0 ? null : String(task.errorCode));
  if (name === 'OperationCanceled') {
    return { code: 'cancelled', message: 'The task was cancelled at the upstream.', upstreamCode };
  }
  const meaning = name === null ? null : meaningOf(name);
  // What is wrong with the account or the upstream is told in our words, what is wrong with the request in theirs.
  const sentence =
    meaning?.sentence ?? publicSentence(task.message || 'The upstream could not make this.', channel);
  return {
    code: meaning?.kind === 'content_policy' ? 'content_policy' : 'task_failed',
    message: sentence,
    upstreamCode,
    // It was accepted and then found to be one too many: nothing was begun (specs/kling.md §5, "Limits").
    ...(meaning?.kind === 'busy' && { isRetryable: true as const }),
  };
}

/** The upstream's sentence without its host, our credential or lines of a stack. */
export const publicSentence = createPublicSentence(/\b[\w.-]*\.?(tencentcloudapi\.com|myqcloud\.com)\b/gi);
