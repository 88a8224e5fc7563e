import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

/**
 * Browsers may call from any page: what proves the caller is a key in a header or a signed link, never a cookie, so
 * there is nothing a foreign page could borrow.
 */
export async function addCors(server: FastifyInstance): Promise<void> {
  await server.register(cors, {
    // Only browsers send an origin: everybody else is spared four hundred bytes of headers.
    origin: (origin, decide) => decide(null, origin === undefined ? false : '*'),
    methods: ['GET', 'HEAD', 'POST', 'PATCH', 'PUT', 'DELETE'],
    exposedHeaders: [
      'x-request-id',
      'x-reelay-warnings',
      'idempotent-replayed',
      'x-ratelimit-limit-requests',
      'x-ratelimit-remaining-requests',
      'x-ratelimit-reset-requests',
      'retry-after',
      'retry-after-ms',
      'x-should-retry',
      'openai-poll-after-ms',
      'content-disposition',
      'content-range',
      'accept-ranges',
      'etag',
    ].join(', '),
    maxAge: 86_400,
    strictPreflight: false,
  });
}
