/** Figures for whoever runs the gateway, and where they come from. */

/** A figure by its labels, read when somebody looks. */
export interface Measure {
  /** `reelay_…`, with its unit last: `_seconds`, `_bytes`, `_total` for what only grows. */
  name: string;
  help: string;
  type: 'gauge' | 'counter' | 'histogram';
  /** Costs a few milliseconds at most: it is asked every few seconds. */
  read(): Reading[] | Promise<Reading[]>;
}

export interface Reading {
  labels: Record<string, string>;
  value: number;
  /** Of a histogram's parts: `_bucket`, `_sum`, `_count`. */
  suffix?: string;
}

/** Told of what a store does, on the thread that asked; costs next to nothing. */
export interface StoreWatch {
  /** A change by name: `ok`, or the code it was refused with; from asking to the answer, its commit included. */
  changed(change: string, outcome: string, seconds: number): void;
  /** A transaction of so many changes. */
  committed(changes: number): void;
}
