/**
 * The audit after a storm: every task, every entry of the ledger and everything the upstream ever accepted, compared
 * with each other and with what callers were told.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { LooseJson } from '../test/helpers/processes.ts';
import type { Report } from './report.ts';
import type { Account, Installation } from './installation.ts';

/** Money as a decimal string of at most six decimals, in micro-units. */
export function micros(amount: string): bigint {
  const [, sign, whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d{1,6}))?$/.exec(amount) ?? [];
  if (whole === undefined) throw new Error(`no amount: ${amount}`);
  const value = BigInt(whole) * 1_000_000n + BigInt(fraction.padEnd(6, '0'));
  return sign === '-' ? -value : value;
}

const FINAL = new Set(['completed', 'failed', 'cancelled']);

/** Waits until no task is open, or none has ended for `patienceMs`. Answers how many are still open. */
export async function comeToRest(world: Installation, patienceMs = 30_000): Promise<number> {
  let least = Infinity;
  let since = performance.now();
  for (;;) {
    const open = await world.openTasks();
    if (open === 0) return 0;
    if (open < least) {
      least = open;
      since = performance.now();
    }
    if (performance.now() - since > patienceMs) return open;
    await sleep(250);
  }
}

export interface Expectation {
  account: Account;
  /** Ids of tasks that a caller was told of. */
  told: Iterable<string>;
  /** Whether this task had to come to a good end. */
  mustComplete: (task: LooseJson) => boolean;
  /** The upstream knows no handles of such tasks: they can only be counted. */
  isAnsweredAtOnce?: true;
  /** How long nothing may happen while tasks are open; 30 s when absent. */
  patienceMs?: number;
}

/** Waits for the end of all tasks and puts the promises about tasks, upstream and money into the report. */
export async function audit(
  world: Installation,
  report: Report,
  expectation: Expectation,
): Promise<LooseJson[]> {
  const { account } = expectation;
  const stuck = await comeToRest(world, expectation.patienceMs);
  report.demand('0 stuck: every task has come to its end', stuck === 0, `${stuck} tasks are still open`);

  const tasks = await world.list(`/tasks?account_id=${account.id}`);
  const byId = new Map<string, LooseJson>(tasks.map((task) => [task.id, task]));
  const told = [...expectation.told];
  report.figure('tasks a caller was told of', told.length);
  report.figure('tasks in the store', tasks.length);
  report.figure('of them completed', tasks.filter(({ state }) => state === 'completed').length);
  const missing = told.filter((id) => !FINAL.has(byId.get(id)?.state));
  report.demand(
    '0 lost: every create that got a 2xx is in the store, and final',
    missing.length === 0,
    missing,
  );
  const open = tasks.filter(({ state }) => !FINAL.has(state));
  report.demand('every task in the store is final', open.length === 0, open.slice(0, 3).map(brief));
  const failed = tasks.filter((task) => task.state !== 'completed' && expectation.mustComplete(task));
  report.demand(
    'no task failed that its upstream could make',
    failed.length === 0,
    failed.slice(0, 3).map(brief),
  );

  if (expectation.isAnsweredAtOnce) await countUpstream(world, report, tasks);
  else await auditUpstream(world, report, byId);
  await auditMoney(world, report, account, tasks);
  return tasks;
}

async function auditUpstream(
  world: Installation,
  report: Report,
  byId: Map<string, LooseJson>,
): Promise<void> {
  const upstream = await world.upstreamTasks();
  report.figure('tasks the upstream accepted', upstream.length);
  const handles = Map.groupBy(upstream, (task) => task.dedup_handle);
  const twice = [...handles].filter(([, of]) => of.length > 1 || of[0]!.submits !== 1);
  report.demand('0 upstream duplicates: one accepted submit per task', twice.length === 0, twice.slice(0, 5));
  const strangers = [...handles.keys()].filter((handle) => !byId.has(handle));
  report.demand('the upstream has no task that we do not know', strangers.length === 0, strangers);
  const unmade = [...byId.values()].filter(
    ({ id, state }) => state === 'completed' && handles.get(id)?.[0]?.status !== 'succeeded',
  );
  report.demand(
    'every completed task was made by the upstream',
    unmade.length === 0,
    unmade.slice(0, 3).map(brief),
  );
}

async function countUpstream(world: Installation, report: Report, tasks: LooseJson[]): Promise<void> {
  const { length: made } = await world.upstreamTasks();
  const completed = tasks.filter(({ state }) => state === 'completed').length;
  report.figure('times the upstream was asked', made);
  report.demand(
    'the upstream was asked once for each completed task, and never twice for any',
    made >= completed && made <= tasks.length,
    { made, completed, tasks: tasks.length },
  );
}

interface Sums {
  hold: bigint;
  settle: bigint;
  release: bigint;
  settles: number;
}

async function auditMoney(
  world: Installation,
  report: Report,
  account: Account,
  tasks: LooseJson[],
): Promise<void> {
  const entries = await world.list(`/accounts/${account.id}/ledger`);
  report.figure('ledger entries of the account', entries.length);
  const sums = new Map<string, Sums>();
  for (const { task_id: id, book, kind, amount } of entries) {
    // What enters and leaves the account's `held` book tells the whole story of a task's money.
    if (id === null || book !== 'held') continue;
    const of = sums.get(id) ?? { hold: 0n, settle: 0n, release: 0n, settles: 0 };
    sums.set(id, of);
    if (kind === 'hold') of.hold += micros(amount);
    else if (kind === 'settle') {
      of.settle -= micros(amount);
      of.settles++;
    } else if (kind === 'release') of.release -= micros(amount);
  }
  const faulty = tasks.filter((task) => {
    const of = sums.get(task.id);
    if (of === undefined) return true;
    const charge = micros(task.charge ?? '0');
    return (
      of.hold !== micros(task.quote.amount) ||
      of.hold !== of.settle + of.release ||
      of.settle !== charge ||
      of.settles !== (task.state === 'completed' ? 1 : 0)
    );
  });
  report.demand(
    'hold = charge + release for every task, settled once if completed, else never',
    faulty.length === 0 && sums.size === tasks.length,
    faulty.slice(0, 3).map((task) => ({ id: task.id, state: task.state, ...texts(sums.get(task.id)) })),
  );
  const verdict = await world.admin('/ledger/verify');
  report.demand('the ledger verifies and its sum is 0', verdict.ok && Number(verdict.sum) === 0, verdict);
  const wallet = await world.admin(`/accounts/${account.id}/wallet`);
  report.demand('nothing is held any more', Number(wallet.held) === 0, wallet);
}

/** What tells one task from another in a report. */
function brief({ id, state, prompt, error, created_at, updated_at }: LooseJson): object {
  return { id, state, prompt, error, created_at, updated_at };
}

function texts(sums: Sums | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(sums ?? {}).map(([name, value]) => [name, String(value)]));
}
