import type { FastifyInstance } from 'fastify';
import { writeJson } from '../lib/json.ts';
import { withPlainNames } from './component-names.ts';

/** The description of callers' and admin routes, written once: routes do not change while we run. */
export function addOpenapi(server: FastifyInstance): void {
  let text: string | null = null;
  server.get('/openapi.json', { schema: { hide: true } }, (_request, reply) => {
    text ??= writeJson(withPlainNames(server.swagger()));
    return reply.type('application/json; charset=utf-8').send(text);
  });
}
