import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';

/** What a caller may send as `x-request-id` to find its own request again in our log. */
const inboundPattern = /^[A-Za-z0-9._-]{8,128}$/;

/** The caller's own `x-request-id` when it is a plain word, otherwise a new UUID. */
export function requestIdOf(request: Pick<IncomingMessage, 'headers'>): string {
  const inbound = request.headers['x-request-id'];
  return typeof inbound === 'string' && inboundPattern.test(inbound) ? inbound : randomUUID();
}

/** Every answer carries `x-request-id`, errors included: the openai SDK shows it as `_request_id`. */
export function addRequestId(server: FastifyInstance): void {
  server.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
}
