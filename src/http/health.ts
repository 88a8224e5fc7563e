import type { FastifyInstance } from 'fastify';
import type { ServerOptions } from './options.ts';
import type { ReadMetrics } from './plugins/app/metrics.ts';

/** For load balancers and monitors: `/healthz` we live, `/readyz` what we need answers and we stay, `/metrics`. */
export function addHealth(
  server: FastifyInstance,
  { readiness, isDraining }: Pick<ServerOptions, 'readiness' | 'isDraining'>,
  readMetrics: ReadMetrics,
): void {
  const hidden = { schema: { hide: true } };

  server.get('/healthz', hidden, () => ({ status: 'ok' }));

  server.get('/readyz', hidden, async (request, reply) => {
    if (isDraining()) return reply.code(503).send({ status: 'draining' });
    const checks = await Promise.all(
      Object.entries(readiness).map(async ([name, check]) => {
        try {
          await check();
          return [name, 'ok'] as const;
        } catch (error) {
          request.log.warn({ err: error, check: name }, 'not ready');
          return [name, 'failed'] as const;
        }
      }),
    );
    const isReady = checks.every(([, outcome]) => outcome === 'ok');
    return reply
      .code(isReady ? 200 : 503)
      .send({ status: isReady ? 'ready' : 'not_ready', checks: Object.fromEntries(checks) });
  });

  server.get('/metrics', hidden, async (_request, reply) => {
    const { contentType, text } = await readMetrics();
    return reply.type(contentType).send(text);
  });
}
