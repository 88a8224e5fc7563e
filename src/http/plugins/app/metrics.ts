import type { FastifyInstance } from 'fastify';
import { Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import type { ServerOptions } from '../../options.ts';
import { RequestDurations } from './request-durations.ts';

/** Counts every answer by route and status; tasks by state are asked for when somebody looks. */
export function addMetrics(
  server: FastifyInstance,
  { taskCounts }: Pick<ServerOptions, 'taskCounts'>,
): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });

  const durations = new RequestDurations(registry);
  server.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    durations.observe(request.method, route, reply.statusCode, reply.elapsedTime / 1000);
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
