import { Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import type { Measure } from '../../../core/ports.ts';
import type { ServerOptions } from '../../options.ts';
import type { RequestDurations } from '../app/request-durations.ts';

/** What `/metrics` shows: the process itself, answers, tasks, and whatever counts for itself. */
export function createRegistry(
  durations: RequestDurations,
  {
    taskCounts,
    attentionCounts,
    measures,
  }: Pick<ServerOptions, 'taskCounts' | 'attentionCounts' | 'measures'>,
): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  register(registry, durations);
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
  for (const measure of measures) register(registry, asMetric(measure));
  return registry;
}

/** The registry only ever calls `get` and reads `name`: its type asks for a whole Metric. */
function register(registry: Registry, metric: { name: string; get(): Promise<object> }): void {
  registry.registerMetric(metric as unknown as Parameters<Registry['registerMetric']>[0]);
}

/** What counts for itself, and only has to be shown. */
function asMetric({ name, help, type, read }: Measure): { name: string; get(): Promise<object> } {
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
  return { name, get };
}
