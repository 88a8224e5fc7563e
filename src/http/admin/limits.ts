/** Limits of keys and accounts as the admin API spells them. */
import { z } from 'zod';
import { GatewayError } from '../../core/errors.ts';
import type { Limits } from '../../core/limits.ts';
import { parseMicros } from '../../core/money.ts';
import { createAddressList } from '../../lib/address-list.ts';
import { moneyField, renderMoney, renderTime, timeField } from './kit.ts';

const amount = z.union([z.string(), z.number()]);

/** What may be sent. Absent or null is not limited; the whole object replaces what was set before. */
export const limitsInput = z
  .strictObject({
    requests_per_minute: z.number().int().min(1).max(1_000_000).nullish(),
    concurrent_tasks: z
      .number()
      .int()
      .min(0)
      .max(1_000_000)
      .nullish()
      .meta({ description: 'Tasks that are not final.' }),
    spend_per_day: amount
      .nullish()
      .meta({ description: 'What was charged and is held, of tasks accepted on one day (UTC).' }),
    spend_per_month: amount.nullish(),
    models: z
      .array(z.string().trim().min(1).max(100))
      .max(200)
      .nullish()
      .meta({ description: 'Public model names; all others are refused.' }),
    ip_addresses: z.array(z.string().trim().min(1).max(64)).max(200).nullish().meta({
      description: 'Addresses and ranges such as 203.0.113.0/24; requests from others are refused.',
    }),
    expires_at: z.iso
      .datetime({ offset: true })
      .nullish()
      .meta({ description: 'From then on requests are refused; running tasks are seen to their end.' }),
  })
  .meta({ id: 'NewLimits' });

/** What is answered: only what is limited. */
export const limitsField = z
  .object({
    requests_per_minute: z.number().int(),
    concurrent_tasks: z.number().int(),
    spend_per_day: moneyField,
    spend_per_month: moneyField,
    models: z.array(z.string()),
    ip_addresses: z.array(z.string()),
    expires_at: timeField,
  })
  .partial()
  .nullable()
  .meta({ id: 'Limits', description: 'Null: not limited.' });

/** Null takes all limits away, as does an object without any. Throws `invalid_value` naming the field. */
export function readLimits(input: z.infer<typeof limitsInput> | null): Limits | null {
  if (input === null) return null;
  const limits: Limits = {};
  const { requests_per_minute: requests, concurrent_tasks: tasks, spend_per_day: day } = input;
  const { spend_per_month: month, models, ip_addresses: addresses, expires_at: expiry } = input;
  if (isGiven(requests)) limits.requestsPerMinute = requests;
  if (isGiven(tasks)) limits.concurrentTasks = tasks;
  if (isGiven(day)) limits.spendPerDayMicros = readSpend('spend_per_day', day);
  if (isGiven(month)) limits.spendPerMonthMicros = readSpend('spend_per_month', month);
  if (isGiven(models)) limits.models = models;
  if (isGiven(addresses)) limits.ipAddresses = readAddresses(addresses);
  if (isGiven(expiry)) limits.expiresAt = Date.parse(expiry);
  return Object.keys(limits).length === 0 ? null : limits;
}

export function renderLimits(limits: Limits | undefined): z.infer<typeof limitsField> {
  if (limits === undefined) return null;
  const { requestsPerMinute, concurrentTasks, spendPerDayMicros, spendPerMonthMicros } = limits;
  const { models, ipAddresses, expiresAt } = limits;
  return {
    ...(requestsPerMinute !== undefined && { requests_per_minute: requestsPerMinute }),
    ...(concurrentTasks !== undefined && { concurrent_tasks: concurrentTasks }),
    ...(spendPerDayMicros !== undefined && { spend_per_day: renderMoney(spendPerDayMicros) }),
    ...(spendPerMonthMicros !== undefined && { spend_per_month: renderMoney(spendPerMonthMicros) }),
    ...(models && { models }),
    ...(ipAddresses && { ip_addresses: ipAddresses }),
    ...(expiresAt !== undefined && { expires_at: renderTime(expiresAt) }),
  };
}

function isGiven<Value>(value: Value | null | undefined): value is Value {
  return value !== null && value !== undefined;
}

function readSpend(name: string, value: string | number): bigint {
  const micros = parseMicros(value);
  if (micros !== null && micros >= 0n) return micros;
  throw new GatewayError(
    'invalid_value',
    `'limits.${name}' must be a decimal with at most six decimals, like "12.50".`,
    { param: `limits.${name}` },
  );
}

function readAddresses(addresses: string[]): string[] {
  try {
    createAddressList(addresses);
    return addresses;
  } catch (error) {
    throw new GatewayError('invalid_value', `'limits.ip_addresses': ${(error as Error).message}.`, {
      param: 'limits.ip_addresses',
    });
  }
}
