/**
 * The closed list of error codes a caller can meet. Core knows no HTTP status: every dialect maps each
 * code to its own status, number and words (a test walks this list), and each code has a page in
 * `reference/errors/`.
 */
export const ERROR_CODES = [
  // what was sent
  'invalid_json',
  'invalid_request',
  'missing_required_parameter',
  'invalid_value',
  'unsupported_parameter',
  'payload_too_large',
  'unsupported_media_type',
  'url_not_allowed',
  'duplicate_external_task_id',
  'idempotency_conflict',
  'request_in_progress',
  // who sent it
  'missing_api_key',
  'invalid_api_key',
  'token_expired',
  'token_not_yet_valid',
  'account_disabled',
  'forbidden',
  'ip_not_allowed',
  'invalid_link',
  // what was asked for
  'not_found',
  'method_not_allowed',
  'model_not_found',
  'model_not_allowed',
  'task_not_found',
  'file_not_found',
  'variant_not_available',
  'range_not_satisfiable',
  'task_not_completed',
  'task_running',
  'conflict',
  // money and limits
  'insufficient_quota',
  'max_cost_exceeded',
  'rate_limit_exceeded',
  'concurrency_limit_exceeded',
  'spend_limit_exceeded',
  // the far side and ourselves
  'no_channel',
  'content_policy',
  'upstream_unavailable',
  'unavailable',
  'internal_error',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export interface GatewayErrorOptions {
  /** The wire name of the field at fault, as the caller spelled it (`metadata.output_config.duration`). */
  param?: string;
  /** What really happened, for the log only. Never shown to the caller. */
  cause?: unknown;
  /** How long the caller should wait before trying again, when that is known. */
  retryAfterMs?: number;
}

/**
 * A refusal. `publicMessage` is a sentence for the caller: it names the field and the way out, and never an
 * upstream host, a credential or a stack; `cause` is for the log.
 */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly publicMessage: string;
  readonly param: string | null;
  readonly retryAfterMs: number | null;

  constructor(code: ErrorCode, publicMessage: string, options: GatewayErrorOptions = {}) {
    super(publicMessage, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'GatewayError';
    this.code = code;
    this.publicMessage = publicMessage;
    this.param = options.param ?? null;
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}

/** Something worth telling the caller that does not stop the request (header `x-reelay-warnings`). */
export interface Warning {
  code: string;
  field: string | null;
  message: string;
}

/**
 * How an upstream's refusal is to be treated.
 * - `rejected`: the request itself is at fault; final, the message goes to the caller.
 * - `content_policy`: refused for its content; final, never offered to another channel.
 * - `busy`: over a rate or concurrency cap; certainly not accepted, the task waits for this channel.
 * - `channel`: the credential, its balance or its rights; certainly not accepted, another channel may do.
 * - `unavailable`: certainly not accepted and nobody's fault (connection refused, maintenance).
 * - `ambiguous`: it may have been accepted (timeout, reset, upstream's internal timeout): look it up.
 * - `duplicate`: the dedup handle is already known there, so an earlier submit was accepted.
 */
export type UpstreamErrorKind =
  'rejected' | 'content_policy' | 'busy' | 'channel' | 'unavailable' | 'ambiguous' | 'duplicate';

/** What a provider throws when its upstream did not do what was asked. */
export class UpstreamError extends Error {
  readonly kind: UpstreamErrorKind;
  /** The upstream's own code, for the flight recorder. */
  readonly upstreamCode: string | null;
  /** A sentence a caller may read: no host, credential or stack. */
  readonly publicMessage: string;
  readonly retryAfterMs: number | null;

  constructor(
    kind: UpstreamErrorKind,
    publicMessage: string,
    options: { upstreamCode?: string; retryAfterMs?: number; cause?: unknown } = {},
  ) {
    super(publicMessage, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'UpstreamError';
    this.kind = kind;
    this.publicMessage = publicMessage;
    this.upstreamCode = options.upstreamCode ?? null;
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}
