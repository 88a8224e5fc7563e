/**
 * Typed, frozen configuration: YAML file, overlaid by the environment. Read once at start; every fault names the
 * variable and the way out.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { z } from 'zod';
import { createAddressList } from './lib/address-list.ts';
import { createAddressPolicy } from './lib/address-policy.ts';

const DAY_MS = 86_400_000;

/** A configuration that cannot be used; the message is for the operator. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

const priceOverride = z.strictObject({
  tier: z.string(),
  unit_price: z.union([z.string(), z.number()]),
  operation: z.string().optional(),
  model: z.string().optional(),
  surcharge: z.string().optional(),
});

const keptDays = z.union([z.number(), z.literal('forever')]);

const fileSchema = z.strictObject({
  host: z.string().optional(),
  port: z.number().int().optional(),
  data: z.string().optional(),
  public_url: z.string().optional(),
  currency: z.string().optional(),
  secret: z.string().optional(),
  secret_also: z.union([z.string(), z.array(z.string())]).optional(),
  admin_token: z.string().optional(),
  sandbox: z
    .union([
      z.string(),
      z.strictObject({
        mode: z.string().optional(),
        speed: z.number().optional(),
        render: z.string().optional(),
      }),
    ])
    .optional(),
  demo: z.boolean().optional(),
  allow_private: z.array(z.string()).optional(),
  trust_proxy: z.array(z.string()).optional(),
  log_level: z.string().optional(),
  prices: z.array(priceOverride).optional(),
  retention_days: z.number().positive().optional(),
  retention: z
    .strictObject({
      exchanges_days: keptDays.optional(),
      events_days: keptDays.optional(),
      tasks_days: keptDays.optional(),
      deliveries_days: z.number().optional(),
    })
    .optional(),
  database_url: z.string().optional(),
  role: z.string().optional(),
  redis_url: z.string().optional(),
  s3: z
    .strictObject({
      endpoint: z.string().optional(),
      region: z.string().optional(),
      bucket: z.string().optional(),
      access_key: z.string().optional(),
      secret_key: z.string().optional(),
    })
    .optional(),
});

export type PriceOverride = z.infer<typeof priceOverride>;

export interface Config {
  host: string;
  /** 0 picks a free port (tests). */
  port: number;
  dataDir: string;
  /** `postgres://…`: the database that several nodes share; null: SQLite in `dataDir`. */
  databaseUrl: string | null;
  /** What this node does: answers requests, works in the background, or both. */
  role: 'all' | 'api' | 'worker';
  /** How callers and upstreams reach us; null: from the address we listen on. */
  publicUrl: string | null;
  currency: 'USD' | 'CNY';
  /** Root key for secrets at rest; null: made at first start. */
  secret: string | null;
  /** Root keys that open but do not seal: the one before, or the one to come. */
  secretsAlso: string[];
  adminToken: string | null;
  sandbox: {
    mode: 'embedded' | 'off' | 'remote';
    /** Of a sandbox run by `npm run sandbox`. */
    url: string | null;
    /** The operator set it: sandbox channels stay candidates beside real ones. */
    explicit: boolean;
    speed: number;
    render: 'full' | 'tiny';
  };
  demo: boolean;
  allowPrivate: string[];
  /** Addresses and ranges of the proxies before us, whose `X-Forwarded-For` is taken. */
  trustProxy: string[];
  logLevel: string;
  prices: PriceOverride[];
  retentionMs: number;
  /** How long rows are kept that are no money; null: for ever. */
  keep: { exchangesMs: number | null; eventsMs: number | null; tasksMs: number | null; deliveriesMs: number };
  /** Where nodes share rate limits; null: each node counts for itself, or all in their database. */
  redisUrl: string | null;
  /** Where media are kept; null: on the local disk. */
  s3: { endpoint: string; region: string; bucket: string; accessKey: string; secretKey: string } | null;
}

/** Reads the environment and the YAML file it names (or `reelay.yaml` if present). */
export function loadConfig(env: Record<string, string | undefined>, cwd = process.cwd()): Config {
  const file = readFile(env, cwd);
  const value = (name: string): string | undefined => (env[name] === '' ? undefined : env[name]);
  const database = databaseUrl(value('DATABASE_URL') ?? file.database_url);
  const fileSandbox = typeof file.sandbox === 'string' ? { mode: file.sandbox } : (file.sandbox ?? {});
  const sandboxWord = value('REELAY_SANDBOX') ?? fileSandbox.mode;
  const config: Config = {
    host: value('HOST') ?? file.host ?? '127.0.0.1',
    port: integer('PORT', value('PORT') ?? file.port ?? 8787, 0, 65_535),
    dataDir: resolve(cwd, value('REELAY_DATA') ?? file.data ?? './data'),
    databaseUrl: database,
    role: oneOf('REELAY_ROLE', value('REELAY_ROLE') ?? file.role ?? 'all', ['all', 'api', 'worker']),
    publicUrl: publicUrl(value('REELAY_PUBLIC_URL') ?? file.public_url),
    currency: oneOf('REELAY_CURRENCY', (value('REELAY_CURRENCY') ?? file.currency ?? 'USD').toUpperCase(), [
      'USD',
      'CNY',
    ]),
    secret: secretOf('REELAY_SECRET', value('REELAY_SECRET') ?? file.secret),
    secretsAlso: [value('REELAY_SECRET_ALSO') ?? file.secret_also ?? []]
      .flat()
      .map((text) => secretOf('REELAY_SECRET_ALSO', text)),
    adminToken: tokenOf(value('REELAY_ADMIN_TOKEN') ?? file.admin_token),
    sandbox: {
      ...sandboxOfNodes(sandboxWord, database),
      explicit: sandboxWord !== undefined,
      speed: positive('REELAY_SANDBOX_SPEED', value('REELAY_SANDBOX_SPEED') ?? fileSandbox.speed ?? 1),
      render: oneOf('REELAY_SANDBOX_RENDER', value('REELAY_SANDBOX_RENDER') ?? fileSandbox.render ?? 'full', [
        'full',
        'tiny',
      ]),
    },
    demo: yesOrNo('REELAY_DEMO', value('REELAY_DEMO')) ?? file.demo ?? true,
    allowPrivate: addresses(words(value('REELAY_ALLOW_PRIVATE')) ?? file.allow_private ?? []),
    trustProxy: proxies(words(value('REELAY_TRUST_PROXY')) ?? file.trust_proxy ?? []),
    logLevel: oneOf('REELAY_LOG_LEVEL', value('REELAY_LOG_LEVEL') ?? file.log_level ?? 'warn', [
      'fatal',
      'error',
      'warn',
      'info',
      'debug',
      'trace',
      'silent',
    ]),
    prices: file.prices ?? [],
    retentionMs:
      positive(
        'REELAY_RETENTION_MEDIA_DAYS',
        value('REELAY_RETENTION_MEDIA_DAYS') ?? file.retention_days ?? 30,
      ) * DAY_MS,
    keep: {
      exchangesMs: kept('EXCHANGES', value, file.retention?.exchanges_days ?? 30),
      eventsMs: kept('EVENTS', value, file.retention?.events_days ?? 'forever'),
      tasksMs: kept('TASKS', value, file.retention?.tasks_days ?? 'forever'),
      deliveriesMs: days(
        'REELAY_RETENTION_DELIVERIES_DAYS',
        value('REELAY_RETENTION_DELIVERIES_DAYS') ?? file.retention?.deliveries_days ?? 30,
      ),
    },
    redisUrl: redisUrl(value('REDIS_URL') ?? file.redis_url),
    s3: s3Of({
      REELAY_S3_ENDPOINT: value('REELAY_S3_ENDPOINT') ?? file.s3?.endpoint,
      REELAY_S3_REGION: value('REELAY_S3_REGION') ?? file.s3?.region,
      REELAY_S3_BUCKET: value('REELAY_S3_BUCKET') ?? file.s3?.bucket,
      REELAY_S3_ACCESS_KEY: value('REELAY_S3_ACCESS_KEY') ?? file.s3?.access_key,
      REELAY_S3_SECRET_KEY: value('REELAY_S3_SECRET_KEY') ?? file.s3?.secret_key,
    }),
  };
  refuseLonelyRole(config);
  return deepFreeze(config);
}

/** A part of a cluster needs the other part, and callers need to know where it is. */
function refuseLonelyRole({ role, databaseUrl: database, publicUrl: url }: Config): void {
  if (role === 'all') return;
  if (database === null) {
    throw new ConfigError(
      `The role "${role}" is for one of several nodes that share a database: set DATABASE_URL, or use the role "all".`,
    );
  }
  if (role === 'worker' && url === null) {
    throw new ConfigError(
      'A node with the role "worker" answers no callers: set REELAY_PUBLIC_URL to where the others are reached, for the ' +
        'links it hands to upstreams and receivers.',
    );
  }
}

/** Loaded only where there is a file: a start need not wait for the library. */
function readYaml(text: string): unknown {
  const { parse } = createRequire(import.meta.url)('yaml') as typeof import('yaml');
  return parse(text);
}

function readFile(env: Record<string, string | undefined>, cwd: string): z.infer<typeof fileSchema> {
  const named = env.REELAY_CONFIG;
  const path = resolve(cwd, named || 'reelay.yaml');
  if (!existsSync(path)) {
    if (named) throw new ConfigError(`REELAY_CONFIG names ${path}, but there is no such file.`);
    return {};
  }
  let content: unknown;
  try {
    content = readYaml(readFileSync(path, 'utf8')) ?? {};
  } catch (error) {
    throw new ConfigError(`${path} is not valid YAML: ${(error as Error).message}`);
  }
  const parsed = fileSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(
    (issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`,
  );
  throw new ConfigError(`${path} cannot be used: ${faults.join('; ')}`);
}

/** The password in it is not repeated. */
function databaseUrl(text: string | undefined): string | null {
  if (text === undefined) return null;
  const url = URL.parse(text);
  if (url !== null && /^postgres(ql)?:$/.test(url.protocol) && url.pathname.length > 1) return text;
  throw new ConfigError('DATABASE_URL must be a URL like postgres://user:password@host:5432/reelay.');
}

/** A sandbox inside one of several nodes could not be reached by the others. */
function sandboxOfNodes(word: string | undefined, database: string | null): ReturnType<typeof sandboxOf> {
  if (database === null) return sandboxOf(word);
  const sandbox = sandboxOf(word ?? 'off');
  if (sandbox.mode !== 'embedded') return sandbox;
  throw new ConfigError(
    'REELAY_SANDBOX=embedded does not go with DATABASE_URL: start the sandbox with `npm run sandbox` and set ' +
      'REELAY_SANDBOX to its URL.',
  );
}

function redisUrl(text: string | undefined): string | null {
  if (text === undefined) return null;
  if (/^rediss?:$/.test(URL.parse(text)?.protocol ?? '')) return text;
  throw new ConfigError(
    'REDIS_URL must be a URL like redis://cache:6379 or rediss://user:password@cache:6380.',
  );
}

/** All or nothing: half a configuration would quietly keep films on the local disk. */
function s3Of(given: Record<S3Variable, string | undefined>): Config['s3'] {
  if (Object.values(given).every((text) => text === undefined)) return null;
  const needed = (name: S3Variable): string => {
    const text = given[name];
    if (text !== undefined) return text;
    throw new ConfigError(
      `${name} is missing: media in an S3-compatible store need endpoint, bucket, access key and secret key.`,
    );
  };
  const endpoint = needed('REELAY_S3_ENDPOINT');
  const url = URL.parse(endpoint);
  if (url === null || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search || url.username) {
    throw new ConfigError(
      `REELAY_S3_ENDPOINT must be an http(s) URL without a path, like https://s3.eu-west-1.amazonaws.com, not ${endpoint}`,
    );
  }
  return {
    endpoint: url.origin,
    // What stores that have no regions take.
    region: given.REELAY_S3_REGION ?? 'us-east-1',
    bucket: needed('REELAY_S3_BUCKET'),
    accessKey: needed('REELAY_S3_ACCESS_KEY'),
    secretKey: needed('REELAY_S3_SECRET_KEY'),
  };
}

type S3Variable = `REELAY_S3_${'ENDPOINT' | 'REGION' | 'BUCKET' | 'ACCESS_KEY' | 'SECRET_KEY'}`;

function publicUrl(text: string | undefined): string | null {
  if (text === undefined) return null;
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.search || url.hash || url.username) {
    throw new ConfigError(
      `REELAY_PUBLIC_URL must be an http(s) URL like https://reelay.example.com, not ${text}`,
    );
  }
  return text.replace(/\/+$/, '');
}

function secretOf<Text extends string | undefined>(
  name: string,
  text: Text,
): Text extends string ? string : string | null;
function secretOf(name: string, text: string | undefined): string | null {
  if (text === undefined) return null;
  if (text.length < 32) throw new ConfigError(`${name} must have at least 32 characters.`);
  return text;
}

function tokenOf(text: string | undefined): string | null {
  if (text === undefined) return null;
  if (text.length < 16) throw new ConfigError('REELAY_ADMIN_TOKEN must have at least 16 characters.');
  return text;
}

function sandboxOf(word: string | undefined): Pick<Config['sandbox'], 'mode' | 'url'> {
  if (word === undefined || word === 'embedded') return { mode: 'embedded', url: null };
  if (word === 'off') return { mode: 'off', url: null };
  const url = URL.parse(word);
  if (url !== null && /^https?:$/.test(url.protocol))
    return { mode: 'remote', url: word.replace(/\/+$/, '') };
  throw new ConfigError(`REELAY_SANDBOX must be "embedded", "off" or the URL of a sandbox, not ${word}`);
}

function integer(name: string, value: string | number, least: number, most: number): number {
  const number = typeof value === 'number' ? value : /^\d+$/.test(value) ? Number(value) : NaN;
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw new ConfigError(`${name} must be a whole number from ${least} to ${most}, not ${value}`);
}

function positive(name: string, value: string | number): number {
  const number = Number(value);
  if (Number.isFinite(number) && number > 0) return number;
  throw new ConfigError(`${name} must be a number above 0, not ${value}`);
}

/** Nothing that runs is older: a task has a day, what is told of it three. */
const KEPT_DAYS_MIN = 4;

function days(name: string, value: string | number): number {
  const number = positive(name, value);
  if (number >= KEPT_DAYS_MIN) return number * DAY_MS;
  throw new ConfigError(`${name} must be at least ${KEPT_DAYS_MIN} days, not ${value}`);
}

function kept(
  what: string,
  value: (name: string) => string | undefined,
  fallback: number | 'forever',
): number | null {
  const name = `REELAY_RETENTION_${what}_DAYS`;
  const text = value(name) ?? fallback;
  return text === 'forever' ? null : days(name, text);
}

function oneOf<const Word extends string>(name: string, value: string, words: readonly Word[]): Word {
  const found = words.find((word) => word === value);
  if (found !== undefined) return found;
  throw new ConfigError(`${name} must be one of ${words.join(', ')}, not ${value}`);
}

function yesOrNo(name: string, value: string | undefined): boolean | undefined {
  if (value === undefined) return undefined;
  if (/^(1|true|yes|on)$/i.test(value)) return true;
  if (/^(0|false|no|off)$/i.test(value)) return false;
  throw new ConfigError(`${name} must be 0 or 1, not ${value}`);
}

function words(text: string | undefined): string[] | undefined {
  return text?.split(/[\s,]+/).filter(Boolean);
}

function proxies(entries: string[]): string[] {
  try {
    createAddressList(entries);
    return entries;
  } catch (error) {
    throw new ConfigError(`REELAY_TRUST_PROXY: ${(error as Error).message}`);
  }
}

/** Hosts and ranges, tried here, so that a slip of the pen is named with its variable. */
function addresses(entries: string[]): string[] {
  try {
    createAddressPolicy(entries);
    return entries;
  } catch (error) {
    throw new ConfigError(`REELAY_ALLOW_PRIVATE: ${(error as Error).message}`);
  }
}

function deepFreeze<T extends object>(value: T): T {
  for (const member of Object.values(value))
    if (typeof member === 'object' && member !== null) deepFreeze(member);
  return Object.freeze(value);
}
