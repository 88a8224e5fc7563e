import { setTimeout as sleep } from 'node:timers/promises';
import { header, RefusedError, UnreachableError, type Api, type Headers } from './api.ts';
import type { Progress } from './progress.ts';
import type { Video } from './wire.ts';

/** When the gateway does not say when to ask again. */
const POLL_AFTER_MS_DEFAULT = 2_000;
const POLL_AFTER_MS_MAX = 15_000;
/** A gateway that restarts or drains is back within this time; the task itself loses nothing. */
const PATIENCE_MS = 300_000;

/**
 * Asks until the task is final, as often as `openai-poll-after-ms` says. Silence and 5xx are waited out for five
 * minutes; then, and for every other refusal, it throws.
 */
export async function waitForVideo(
  api: Api,
  id: string,
  progress: Progress,
  signal: AbortSignal,
  firstAnswer?: { headers: Headers },
): Promise<Video> {
  let waitMs = firstAnswer === undefined ? 0 : pollAfterMs(firstAnswer.headers);
  let silentSince: number | null = null;
  for (;;) {
    if (waitMs > 0) await sleep(waitMs, undefined, { signal });
    try {
      const { body, headers } = await api.call<Video>(`/v1/videos/${encodeURIComponent(id)}`);
      progress.show(body);
      if (body.status === 'completed' || body.status === 'failed') return body;
      silentSince = null;
      waitMs = pollAfterMs(headers);
    } catch (error) {
      if (!isPassing(error)) throw error;
      silentSince ??= Date.now();
      if (Date.now() - silentSince > PATIENCE_MS) throw error;
      progress.note('the gateway does not answer, trying again');
      waitMs = (error instanceof RefusedError ? error.retryAfterMs : null) ?? POLL_AFTER_MS_DEFAULT;
    }
  }
}

function isPassing(error: unknown): boolean {
  if (error instanceof RefusedError) return error.status >= 500 || error.status === 429;
  return error instanceof UnreachableError;
}

function pollAfterMs(headers: Headers): number {
  const told = Number(header(headers, 'openai-poll-after-ms') ?? NaN);
  return Number.isFinite(told) && told >= 0 ? Math.min(told, POLL_AFTER_MS_MAX) : POLL_AFTER_MS_DEFAULT;
}
