import { TransferFailed, UrlRefused } from './guarded-errors.ts';

/** The end of one transfer, redirects and body included. */
export type Deadline = {
  /** Aborts the transfer. */
  signal: AbortSignal;
  /** The transfer is over: stops the timer. */
  end(): void;
  /** The error in our words: undici's own stay inside, as the cause. */
  explain(error: unknown): unknown;
};

/** Joins the total timeout and the caller's signal. */
export function createDeadline(timeoutMs: number, outer: AbortSignal | undefined): Deadline {
  const controller = new AbortController();
  const onOuterAbort = () => controller.abort(outer?.reason);
  outer?.addEventListener('abort', onOuterAbort, { once: true });
  const timer = setTimeout(() => {
    outer?.removeEventListener('abort', onOuterAbort);
    controller.abort(new TransferFailed('timeout', `the transfer took longer than ${timeoutMs} ms`));
  }, timeoutMs);
  // A body nobody reads must not hold the process; while a transfer moves, its socket does.
  timer.unref();
  return {
    signal: controller.signal,
    end() {
      clearTimeout(timer);
      outer?.removeEventListener('abort', onOuterAbort);
    },
    explain(error) {
      if (controller.signal.aborted) return controller.signal.reason;
      if (error instanceof UrlRefused || error instanceof TransferFailed) return error;
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      // A header or option that cannot be sent is a bug of the caller's, not the network's.
      if (code === 'UND_ERR_INVALID_ARG') return error;
      if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') {
        return new TransferFailed('timeout', 'the server fell silent', { cause: error });
      }
      return new TransferFailed('reset', 'the connection broke', { cause: error });
    },
  };
}
