import type { Clock, Timer } from './clock.ts';

/**
 * Runs `step` again and again, never two at once: when its time comes or when it is woken. `step` answers when it is
 * next due (Unix ms; Infinity: only when woken). A step that throws is reported and tried again after `retryMs`.
 */
export class Loop {
  readonly #clock: Clock;
  readonly #step: () => Promise<number>;
  readonly #onError: (error: unknown) => void;
  readonly #retryMs: number;
  #timer: Timer | null = null;
  #isRunning = false;
  #run: Promise<void> = Promise.resolve();
  #again = false;
  #stopped = false;

  constructor(options: {
    clock: Clock;
    step: () => Promise<number>;
    onError: (error: unknown) => void;
    retryMs?: number;
  }) {
    this.#clock = options.clock;
    this.#step = options.step;
    this.#onError = options.onError;
    this.#retryMs = options.retryMs ?? 1_000;
  }

  /** Makes a step due now; cheap to call often. */
  wake(): void {
    if (this.#stopped) return;
    if (this.#isRunning) {
      this.#again = true;
      return;
    }
    this.#cancelTimer();
    this.#isRunning = true;
    this.#run = this.#work();
  }

  /** Lets the step in hand finish; none begins after. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    await this.#run;
  }

  async #work(): Promise<void> {
    let dueAt: number;
    do {
      this.#again = false;
      try {
        dueAt = await this.#step();
      } catch (error) {
        this.#onError(error);
        dueAt = this.#clock.now() + this.#retryMs;
        break;
      }
    } while (this.#again && !this.#stopped);
    // In the same breath as the last look at `again`: whoever wakes us from here on begins a new run.
    this.#isRunning = false;
    if (!this.#stopped && dueAt !== Infinity) this.#wakeAt(dueAt);
  }

  #wakeAt(dueAt: number): void {
    // Timers take at most 2^31 ms; waking early does no harm.
    const delayMs = Math.min(Math.max(0, dueAt - this.#clock.now()), 86_400_000);
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = null;
      this.wake();
    }, delayMs);
  }

  #cancelTimer(): void {
    if (this.#timer !== null) this.#clock.clearTimeout(this.#timer);
    this.#timer = null;
  }
}
