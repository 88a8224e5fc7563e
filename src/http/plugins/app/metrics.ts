import type { FastifyInstance } from 'fastify';
import { Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { ServerOptions } from '../../options.ts';

/** Counts every answer by route and status; tasks by state are asked for when somebody looks. */
export function addMetrics(
  server: FastifyInstance,
  { taskCounts }: Pick<ServerOptions, 'taskCounts'>,
): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });

  const durations = new Histogram({
    name: 'reelay_http_request_duration_seconds',
    help: 'Time from the request line to the end of the answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30],
    registers: [registry],
  });
  server.addHook('onResponse', (request, reply, done) => {
    durations.observe(
      // The pattern, never the path: ids would make a series each.
      { method: request.method, route: request.routeOptions.url ?? 'unknown', status: reply.statusCode },
      reply.elapsedTime / 1000,
    );
    done();
  });

  new Gauge({
    name: 'reelay_tasks',
    help: 'Tasks by state.',
    labelNames: ['state'],
    registers: [registry],
    async collect() {
      for (const [state, count] of Object.entries(await taskCounts())) this.set({ state }, count);
    },
  });
  return registry;
}
