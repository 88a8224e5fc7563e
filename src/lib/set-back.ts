/** Less than this is a clock being trimmed. */
const TRIM_MS = 1_000;

/** Notices that a clock was put back: whatever was appointed before would come too late by as much. */
export class SetBack {
  #latest = -Infinity;

  /**
   * How far `now` (Unix ms) lies behind the last call's, 0 when it does not. What has passed between the two calls is
   * not seen, so it is a little less than the clock was put back by.
   */
  take(now: number): number {
    const byMs = this.#latest - now;
    this.#latest = now;
    return byMs > TRIM_MS ? byMs : 0;
  }
}
