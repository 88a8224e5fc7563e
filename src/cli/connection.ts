/** Where the gateway is and what we show it: options, then the environment, then the file of the first start. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CliError, UsageError, type Context, type Input, type Option } from './command.ts';

export interface Connection {
  /** Without a trailing slash. */
  url: string;
  /** It was named by the person, not found in a file or assumed. */
  isUrlGiven: boolean;
  apiKey: string | null;
  adminToken: string | null;
  /** The demo account of the first start. */
  accountId: string | null;
}

/** `$REELAY_DATA/first-run.json`, written at the gateway's first start. */
interface FirstRun {
  base_url?: string;
  admin_token?: string;
  account_id?: string;
  api_key?: string;
}

export const urlOption: Record<string, Option> = {
  url: {
    type: 'string',
    value: '<url>',
    help: 'The gateway (default: REELAY_URL, else data/first-run.json).',
  },
};

export const callerOptions: Record<string, Option> = {
  ...urlOption,
  key: {
    type: 'string',
    value: '<key>',
    help: 'API key (default: REELAY_API_KEY, else data/first-run.json).',
  },
};

export const adminOptions: Record<string, Option> = {
  ...urlOption,
  'admin-token': {
    type: 'string',
    value: '<token>',
    help: 'Admin token (default: REELAY_ADMIN_TOKEN, else data/first-run.json).',
  },
};

export const jsonOption: Record<string, Option> = {
  json: { type: 'boolean', help: "Print the gateway's answer as JSON." },
};

const URL_DEFAULT = 'http://127.0.0.1:8787';

/** The data directory as the gateway itself would choose it from the environment. */
export function dataDirectory({ env, cwd }: Pick<Context, 'env' | 'cwd'>): string {
  return resolve(cwd, env.REELAY_DATA || 'data');
}

/**
 * Resolves the connection of one command. The file's secrets belong to the gateway that wrote it: they are never
 * shown to another host.
 */
export function connect(input: Input, context: Pick<Context, 'env' | 'cwd'>): Connection {
  const firstRun = readFirstRun(join(dataDirectory(context), 'first-run.json'));
  const given = input.text('url') ?? (context.env.REELAY_URL || undefined);
  const url = readUrl(given ?? firstRun.base_url ?? URL_DEFAULT);
  const own = given === undefined || isSameGateway(url, firstRun.base_url) ? firstRun : {};
  return {
    url,
    isUrlGiven: given !== undefined,
    apiKey: input.text('key') ?? (context.env.REELAY_API_KEY || (own.api_key ?? null)),
    adminToken: input.text('admin-token') ?? (context.env.REELAY_ADMIN_TOKEN || (own.admin_token ?? null)),
    accountId: own.account_id ?? null,
  };
}

/** The API key, or what to do to have one. */
export function needApiKey({ apiKey }: Connection): string {
  if (apiKey !== null) return apiKey;
  throw new CliError(
    'No API key: give --key, set REELAY_API_KEY, or run the command beside the data folder of the gateway ' +
      '(REELAY_DATA), whose first-run.json holds the demo key.',
  );
}

/** The admin token, or what to do to have it. */
export function needAdminToken({ adminToken }: Connection): string {
  if (adminToken !== null) return adminToken;
  throw new CliError(
    'No admin token: give --admin-token, set REELAY_ADMIN_TOKEN, or run the command beside the data folder of the ' +
      'gateway (REELAY_DATA), whose first-run.json holds it.',
  );
}

/** Whether a URL's host is this machine. */
export function isLoopback(url: string): boolean {
  const host = URL.parse(url)?.hostname ?? '';
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127\./.test(host);
}

function isSameGateway(url: string, other: string | undefined): boolean {
  const theirs = other === undefined ? null : URL.parse(other);
  const ours = URL.parse(url);
  if (theirs === null || ours === null) return false;
  return (
    ours.origin === theirs.origin ||
    (isLoopback(ours.href) &&
      isLoopback(theirs.href) &&
      ours.port === theirs.port &&
      ours.protocol === theirs.protocol)
  );
}

function readUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(
      `The gateway's URL must look like http://127.0.0.1:8787, not ${JSON.stringify(text)}.`,
    );
  }
  // People paste the base URL of the SDKs, too.
  return text.replace(/\/+$/, '').replace(/\/v1$/, '');
}

function readFirstRun(path: string): FirstRun {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return {};
    throw error;
  }
  try {
    return JSON.parse(text) as FirstRun;
  } catch {
    throw new CliError(`${path} is not valid JSON. Move it away, or give --url and --key.`);
  }
}
