/**
 * What every route may rely on: the HTTP shell has authenticated the caller and read the body, JSON or form,
 * before a dialect's code runs.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Dialect, Principal } from '../../core/ports.ts';

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal;
  }
}

/** A dialect whose routes are mounted on Fastify; the instance has compilers for zod schemas. */
export type HttpDialect = Dialect<FastifyInstance>;

/** One value of a request header; of a repeated one, the first. */
export function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
