/** What keys and accounts are held to. */
import { UsageError, type Context, type Input, type Option } from './command.ts';
import { facts } from './table.ts';
import { printJson, time } from './text.ts';
import type { Limits } from './wire.ts';

/** Takes a limit away. */
const NONE = 'none';

export const limitOptions: Record<string, Option> = {
  'requests-per-minute': { type: 'string', value: '<n>', help: 'Requests in a minute.' },
  'concurrent-tasks': { type: 'string', value: '<n>', help: 'Tasks that are not final at the same time.' },
  'spend-per-day': { type: 'string', value: '<amount>', help: 'Charged and held on one day (UTC).' },
  'spend-per-month': { type: 'string', value: '<amount>', help: 'Charged and held in one month (UTC).' },
  model: { type: 'string', multiple: true, value: '<model>', help: 'A model it may use; may be repeated.' },
  ip: {
    type: 'string',
    multiple: true,
    value: '<address>',
    help: 'An address or range it may call from; may be repeated.',
  },
  expires: { type: 'string', value: '<time>', help: 'When it stops working, e.g. 2027-01-31T00:00:00Z.' },
};

/** The limits that the options name; null takes one away. Throws UsageError. */
export function readLimits(input: Input): { [Name in keyof Limits]: Limits[Name] | null } {
  const given: Record<string, unknown> = {};
  const text = (option: string, field: string, read: (text: string) => unknown): void => {
    const value = input.text(option);
    if (value !== undefined) given[field] = value === NONE ? null : read(value);
  };
  const list = (option: string, field: string): void => {
    const values = input.texts(option);
    if (values.length > 0) given[field] = values.includes(NONE) ? null : values;
  };
  text('requests-per-minute', 'requests_per_minute', (value) => whole('--requests-per-minute', value));
  text('concurrent-tasks', 'concurrent_tasks', (value) => whole('--concurrent-tasks', value));
  text('spend-per-day', 'spend_per_day', (value) => amount('--spend-per-day', value));
  text('spend-per-month', 'spend_per_month', (value) => amount('--spend-per-month', value));
  list('model', 'models');
  list('ip', 'ip_addresses');
  text('expires', 'expires_at', (value) => moment('--expires', value));
  return given;
}

/** What was set before with the given ones laid over it: the API takes the whole at once. */
export function merged(before: Limits | null, given: ReturnType<typeof readLimits>): Limits | null {
  const all = Object.entries({ ...before, ...given }).filter(([, value]) => value !== null);
  return all.length === 0 ? null : Object.fromEntries(all);
}

export function printLimits(input: Input, { terminal }: Context, whose: string, limits: Limits | null): void {
  if (input.flag('json')) printJson(terminal, limits);
  else if (limits === null) terminal.out(`${whose} is not limited.\n`);
  else terminal.out(`${whose} is held to:\n${limitsText(limits)}`);
}

function limitsText(limits: Limits): string {
  const number = (value: number | undefined): string | null => (value === undefined ? null : String(value));
  return facts([
    ['  requests per minute', number(limits.requests_per_minute)],
    ['  concurrent tasks', number(limits.concurrent_tasks)],
    ['  spend per day', limits.spend_per_day],
    ['  spend per month', limits.spend_per_month],
    ['  models', limits.models?.join(', ')],
    ['  addresses', limits.ip_addresses?.join(', ')],
    ['  expires', limits.expires_at === undefined ? null : `${time(limits.expires_at)} UTC`],
  ]);
}

function whole(option: string, value: string): number {
  if (/^\d{1,7}$/.test(value)) return Number(value);
  throw new UsageError(`${option} must be a whole number or ${NONE}, not ${JSON.stringify(value)}.`);
}

function amount(option: string, value: string): string {
  if (/^\d{1,12}(\.\d{1,6})?$/.test(value)) return value;
  throw new UsageError(
    `${option} must be a decimal like 25 or 99.50, or ${NONE}, not ${JSON.stringify(value)}.`,
  );
}

function moment(option: string, value: string): string {
  const at = new Date(value);
  if (!Number.isNaN(at.getTime())) return at.toISOString();
  throw new UsageError(
    `${option} must be a time like 2027-01-31T00:00:00Z, or ${NONE}, not ${JSON.stringify(value)}.`,
  );
}
