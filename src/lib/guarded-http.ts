import { isIP } from 'node:net';
import type { Readable } from 'node:stream';
import type { Agent, Dispatcher } from 'undici';
import { createAddressPolicy, normaliseHost } from './address-policy.ts';
import { capped, createPace, discard, failing, tooLarge, wrap } from './guarded-body.ts';
import { createDeadline, type Deadline } from './guarded-deadline.ts';
import { TransferFailed, UrlRefused } from './guarded-errors.ts';
import { createPinnedConnect, notPublic, systemResolve, type Resolve } from './pinned-connect.ts';
import { undici } from './undici.ts';

export { TransferFailed, UrlRefused } from './guarded-errors.ts';
export type { TransferFailedReason, UrlRefusedReason } from './guarded-errors.ts';

/** Origins (`https://host:port`, as `URL.origin` spells them) whose address is not checked. */
export type TrustedOrigins = ReadonlySet<string> | ((origin: string) => boolean);

export interface UrlRules {
  /** Refuse plain http, on redirects too. */
  httpsOnly?: boolean;
  /** Trust ends with the first redirect that leaves these origins, and does not return. */
  trustedOrigins?: TrustedOrigins;
}

export interface GuardedRequest extends UrlRules {
  url: string;
  /** GET when absent. Redirects are followed for GET and HEAD; for others the 3xx is the answer. */
  method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';
  /** On a redirect to another origin only the harmless ones go along. */
  headers?: Record<string, string>;
  body?: string | Buffer;
  /** For everything, from the first look-up to the last byte. */
  timeoutMs: number;
  /** The longest silence within the body; 30 s when absent. */
  idleTimeoutMs?: number;
  /** The body's size at most, whether announced or not. */
  bytesMax: number;
  signal?: AbortSignal;
}

export interface GuardedResponse {
  status: number;
  /** Lower-case names. */
  headers: Record<string, string | string[] | undefined>;
  /** As sent, never decompressed. Reading fails with {@link TransferFailed}. Must be read or destroyed. */
  body: Readable;
  /** Where the answer came from, after redirects. */
  url: string;
}

export interface GuardedDownload<T> extends Omit<GuardedRequest, 'method' | 'body'> {
  /** Takes the body, say into a file; its promise ends the download. */
  to: (body: Readable, response: GuardedResponse) => Promise<T>;
  /** The slowest pace accepted, over each `idleTimeoutMs` of waiting for the sender; 1024 when absent. */
  bytesPerSecondMin?: number;
}

/** The one way to ask for a URL that somebody else gave us. */
export interface GuardedHttp {
  /** Judges form and literal address; no look-up, no connection. Throws {@link UrlRefused}. */
  checkUrl(url: string, rules?: UrlRules): void;
  /** Throws {@link UrlRefused}, {@link TransferFailed}, or the signal's reason. */
  request(request: GuardedRequest): Promise<GuardedResponse>;
  /** Like a GET whose answer must be 2xx (else TransferFailed `status`) and must come at a decent pace. */
  download<T>(download: GuardedDownload<T>): Promise<{ result: T; bytes: number; response: GuardedResponse }>;
  /** Drops all connections; transfers under way fail. */
  close(): Promise<void>;
}

const redirectsMax = 5;
const connectTimeoutMs = 10_000;
/** A server that has not begun to answer by then is not going to. */
const headersTimeoutMaxMs = 30_000;
const idleTimeoutMsDefault = 30_000;
const bytesPerSecondMinDefault = 1024;

const redirectStatuses = new Set([301, 302, 303, 307, 308]);
/** What may follow a redirect to a stranger: nothing that could be a credential. */
const harmlessHeaders = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'range',
  'if-range',
  'user-agent',
]);

/**
 * Creates the client. `allow` names hosts, addresses and CIDRs that may be reached although they are private;
 * `resolve` replaces the system's name look-up.
 */
export function createGuardedHttp(options: {
  allow: readonly string[];
  userAgent: string;
  resolve?: Resolve;
}): GuardedHttp {
  const policy = createAddressPolicy(options.allow);
  const resolve = options.resolve ?? systemResolve;
  let agents: { guarded: Agent; direct: Agent } | null = null;

  /** Opened when the first URL is asked for. */
  function agentFor(isTrusted: boolean): Agent {
    if (agents === null) {
      const { Agent, buildConnector } = undici();
      const connect = buildConnector({ timeout: connectTimeoutMs, allowH2: false });
      agents = {
        guarded: new Agent({ connect: createPinnedConnect({ policy, resolve, connect }) }),
        direct: new Agent({ connect: createPinnedConnect({ policy: null, resolve, connect }) }),
      };
    }
    return isTrusted ? agents.direct : agents.guarded;
  }

  /** The URL, judged, and whether its origin is trusted. */
  function judge(text: string, rules: UrlRules, base?: URL): { url: URL; isTrusted: boolean } {
    const url = URL.parse(text, base?.href);
    if (!url) throw new UrlRefused('malformed', 'not a valid absolute URL');
    if (url.protocol !== 'https:' && (url.protocol !== 'http:' || rules.httpsOnly === true)) {
      throw new UrlRefused(
        'scheme',
        `the URL must begin with ${rules.httpsOnly === true ? 'https://' : 'https:// or http://'}`,
      );
    }
    if (url.username !== '' || url.password !== '') {
      throw new UrlRefused('credentials', 'the URL must not hold a user name or password');
    }
    const isTrusted = isTrustedOrigin(url.origin, rules.trustedOrigins);
    const host = normaliseHost(url.hostname);
    if (!isTrusted && !policy.allowsHost(host)) {
      // RFC 6761 §6.3: these names mean the machine itself, whatever a resolver says.
      const isLocalName = host === 'localhost' || host.endsWith('.localhost');
      if (
        (isLocalName && !policy.allowsAddress('127.0.0.1')) ||
        (isIP(host) !== 0 && !policy.allowsAddress(host))
      )
        throw notPublic();
    }
    return { url, isTrusted };
  }

  async function request(asked: GuardedRequest): Promise<GuardedResponse> {
    const method = asked.method ?? 'GET';
    let { url, isTrusted } = judge(asked.url, asked);
    let headers = lowerCased({
      'user-agent': options.userAgent,
      'accept-encoding': 'identity',
      ...asked.headers,
    });
    asked.signal?.throwIfAborted();
    const deadline = createDeadline(asked.timeoutMs, asked.signal);
    try {
      for (let redirects = 0; ; redirects++) {
        const answer = await undici().request.call(agentFor(isTrusted), {
          origin: url.origin,
          path: url.pathname + url.search,
          method,
          headers,
          body: asked.body ?? null,
          signal: deadline.signal,
          headersTimeout: Math.min(headersTimeoutMaxMs, asked.timeoutMs),
          bodyTimeout: asked.idleTimeoutMs ?? idleTimeoutMsDefault,
        });
        const location = answer.headers.location;
        const follows = redirectStatuses.has(answer.statusCode) && (method === 'GET' || method === 'HEAD');
        if (!follows || typeof location !== 'string') {
          return respond(answer, { url, bytesMax: asked.bytesMax, isHead: method === 'HEAD', deadline });
        }
        discard(answer.body);
        if (redirects === redirectsMax) {
          throw new UrlRefused('redirects', `the URL redirects more than ${redirectsMax} times`);
        }
        const next = judge(location, isTrusted ? asked : { ...asked, trustedOrigins: new Set() }, url);
        if (next.url.origin !== url.origin) {
          headers = Object.fromEntries(Object.entries(headers).filter(([name]) => harmlessHeaders.has(name)));
        }
        ({ url, isTrusted } = next);
      }
    } catch (error) {
      deadline.end();
      throw deadline.explain(error);
    }
  }

  return {
    checkUrl: (url, rules = {}) => void judge(url, rules),
    request,
    async download({ to, bytesPerSecondMin = bytesPerSecondMinDefault, ...asked }) {
      const response = await request(asked);
      if (response.status < 200 || response.status > 299) {
        response.body.destroy();
        const status = response.status;
        throw new TransferFailed('status', `the server answered with status ${status}`, { status });
      }
      const windowMs = asked.idleTimeoutMs ?? idleTimeoutMsDefault;
      const pace = createPace(bytesPerSecondMin, windowMs);
      const body = wrap(response.body, pace.pass(response.body));
      const paced = { ...response, body };
      try {
        return { result: await to(body, paced), bytes: pace.bytes(), response: paced };
      } finally {
        body.destroy();
      }
    },
    async close() {
      if (agents !== null) await Promise.all([agents.guarded.destroy(), agents.direct.destroy()]);
    },
  };
}

function isTrustedOrigin(origin: string, trusted: TrustedOrigins | undefined): boolean {
  if (!trusted) return false;
  return typeof trusted === 'function' ? trusted(origin) : trusted.has(origin);
}

function lowerCased(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function respond(
  answer: Dispatcher.ResponseData,
  context: { url: URL; bytesMax: number; isHead: boolean; deadline: Deadline },
): GuardedResponse {
  const { url, bytesMax, isHead, deadline } = context;
  // Told when the body is read, not before: whoever only wants the status has it.
  const isTooLarge = !isHead && Number(answer.headers['content-length']) > bytesMax;
  const chunks = isTooLarge ? failing(tooLarge(bytesMax)) : capped(answer.body, bytesMax, deadline);
  const body = wrap(answer.body, chunks);
  body.once('close', () => deadline.end());
  return { status: answer.statusCode, headers: answer.headers, body, url: url.href };
}
