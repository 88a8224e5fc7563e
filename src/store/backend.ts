/** What an engine has to offer; `store.ts` makes the Store port out of it. */
import type { LedgerVerdict } from '../core/ports.ts';
import type { ArgsOf, MutationName, ResultOf } from './mutations.ts';
import type { RecentTasks } from './recent-tasks.ts';
import type { Procedure } from './statement.ts';

export interface Backend {
  /** Only where every change of a task passes through this process: elsewhere nobody tells what became stale. */
  recentTasks?: RecentTasks;
  /** Runs a procedure that only reads. */
  read<Result>(procedure: Procedure<Result>): Promise<Result>;
  /** Runs a mutation in a transaction; resolves after the commit. Arguments and result are plain data. */
  write<Name extends MutationName>(name: Name, args: ArgsOf<Name>): Promise<ResultOf<Name>>;
  /** Reads the whole ledger in one snapshot without holding up anything else. */
  verifyLedger(): Promise<LedgerVerdict>;
  /** Runs `work` while no other node that shares the store runs any. */
  alone<Result>(work: () => Promise<Result>): Promise<Result>;
  onCommit(topic: string, listener: (detail: string | null) => void): () => void;
  close(): Promise<void>;
}
