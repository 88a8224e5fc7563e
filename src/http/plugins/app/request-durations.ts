const name = 'reelay_http_request_duration_seconds';
const help = 'Time from the request line to the end of the answer.';
/** Upper bounds in seconds: answers from memory, from the store, from an upstream. */
const bounds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30];

interface Series {
  labels: { method: string; route: string; status: number };
  /** One count per bound, not yet summed up, and one for what is slower than all. */
  counts: number[];
  sumSeconds: number;
}

/**
 * A histogram of answers by method, route and status. The library's own builds and hashes the labels for every
 * observation, which costs a request more than its JSON does; here they are looked up.
 */
export class RequestDurations {
  readonly name = name;
  readonly #series = new Map<string, Map<number, Series>>();

  /** `route` is the pattern, never the path: ids would make a series each. */
  observe(method: string, route: string, status: number, seconds: number): void {
    const key = method + route;
    let byStatus = this.#series.get(key);
    if (byStatus === undefined) this.#series.set(key, (byStatus = new Map()));
    let series = byStatus.get(status);
    if (series === undefined) {
      series = { labels: { method, route, status }, counts: bounds.map(() => 0).concat(0), sumSeconds: 0 };
      byStatus.set(status, series);
    }
    let bucket = 0;
    while (bucket < bounds.length && seconds > bounds[bucket]!) bucket++;
    series.counts[bucket]!++;
    series.sumSeconds += seconds;
  }

  /** As the library reads a metric. */
  async get() {
    const values: { metricName: string; labels: Record<string, string | number>; value: number }[] = [];
    for (const byStatus of this.#series.values()) {
      for (const { labels, counts, sumSeconds } of byStatus.values()) {
        let total = 0;
        counts.forEach((count, bucket) => {
          total += count;
          const le = bounds[bucket] ?? '+Inf';
          values.push({ metricName: `${name}_bucket`, labels: { ...labels, le }, value: total });
        });
        values.push({ metricName: `${name}_sum`, labels, value: sumSeconds });
        values.push({ metricName: `${name}_count`, labels, value: total });
      }
    }
    return { name, help, type: 'histogram', aggregator: 'sum', values };
  }
}
