/** One exchange with an upstream over a pooled connection, recorded without its secrets. */
import type { Dispatcher, Pool } from 'undici';
import type { Clock, Exchange, UpstreamHttp } from '../../core/ports.ts';
import { UpstreamError } from '../../core/errors.ts';
import { undici } from '../../lib/undici.ts';
import { exchangeBytes } from './exchange-bytes.ts';
import { redactBody, redactText } from './redact.ts';

/** Long enough for a far region's handshake, short enough that a dead address does not hold a submit. */
const connectTimeoutMs = 10_000;

/** Per origin. Polls are few and lists replace many of them; this is for bursts of submits. */
const connectionsMax = 64;

/** Connections to upstreams, one pool per origin, shared by all channels. */
export interface UpstreamPools {
  pool(origin: string): Dispatcher;
  /** Waits for exchanges in hand, then closes every connection. */
  close(): Promise<void>;
}

/** Pools open lazily and stay for the life of the process. */
export function createUpstreamPools(): UpstreamPools {
  const pools = new Map<string, Pool>();
  return {
    pool(origin) {
      let pool = pools.get(origin);
      if (!pool) {
        pool = new (undici().Pool)(origin, {
          connections: connectionsMax,
          connect: { timeout: connectTimeoutMs },
        });
        pools.set(origin, pool);
      }
      return pool;
    },
    async close() {
      const open = [...pools.values()];
      pools.clear();
      await Promise.all(open.map((pool) => pool.close()));
    },
  };
}

/**
 * Nothing of a request can have reached the far side when the connection itself failed. Names: Node's system
 * errors, undici's connect timeout, and OpenSSL's certificate refusals (they precede the first byte).
 */
const neverConnected =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|EADDRNOTAVAIL|UND_ERR_CONNECT_TIMEOUT|UND_ERR_INVALID_ARG|ERR_INVALID_URL|ERR_TLS_\w+|ERR_SSL_\w+|CERT_\w+|DEPTH_ZERO_\w+|SELF_SIGNED_\w+|UNABLE_TO_\w+)$/;

/**
 * Exchanges of one channel. `onExchange` gets each one, redacted, before the promise settles; null where
 * nothing is kept. The caller
 * vouches for the URL: it is a channel's `base_url`, which an operator set, so it may be private.
 */
export function createUpstreamHttp(options: {
  pools: UpstreamPools;
  clock: Clock;
  onExchange: ((exchange: Exchange) => void) | null;
}): UpstreamHttp {
  const { pools, clock, onExchange } = options;
  return {
    async request({ method, url, headers, body, timeoutMs, signal }) {
      const startedAt = clock.now();
      const secret = secretOf(headers);
      const target = parseTarget(url);
      const record =
        onExchange &&
        ((status: number | null, response: string | null, error: string | null) =>
          onExchange({
            at: startedAt,
            method,
            path: redactText(target.path, secret),
            request: body === undefined ? null : redactBody(body, secret),
            status,
            response: response === null ? null : redactBody(response, secret),
            durationMs: clock.now() - startedAt,
            error,
          }));
      // Already over before a byte was sent: certainly not accepted.
      if (signal?.aborted) {
        throw new UpstreamError('unavailable', 'The upstream was not asked: time had run out.');
      }
      try {
        const answer = await exchangeBytes(
          pools.pool(target.origin),
          {
            method,
            path: target.path,
            headers,
            body: body ?? null,
            headersTimeout: timeoutMs,
            bodyTimeout: timeoutMs,
          },
          timeoutMs,
          signal,
        );
        record?.(answer.status, answer.text, null);
        return answer;
      } catch (cause) {
        const error = toUpstreamError(cause);
        record?.(null, null, `${error.kind}: ${errorCode(cause)}`);
        throw error;
      }
    },
  };
}

function parseTarget(url: string): { origin: string; path: string } {
  const parsed = URL.parse(url);
  if (!parsed || !/^https?:$/.test(parsed.protocol)) {
    throw new UpstreamError('unavailable', 'The channel has no usable base_url.');
  }
  return { origin: parsed.origin, path: parsed.pathname + parsed.search };
}

function toUpstreamError(cause: unknown): UpstreamError {
  if (cause instanceof UpstreamError) return cause;
  if (neverConnected.test(errorCode(cause))) {
    return new UpstreamError('unavailable', 'The upstream cannot be reached.', { cause });
  }
  return new UpstreamError('ambiguous', 'The upstream broke off without an answer.', { cause });
}

/** A stable word for what broke; never a message, which may hold an address. */
function errorCode(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) return errorCode(cause.errors[0]);
  if (!(cause instanceof Error)) return 'UNKNOWN';
  if ('code' in cause && typeof cause.code === 'string') return cause.code;
  return cause.name;
}

/** What must not be kept of the headers: the part behind `Bearer`. */
function secretOf(headers: Record<string, string>): string | null {
  const value = headers['authorization'] ?? headers['Authorization'];
  return value ? (value.split(' ').at(-1) ?? null) : null;
}
