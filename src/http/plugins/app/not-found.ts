import type { FastifyInstance } from 'fastify';
import { GatewayError } from '../../../core/errors.ts';
import { pathOf, sendError, type ErrorRenderer } from './errors.ts';

/** Unknown paths are 404, known ones asked with the wrong method 405, both in the words of whoever owns the path. */
export function addNotFound(server: FastifyInstance, renderer: ErrorRenderer): void {
  const routes: { path: RegExp; methods: string[] }[] = [];
  server.addHook('onRoute', (route) => {
    const methods = [route.method].flat();
    // The one route that catches all is the preflight of cross-origin requests.
    if (route.url !== '*') routes.push({ path: pathPattern(route.url), methods });
  });

  server.setNotFoundHandler((request, reply) => {
    const path = pathOf(request.raw.url);
    const allowed = new Set(
      routes.filter((route) => route.path.test(path)).flatMap((route) => route.methods),
    );
    if (allowed.size === 0 || allowed.has(request.method)) {
      const error = new GatewayError('not_found', `There is nothing at ${request.method} ${shown(path)}.`);
      return sendError(reply, renderer, error, request);
    }
    const methods = [...allowed].sort().join(', ');
    reply.header('allow', methods);
    const error = new GatewayError(
      'method_not_allowed',
      `${shown(path)} does not answer ${request.method}; it answers ${methods}.`,
    );
    return sendError(reply, renderer, error, request);
  });
}

function pathPattern(url: string): RegExp {
  const source = url
    .split('/')
    .map((segment) => {
      if (segment === '*') return '.*';
      return segment.startsWith(':') ? '[^/]+' : segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    })
    .join('/');
  return new RegExp(`^${source}/?$`);
}

function shown(path: string): string {
  return path.length > 200 ? `${path.slice(0, 200)}…` : path;
}
