import { createRequire } from 'node:module';
import type { Agent, Dispatcher, Pool, buildConnector } from 'undici';

/** The parts of undici that connections to others are made of. */
export interface Undici {
  Agent: typeof Agent;
  Pool: typeof Pool;
  buildConnector: typeof buildConnector;
  /** Asks through a dispatcher, as `dispatcher.request` would where the whole package is loaded. */
  request: (this: Dispatcher, options: Dispatcher.RequestOptions) => Promise<Dispatcher.ResponseData>;
}

let parts: Undici | null = null;

/**
 * undici, loaded when something is first asked of somebody. Its index would load fetch, web sockets, caches and mocks
 * as well, and Node's own copy of all that: 110 modules and 20 MiB where these are 30 and 7. A node that nothing was
 * asked of yet has none of them.
 */
export function undici(): Undici {
  if (parts !== null) return parts;
  const load = createRequire(import.meta.url);
  parts = {
    Agent: load('undici/lib/dispatcher/agent.js') as Undici['Agent'],
    Pool: load('undici/lib/dispatcher/pool.js') as Undici['Pool'],
    buildConnector: load('undici/lib/core/connect.js') as Undici['buildConnector'],
    request: load('undici/lib/api/api-request.js') as Undici['request'],
  };
  return parts;
}
