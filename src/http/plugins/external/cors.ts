import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

/**
 * Browsers may call from any page: what proves the caller is a key in a header or a signed link, never a cookie, so
 * there is nothing a foreign page could borrow.
 */
export async function addCors(server: FastifyInstance): Promise<void> {
  await server.register(cors, {
    origin: '*',
    methods: ['GET', 'HEAD', 'POST', 'PATCH', 'PUT', 'DELETE'],
    exposedHeaders: [
      'x-request-id',
      'x-reelay-warnings',
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
    // A plain OPTIONS is answered like a preflight instead of with a text nobody expects.
    strictPreflight: false,
  });
}
