import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RouteOptions } from 'fastify';
import { z } from 'zod';
import { createFakeGateway, testPrincipal } from './kit/fake-gateway.ts';
import type { HttpDialect } from './kit/fastify.ts';
import { createTestApp } from './kit/test-app.ts';
import * as registry from './index.ts';

type JsonAnswer = { content: Record<string, { schema: z.ZodType }> };

const dialects: HttpDialect[] = Object.values(registry);

async function routesOf(dialect: HttpDialect): Promise<RouteOptions[]> {
  const routes: RouteOptions[] = [];
  const app = createTestApp(dialect, createFakeGateway(), () => testPrincipal);
  // Fastify answers HEAD by the GET route beside it; that is no route of ours.
  app.addHook('onRoute', (route) => void (route.method === 'HEAD' || routes.push(route)));
  await app.ready();
  await app.close();
  return routes;
}

describe('the dialects', () => {
  it('have ids and prefixes of their own, and routes only under these', async () => {
    const ids = dialects.map((dialect) => dialect.id);
    const prefixes = dialects.flatMap((dialect) => dialect.prefixes);
    assert.equal(new Set(ids).size, ids.length);
    assert.equal(new Set(prefixes).size, prefixes.length);
    for (const dialect of dialects) {
      for (const { url } of await routesOf(dialect)) {
        assert.ok(
          dialect.prefixes.some((prefix) => url.startsWith(`${prefix}/`) || url === prefix),
          url,
        );
      }
    }
  });

  it('describe every route: what it does, what it answers, how it refuses, with an example', async () => {
    for (const dialect of dialects) {
      for (const { url, method, schema } of await routesOf(dialect)) {
        const name = `${String(method)} ${url}`;
        const about = schema as {
          tags?: string[];
          summary?: string;
          description?: string;
          operationId?: string;
        };
        assert.ok(about.tags?.length && about.summary && about.description && about.operationId, name);
        const body = schema?.body as z.ZodType | undefined;
        if (body !== undefined) {
          const { example } = body.meta() as { example?: unknown };
          assert.ok(example, `${name} has no example of a request`);
          body.parse(example);
        }
        const responses = schema?.response as Record<string, unknown>;
        assert.ok(responses['200'] && responses['4xx'] && responses['5xx'], name);
        for (const response of Object.values(responses)) {
          const answer = (response as JsonAnswer).content['application/json']?.schema;
          if (answer === undefined) continue;
          const variants = answer instanceof z.ZodUnion ? answer.options : [answer];
          for (const variant of variants as z.ZodType[]) {
            const { id, examples } = (variant.meta() ?? {}) as { id?: string; examples?: unknown[] };
            assert.ok(id, `${name} answers a component without a name`);
            assert.ok(examples?.length, `${id} has no example`);
            for (const example of examples) variant.parse(example);
          }
        }
      }
    }
  });
});
