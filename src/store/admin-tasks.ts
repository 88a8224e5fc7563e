/**
 * Lists of tasks by any filters, for operators and for callers who search. One of them leads: the one whose index holds the fewest tasks. The list
 * walks down that index, newest first, asks the indexes of the other filters for each id, and reads what is left. It
 * does so in steps, so that a rare match among a million does not hold up everything else, and in no more than a few for
 * one page: where many tasks meet each filter and hardly any all of them, a page comes short and the next goes on.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Page, Store } from '../core/ports.ts';
import type { Attention, Task } from '../core/task.ts';
import { idFloor } from '../lib/ids.ts';
import { AFTER_ALL_IDS, BEFORE_ALL_IDS, toPage } from './page.ts';
import { first, rows, statementVariants, type Procedure } from './statement.ts';
import { isWithin } from './task-reads.ts';
import { fromTaskRow } from './task-row.ts';

type AdminQuery = Parameters<Store['adminTasks']>[0];
type SearchQuery = Parameters<Store['searchTasks']>[0];
type Read = <Result>(procedure: Procedure<Result>) => Promise<Result>;
type State = Task['state'];

/**
 * Tasks looked at in the steps of one page: most pages are full after the first; further ones grow, because each is asked
 * of the server anew, and take a few milliseconds of an embedded database.
 */
const STEPS = [1_000, 2_000, 3_000, 4_000];
/** No index is counted further than this, a millisecond: whoever holds more holds many. Fewer are on one page's way. */
const MANY = STEPS.reduce((sum, rows) => sum + rows);
/** A task's id tells when it was created, its row tells it again; a clock may be trimmed between the two. */
const ID_SLACK_MS = 60_000;

/** Filters with an index of their own, and one over the tasks that ended badly. */
const INDEXED = ['tier', 'model', 'channel_id', 'account_id'] as const;
type Indexed = (typeof INDEXED)[number];

/**
 * What an index leads to: the tasks of an account, of a model, …; those that ended in a state without a result, of all
 * or of an account, a model, …; those an operator should look at; the open ones; or simply all.
 */
type Lead = Indexed | 'ended_badly' | `${Indexed} ended_badly` | 'attention' | 'open' | 'all';

interface Args {
  /** Ids of a step: below `before`, and from `from` on. */
  before: string;
  from: string;
  limit: number;
  account_id: string;
  channel_id: string;
  model: string;
  tier: string;
  created_from: number;
  created_to: number;
  attention: Attention;
}

type Query = Omit<AdminQuery, 'state'> & {
  states?: State[] | undefined;
  /** Hidden ones are left out. */
  onlyShown?: boolean;
};

/** What a statement filters by: arguments, states, and whether hidden tasks are left out. */
type Filter = keyof Args | `state ${State}` | 'shown';
/** How many tasks a statement looks at. It stands in the text: a planner believes it before its own guesses. */
type Size = `${number}`;

type Builder = Parameters<Parameters<ReturnType<typeof statementVariants<Args>>>[0]>;

/** A lead, and the filters that were given besides it or that it stands for. */
interface Filtered {
  lead: Lead;
  filters: Filter[];
  states: State[];
}

/** A statement is named by its lead, perhaps a size, and its filters. */
function readFiltered(given: ReadonlySet<string>): Filtered {
  const [lead, ...names] = [...given] as [Lead, ...(Size | Filter)[]];
  const filters = names.filter((name): name is Filter => !/^\d/.test(name));
  return { lead, filters, states: filters.flatMap((name) => stateIn(name) ?? []) };
}

function sizeIn(given: ReadonlySet<string>) {
  return sql.lit(Number([...given].find((name) => /^\d/.test(name))));
}

function stateIn(name: Filter): State | null {
  return name.startsWith('state ') ? (name.slice('state '.length) as State) : null;
}

/** Ids of the tasks of a step that a lead leads to, one of those without an order of its own or with few rows. */
function leadIds([db, arg]: [Builder[0], Builder[1]], { lead, states }: Filtered) {
  const ids = db.selectFrom('tasks').select('id');
  // In no order that helps, so not in steps either.
  if (lead === 'open') {
    return ids.where('deadline_at', '>', 0).where('state', 'in', states).where('ended_at', 'is', null);
  }
  let query = ids.where('id', '<', arg('before')).where('id', '>=', arg('from'));
  for (const name of INDEXED) {
    if (lead === `${name} ended_badly`) query = query.where(name, '=', arg(name));
  }
  if (lead.endsWith('ended_badly')) {
    query = query.where('state', 'in', states).where('error', 'is not', null);
  }
  if (lead === 'attention') {
    query = query.where('attention', 'is not', null).where('attention', '=', arg('attention'));
  }
  return query;
}

/** Ids of the tasks that a lead leads to, newest first. No other filter stands here: no other index can be meant. */
function newestIds(builder: [Builder[0], Builder[1]], filtered: Filtered) {
  const { lead, states, filters } = filtered;
  if (isIndexed(lead)) {
    const [db, arg] = builder;
    let ids = db
      .selectFrom('tasks')
      .select('id')
      .where(isWithin([lead, 'id'], [arg(lead), arg('from')], [arg(lead), arg('before')]));
    // This index knows what is hidden: a step of it holds so many that are not.
    if (lead === 'account_id' && filters.includes('shown')) ids = ids.where('hidden_at', 'is', null);
    return ids.orderBy(lead, 'desc').orderBy('id', 'desc');
  }
  if (!lead.endsWith('ended_badly')) return leadIds(builder, filtered).orderBy('id', 'desc');
  // The index keeps each state in an order of its own: they are merged, or else all of them would be sorted.
  return states
    .map((state) => leadIds(builder, { ...filtered, states: [state] }))
    .reduce((some, more) => some.unionAll(more))
    .orderBy('id', 'desc');
}

/** How many there are, newest first, counted no further than `limit`; and how far back so many reach. */
const countOf = statementVariants<Args>()((db, arg, given) => {
  const filtered = readFiltered(given);
  const ids = filtered.lead === 'open' ? leadIds([db, arg], filtered) : newestIds([db, arg], filtered);
  return db
    .selectFrom(ids.limit(arg('limit')).as('found'))
    .select((eb) => [eb.fn.countAll<number>().as('number'), eb.fn.min<string | null>('id').as('oldest')]);
});

/** The id a step ends with. */
const stepEnd = statementVariants<Args>()((db, arg, given) =>
  newestIds([db, arg], readFiltered(given)).limit(1).offset(sizeIn(given)),
);

/**
 * Of the tasks of one step those that every filter lets through. Most that fall through do so in an index: a row is
 * read when all indexes have its id.
 */
const tasksAmong = statementVariants<Args>()((db, arg, given) => {
  const filtered = readFiltered(given);
  const { lead, filters, states } = filtered;
  const rest = filters.filter((name) => !isMetBy(lead, name));
  const inStep = db.selectFrom('tasks').selectAll().orderBy('id', 'desc').limit(arg('limit'));
  let query = inStep;
  // What else is led to has these bounds of itself.
  if (lead === 'all' || lead === 'open') {
    query = query.where('id', '<', arg('before')).where('id', '>=', arg('from'));
  }
  if (lead !== 'all') query = query.where('id', 'in', idsAmong([db, arg], filtered, rest, sizeIn(given)));
  if (rest.some((name) => stateIn(name) !== null)) query = query.where('state', 'in', states);
  if (rest.includes('shown')) query = query.where('hidden_at', 'is', null);
  if (rest.includes('attention')) query = query.where('attention', '=', arg('attention'));
  if (rest.includes('created_from')) query = query.where('created_at', '>=', arg('created_from'));
  if (rest.includes('created_to')) query = query.where('created_at', '<=', arg('created_to'));
  return query;
});

/** Of the ids that a lead leads to those that stand in the indexes of the other filters, too. */
function idsAmong(
  [db, arg]: [Builder[0], Builder[1]],
  filtered: Filtered,
  rest: Filter[],
  size: ReturnType<typeof sizeIn>,
) {
  const led =
    filtered.lead === 'open'
      ? leadIds([db, arg], filtered)
      : newestIds([db, arg], filtered).limit(rest.length === 0 ? arg('limit') : size);
  let ids = db
    // Without that word, PostgreSQL sees that both sides are one table and reads every row between the step's ends.
    .with(
      (name) => name('led').materialized(),
      () => led,
    )
    .selectFrom('led')
    .select('led.id');
  for (const name of INDEXED) {
    if (!rest.includes(name)) continue;
    // A range of one id: asked for by equality, one engine reads the row, the other the ids of all that go by the name.
    ids = ids.where(({ exists, selectFrom }) =>
      exists(
        selectFrom('tasks as same')
          .select('same.id')
          .where(`same.${name}`, '=', arg(name))
          .whereRef('same.id', '>=', 'led.id')
          .whereRef('same.id', '<=', 'led.id'),
      ),
    );
  }
  return ids;
}

function isIndexed(lead: Lead): lead is Indexed {
  return (INDEXED as readonly string[]).includes(lead);
}

/** What a lead leads to has passed the filters it stands for. */
function isMetBy(lead: Lead, name: Filter): boolean {
  if (stateIn(name) !== null) return lead === 'open' || lead.endsWith('ended_badly');
  if (name === 'shown') return lead === 'account_id';
  return lead === name || lead === `${name} ended_badly`;
}

/** How a list goes: decided once, before its first step. */
export interface Walk {
  lead: Lead;
  /** Where the ids begin and end that can match. */
  before: string;
  from: string;
  filters: Filter[];
  /** What the filters ask for. */
  args: Partial<Args>;
}

interface Counted {
  lead: Lead;
  number: number;
  /** Id. */
  oldest: string;
}

/** For operators: hidden tasks included. */
export function adminTasks(read: Read, { state, ...query }: AdminQuery): Promise<Page<Task>> {
  return readPage(read, { ...query, states: state && [state] });
}

/** For callers: only what they may see. */
export function searchTasks(read: Read, query: SearchQuery): Promise<Page<Task>> {
  return readPage(read, { ...query, onlyShown: true });
}

/** One page, read step by step; others have their turn between two steps. It may come short and yet not be the last. */
async function readPage(read: Read, query: Query): Promise<Page<Task>> {
  const walk = await read(chooseWalk(query));
  const found: Task[] = [];
  let { before } = walk;
  for (const [index, stepRows] of STEPS.entries()) {
    if (index > 0) await turn();
    const step: { tasks: Task[]; next: string | null } = await read(
      adminTasksBefore(walk, before, { stepRows, limit: query.limit + 1 - found.length }),
    );
    for (const task of step.tasks) found.push(task);
    if (found.length > query.limit) return toPage(query, found, (task) => task);
    if (step.next === null) return { rows: found, nextCursor: null };
    before = step.next;
  }
  return { rows: found, nextCursor: before };
}

/** Counts what each index leads to, a little way, where there is a choice. */
export function* chooseWalk(query: Query): Procedure<Walk> {
  const named = {
    account_id: query.accountId,
    channel_id: query.channelId,
    model: query.model,
    tier: query.tier,
    attention: query.attention,
    created_from: query.createdFrom,
    created_to: query.createdTo,
  };
  const args = Object.fromEntries(
    Object.entries(named).filter(([, value]) => value !== undefined),
  ) as Partial<Args>;
  const { createdFrom, createdTo, states = [], onlyShown = false } = query;
  const filters: Filter[] = [
    ...states.toSorted().map((state) => `state ${state}` as const),
    ...(Object.keys(args) as (keyof Args)[]),
    ...(onlyShown ? (['shown'] as const) : []),
  ];
  const after = createdTo === undefined ? AFTER_ALL_IDS : idFloor('task_', createdTo + ID_SLACK_MS);
  const cursor = query.cursor ?? AFTER_ALL_IDS;
  const walk = {
    before: cursor < after ? cursor : after,
    from: createdFrom === undefined ? BEFORE_ALL_IDS : idFloor('task_', createdFrom - ID_SLACK_MS),
    filters,
    args,
  };
  const leads = leadsOf(args, states);
  // Where there is no choice there is nothing to count; but what is open leads only where it is little.
  if (leads.length === 0) return { lead: 'all', ...walk };
  if (leads.length === 1 && leads[0] !== 'open') return { lead: leads[0]!, ...walk };
  let best: Counted | null = null;
  for (const lead of leads) {
    const { number, oldest } = (yield* first(countOf([lead, ...filters]), { ...argsOf(walk), limit: MANY }))!;
    const counted: Counted = { lead, number, oldest: oldest ?? BEFORE_ALL_IDS };
    if ((lead !== 'open' || number < MANY) && (best === null || isNarrower(counted, best))) best = counted;
  }
  return { lead: best?.lead ?? 'all', ...walk };
}

/** Where both are many, the one whose many newest reach further back lie less close together. */
function isNarrower(one: Counted, other: Counted): boolean {
  return one.number === MANY && other.number === MANY ? one.oldest < other.oldest : one.number < other.number;
}

/** The narrowest first. */
function leadsOf(args: Partial<Args>, states: State[]): Lead[] {
  const indexed = INDEXED.filter((name) => args[name] !== undefined);
  const areAmong = (...some: State[]): boolean =>
    states.length > 0 && states.every((one) => some.includes(one));
  if (args.attention !== undefined) return ['attention'];
  if (areAmong('failed', 'cancelled')) {
    return indexed.length === 0 ? ['ended_badly'] : indexed.map((name) => `${name} ended_badly` as const);
  }
  return areAmong('queued', 'in_progress') ? [...indexed, 'open'] : indexed;
}

/** Up to `limit` of so many tasks before an id; `next` is where the next step goes on, null at the end of all tasks. */
export function* adminTasksBefore(
  walk: Walk,
  before: string,
  { stepRows, limit }: { stepRows: number; limit: number },
): Procedure<{ tasks: Task[]; next: string | null }> {
  const { lead, filters } = walk;
  const args = { ...argsOf(walk), before };
  const end = lead === 'open' ? null : yield* first(stepEnd([lead, `${stepRows - 1}`, ...filters]), args);
  const from = end?.id ?? walk.from;
  const found = yield* rows(tasksAmong([lead, `${stepRows}`, ...filters]), { ...args, from, limit });
  return { tasks: found.map(fromTaskRow), next: end?.id ?? null };
}

/** Filters that are not given are not in a statement either: nothing is bound for them. */
function argsOf({ before, from, args }: Pick<Walk, 'before' | 'from' | 'args'>): Args {
  return { before, from, ...args } as Args;
}
