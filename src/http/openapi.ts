import type { FastifyInstance, RouteOptions } from 'fastify';
import { writeJson } from '../lib/json.ts';
import { withPlainNames } from './component-names.ts';
import type { ServerOptions } from './options.ts';

/**
 * The description of callers' and admin routes: those that are added from now on. It is written once, when somebody
 * first asks (routes do not change while we run), and what writes it is loaded then.
 */
export function addOpenapi(
  server: FastifyInstance,
  options: Pick<ServerOptions, 'publicUrl' | 'version'>,
): void {
  const routes: RouteOptions[] = [];
  server.addHook('onRoute', (route) => void routes.push(route));
  let text: Promise<string> | null = null;
  server.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) => {
    text ??= describe(routes, options);
    return reply.type('application/json; charset=utf-8').send(await text);
  });
}

async function describe(
  routes: RouteOptions[],
  options: Pick<ServerOptions, 'publicUrl' | 'version'>,
): Promise<string> {
  const { describeRoutes } = await import('./plugins/external/swagger.ts');
  return writeJson(withPlainNames(await describeRoutes(routes, options)));
}
