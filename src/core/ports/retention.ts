/** Deleting what is old. Nothing of it is money: ledger entries, usage records and consumption events stay for ever. */
export interface RetentionStore {
  /** Deletes exchanges of attempts that ended before; answers how many attempts were gone through. */
  pruneExchanges(input: { before: number; limit: number }): Promise<number>;
  /** Deletes events from before; answers how many. */
  pruneEvents(input: { before: number; limit: number }): Promise<number>;
  /**
   * Deletes tasks that ended before, with attempts, exchanges and events; by id after `after`. What still has files or
   * calls for an operator stays. `next` is null when the tasks that are left are younger.
   */
  pruneTasks(input: {
    before: number;
    after: string;
    limit: number;
  }): Promise<{ deleted: number; next: string | null }>;
}
