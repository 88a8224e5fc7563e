/** `POST /tasks`: tasks of a period, filtered, by cursor. */
import type { Gateway, Principal, TaskView } from '../../core/ports.ts';
import { isFeature } from '../../core/request/feature.ts';
import { invalid, isGiven, isObject, readList, readText, readWord, show } from '../../core/request/read.ts';
import type { Claim } from '../../core/request/types.ts';
import type { Task, TaskState } from '../../core/task.ts';
import { statusWords } from './task.ts';

type Body = Record<string, unknown>;

/** specs/kling.md §4. */
export const limits = { minimum: 1, maximum: 500, default: 100 };
export const windowMs = 30 * 86_400_000;
export const filterKeys = ['status', 'product_type'] as const;
export const productTypes = ['video', 'image', 'try_on'] as const;
const statuses = ['submitted', 'processing', 'succeeded', 'failed'] as const;

/** Where the kind of product is asked for: tasks in one read, and in one request. A filter that fits nothing must not walk for ever. */
const chunk = 250;
const scanMax = 1_000;

export interface Search {
  startMs: number;
  endMs: number;
  after: string | null;
  limit: number;
  /** In any of them; null: whatever their state. */
  states: TaskState[] | null;
  /** Which is not asked of the store: all of these hold. */
  filters: ((task: Task) => boolean)[];
}

export interface FoundTasks {
  tasks: TaskView[];
  /** Where to go on; null when nothing is left. */
  cursor: string | null;
}

/** Reads the body. Throws `invalid_value` naming the field. */
export function readSearch(body: Body, nowMs: number): Search {
  const endMs = readTime(body, 'end_time') ?? nowMs;
  const search: Search = {
    startMs: readTime(body, 'start_time') ?? endMs - windowMs,
    endMs,
    after: isGiven(body['cursor']) ? readText({ source: 'cursor', value: body['cursor'] }) : null,
    limit: readLimit(body['limit']),
    states: null,
    filters: [],
  };
  if (!isGiven(body['filters'])) return search;
  return readList({ source: 'filters', value: body['filters'] }).reduce(addFilter, search);
}

/** The account's tasks from the newest on. */
export async function searchTasks(
  gateway: Gateway,
  principal: Principal,
  { startMs, endMs, after, limit, states, filters }: Search,
): Promise<FoundTasks> {
  if (states?.length === 0) return { tasks: [], cursor: null };
  const query = { createdFrom: startMs, createdTo: endMs, ...(states && { states }) };
  if (filters.length === 0) return gateway.searchTasks(principal, { ...query, cursor: after, limit });
  const tasks: TaskView[] = [];
  let cursor = after;
  for (let scanned = 0; scanned < scanMax; scanned += chunk) {
    const page = await gateway.searchTasks(principal, { ...query, cursor, limit: chunk });
    for (const [index, view] of page.tasks.entries()) {
      if (!filters.every((holds) => holds(view.task))) continue;
      tasks.push(view);
      if (tasks.length < limit) continue;
      const isLast = index === page.tasks.length - 1 && page.cursor === null;
      return { tasks, cursor: isLast ? null : view.task.id };
    }
    cursor = page.cursor;
    if (cursor === null) break;
  }
  return { tasks, cursor };
}

function readTime(body: Body, key: string): number | null {
  const value = body[key];
  if (!isGiven(value)) return null;
  const number = typeof value === 'string' && /^\d{1,14}$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number;
  throw invalid(key, `must be Unix milliseconds, not ${show(value)}.`);
}

function readLimit(value: unknown): number {
  if (!isGiven(value)) return limits.default;
  const number = typeof value === 'string' && /^\d{1,4}$/.test(value) ? Number(value) : value;
  const { minimum, maximum } = limits;
  if (typeof number === 'number' && Number.isInteger(number) && number >= minimum && number <= maximum) {
    return number;
  }
  throw invalid('limit', `must be a whole number from ${minimum} to ${maximum}, not ${show(value)}.`);
}

function addFilter(search: Search, { source, value }: Claim): Search {
  if (!isObject(value)) throw invalid(source, `must be an object {key, values}, not ${show(value)}.`);
  const key = readWord({ source: `${source}.key`, value: value['key'] }, filterKeys);
  const values = readList({ source: `${source}.values`, value: value['values'] });
  if (key === 'status') {
    const wanted = new Set<string>(values.map((claim) => readWord(claim, statuses)));
    const states = search.states ?? (Object.keys(statusWords) as TaskState[]);
    return { ...search, states: states.filter((state) => wanted.has(statusWords[state])) };
  }
  const wanted = new Set<string>(values.map((claim) => readWord(claim, productTypes)));
  return { ...search, filters: [...search.filters, (task) => wanted.has(productTypeOf(task))] };
}

/** The platform's packs: sounds and voices are paid from that of films. */
function productTypeOf({ request }: Task): (typeof productTypes)[number] {
  if (!isFeature(request)) return 'video';
  if (request.operation === 'virtual-try-on') return 'try_on';
  return request.makes === 'image' || request.makes === 'element' ? 'image' : 'video';
}
