/** What a proof found: figures, the promises it put to the test, and one verdict. */

export type Verdict = 'proven' | 'broken' | 'not run';

export class Report {
  readonly #title: string;
  readonly #lines: string[] = [];
  #broken = 0;
  #kept = 0;
  #reasonNotRun: string | null = null;

  constructor(title: string) {
    this.#title = title;
  }

  /** Something measured. */
  figure(name: string, value: string | number): void {
    const text = typeof value === 'number' ? value.toLocaleString('en') : value;
    this.#lines.push(`  ${name.padEnd(46)} ${text}`);
  }

  /** A promise and whether it was kept; `evidence` is shown only when it was not. */
  demand(promise: string, isKept: boolean, evidence?: unknown): void {
    if (isKept) this.#kept++;
    else this.#broken++;
    this.#lines.push(`  ${isKept ? 'kept  ' : 'BROKEN'} ${promise}`);
    if (!isKept && evidence !== undefined) {
      const text = typeof evidence === 'string' ? evidence : JSON.stringify(evidence, null, 1);
      this.#lines.push(`         ${text.slice(0, 4_000).replaceAll('\n', '\n         ')}`);
    }
  }

  /** The proof could not be tried here; that is neither success nor failure, and is said aloud. */
  notRun(reason: string): void {
    this.#reasonNotRun = reason;
  }

  get verdict(): Verdict {
    if (this.#broken > 0) return 'broken';
    if (this.#reasonNotRun !== null) return 'not run';
    return this.#kept > 0 ? 'proven' : 'broken';
  }

  toString(): string {
    const { verdict } = this;
    const word =
      verdict === 'proven'
        ? `proven: ${this.#kept} promises kept`
        : verdict === 'not run'
          ? `not run: ${this.#reasonNotRun}`
          : `BROKEN: ${this.#broken} of ${this.#broken + this.#kept} promises`;
    return [this.#title, ...this.#lines, `  => ${word}`].join('\n');
  }
}
