import type { FastifyInstance, FastifyRequest } from 'fastify';
import { GatewayError } from '../../../core/errors.ts';
import type { Principal } from '../../../core/ports.ts';
import type { ServerOptions } from '../../options.ts';
import { countRequest, isRateLimited } from './rate-limit.ts';

/** The one place where callers are told apart and counted: every route of this scope has `request.principal`. */
export function addAuthentication(
  scope: FastifyInstance,
  { authenticate, counters }: Pick<ServerOptions, 'authenticate' | 'counters'>,
): void {
  scope.addHook('onRequest', (request, reply, done) => {
    const admit = (found: Principal): void => {
      request.principal = found;
      if (isRateLimited(found)) countRequest(counters, found, reply).then(() => done(), done);
      else done();
    };
    let principal: Principal | Promise<Principal>;
    try {
      principal = authenticate(credentialOf(request), request);
    } catch (error) {
      done(error as Error);
      return;
    }
    // A known key is answered at once: no promise on the usual way.
    if (principal instanceof Promise) principal.then(admit, done);
    else admit(principal);
  });
}

/** The token of `Authorization: Bearer …`; null when there is no such header or another scheme. */
export function bearerToken(header: string | undefined): string | null {
  if (header === undefined) return null;
  const match = /^bearer +(\S+)\s*$/i.exec(header);
  return match ? match[1]! : null;
}

/**
 * The caller's credential, wherever its client library puts it: OpenAI's and Kling's in `Authorization`, Anthropic's
 * in `x-api-key`, Google's in `x-goog-api-key` or `?key=`.
 */
function credentialOf(request: FastifyRequest): string {
  const { headers } = request;
  const credential =
    bearerToken(headers.authorization) ??
    headerText(headers['x-api-key']) ??
    headerText(headers['x-goog-api-key']) ??
    headerText((request.query as Record<string, string | string[] | undefined>).key);
  if (credential !== null) return credential;
  throw new GatewayError(
    'missing_api_key',
    headers.authorization === undefined
      ? "No API key was sent: add the header 'Authorization: Bearer <api key>'."
      : "The Authorization header is not of the form 'Bearer <api key>'.",
  );
}

function headerText(value: string | string[] | undefined): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : null;
}
