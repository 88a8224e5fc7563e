/** Work that was begun without anybody waiting for it, so that a stop can. */
export class InHand {
  readonly #works = new Set<Promise<void>>();

  /** `work` never rejects: whoever began it has seen to that. */
  hold(work: Promise<void>): Promise<void> {
    this.#works.add(work);
    void work.finally(() => this.#works.delete(work));
    return work;
  }

  /** Resolves when all that is under way now has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#works);
  }
}
