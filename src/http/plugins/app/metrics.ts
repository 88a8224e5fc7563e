import type { FastifyInstance } from 'fastify';
import { Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import type { Measure } from '../../../core/ports.ts';
import type { ServerOptions } from '../../options.ts';
import { RequestDurations } from './request-durations.ts';

/** Counts every answer by route and status; tasks by state are asked for when somebody looks. */
export function addMetrics(
  server: FastifyInstance,
  {
    taskCounts,
    attentionCounts,
    measures,
  }: Pick<ServerOptions, 'taskCounts' | 'attentionCounts' | 'measures'>,
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
    help: 'Tasks that are not final, by state.',
    labelNames: ['state'],
    registers: [registry],
    async collect() {
      // A state that nobody is in any more is not among the counts, and would keep its last figure for ever.
      const counts = { queued: 0, in_progress: 0, ...(await taskCounts()) };
      for (const [state, count] of Object.entries(counts)) this.set({ state }, count);
    },
  });
  new Gauge({
    name: 'reelay_tasks_attention',
    help: 'Tasks that call for an operator, by reason (lost: an attempt may exist upstream, and nobody knows).',
    labelNames: ['reason'],
    registers: [registry],
    async collect() {
      for (const [reason, count] of Object.entries(await attentionCounts())) this.set({ reason }, count);
    },
  });
  for (const measure of measures) register(registry, measure);
  return registry;
}

/** What counts for itself, and only has to be shown. */
function register(registry: Registry, { name, help, type, read }: Measure): void {
  const get = async () => ({
    name,
    help,
    type,
    aggregator: 'sum',
    values: (await read()).map(({ labels, value, suffix = '' }) => ({
      labels,
      value,
      metricName: name + suffix,
    })),
  });
  // The registry only ever calls `get` and reads `name`: its type asks for a whole Metric.
  registry.registerMetric({ name, get } as unknown as Parameters<Registry['registerMetric']>[0]);
}
