import type { FastifyInstance } from 'fastify';
import { GatewayError } from '../../core/errors.ts';
import { isApiKey } from '../../lib/api-key.ts';
import type { ServerOptions } from '../options.ts';
import { bearerToken } from '../plugins/app/authenticate.ts';

/** Every route of this scope takes the admin token and nothing else; a caller's API key is told so. */
export function addAdminAuthentication(
  scope: FastifyInstance,
  { isAdminToken }: Pick<ServerOptions, 'isAdminToken'>,
): void {
  scope.addHook('onRequest', (request, _reply, done) => {
    const token = bearerToken(request.headers.authorization);
    if (token !== null && isAdminToken(token)) done();
    else done(refusal(token));
  });
}

function refusal(token: string | null): GatewayError {
  if (token === null) {
    return new GatewayError(
      'missing_api_key',
      "No admin token was sent: add the header 'Authorization: Bearer <admin token>'.",
    );
  }
  if (isApiKey(token)) {
    return new GatewayError(
      'forbidden',
      "This is a caller's API key; the admin API takes the admin token only.",
    );
  }
  return new GatewayError('invalid_api_key', 'This is not the admin token.');
}
