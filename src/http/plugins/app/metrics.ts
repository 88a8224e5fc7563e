import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import type { ServerOptions } from '../../options.ts';
import { RequestDurations } from './request-durations.ts';

/** Everything counted, in the format and under the content type of Prometheus. */
export type ReadMetrics = () => Promise<{ contentType: string; text: string }>;

/**
 * Counts every answer by route and status. The library that shows it (and OpenTelemetry's API with it, 90 modules in
 * all) is loaded when somebody first looks; what it measures of the process begins then.
 */
export function addMetrics(
  server: FastifyInstance,
  options: Pick<ServerOptions, 'taskCounts' | 'attentionCounts' | 'measures'>,
): ReadMetrics {
  const durations = new RequestDurations();
  server.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    durations.observe(request.method, route, reply.statusCode, reply.elapsedTime / 1000);
    done();
  });

  let opening: Promise<Registry> | null = null;
  return async () => {
    opening ??= import('../external/prometheus.ts').then(({ createRegistry }) =>
      createRegistry(durations, options),
    );
    const registry = await opening;
    return { contentType: registry.contentType, text: await registry.metrics() };
  };
}
