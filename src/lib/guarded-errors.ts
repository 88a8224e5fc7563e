export type UrlRefusedReason = 'malformed' | 'scheme' | 'credentials' | 'address' | 'resolve' | 'redirects';

/**
 * A URL we will not ask for. Final, except for `resolve`, which may be the mood of a name server. Messages
 * are fit for whoever gave the URL: they name no address.
 */
export class UrlRefused extends Error {
  readonly reason: UrlRefusedReason;

  constructor(reason: UrlRefusedReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UrlRefused';
    this.reason = reason;
  }
}

export type TransferFailedReason = 'timeout' | 'too_large' | 'connect' | 'reset' | 'status';

/**
 * A transfer that broke. With `connect` no byte of the request can have arrived; with all others it may have.
 */
export class TransferFailed extends Error {
  readonly reason: TransferFailedReason;
  /** The answer's HTTP status, with the reason `status`. */
  readonly status: number | null;

  constructor(
    reason: TransferFailedReason,
    message: string,
    options: ErrorOptions & { status?: number } = {},
  ) {
    super(message, options);
    this.name = 'TransferFailed';
    this.reason = reason;
    this.status = options.status ?? null;
  }
}
