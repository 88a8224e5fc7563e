/** One part of a histogram as Prometheus reads it. */
export interface HistogramReading {
  labels: Record<string, string>;
  suffix: '_bucket' | '_sum' | '_count';
  value: number;
}

interface Series {
  labels: Record<string, string>;
  /** One count per bound, not yet summed up, and one for what is more than all. */
  counts: number[];
  sum: number;
}

/** Counts observations by bounds and labels. An observation is a look-up and two additions. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #series = new Map<string, Series>();

  /** Upper bounds, ascending. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
  }

  /** `key` stands for the labels, which are only asked for at its first observation. */
  observe(value: number, key: string, labels: () => Record<string, string>): void {
    let series = this.#series.get(key);
    if (series === undefined) {
      series = { labels: labels(), counts: this.#bounds.map(() => 0).concat(0), sum: 0 };
      this.#series.set(key, series);
    }
    let bucket = 0;
    while (bucket < this.#bounds.length && value > this.#bounds[bucket]!) bucket++;
    series.counts[bucket]!++;
    series.sum += value;
  }

  read(): HistogramReading[] {
    const readings: HistogramReading[] = [];
    for (const { labels, counts, sum } of this.#series.values()) {
      let total = 0;
      counts.forEach((count, bucket) => {
        total += count;
        const le = String(this.#bounds[bucket] ?? '+Inf');
        readings.push({ labels: { ...labels, le }, suffix: '_bucket', value: total });
      });
      readings.push({ labels, suffix: '_sum', value: sum }, { labels, suffix: '_count', value: total });
    }
    return readings;
  }
}
