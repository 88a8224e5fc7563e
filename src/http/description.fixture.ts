import assert from 'node:assert/strict';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';

interface Operation {
  responses?: Record<string, { content?: Record<string, { schema?: object }> }>;
}

/**
 * Holds JSON answers against the API description that the same server gives out: a status that is not described, a
 * field too many or of another type throws.
 */
export async function createAnswerCheck(
  server: FastifyInstance,
): Promise<(method: string, url: string, status: number, body: unknown) => void> {
  // The reader of JSON Schema knows references into `$defs` only.
  const text = (await server.inject('/openapi.json')).body.replaceAll('#/components/schemas/', '#/$defs/');
  const document = JSON.parse(text) as {
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: object };
  };
  const known = new Map<object, z.ZodType>();

  return (method, url, status, body) => {
    const path = url.split('?', 1)[0]!;
    const template = Object.keys(document.paths).find((candidate) =>
      new RegExp(`^${candidate.replace(/\{[^}]+\}/g, '[^/]+')}$`).test(path),
    );
    assert.ok(template, `${path} is not described`);
    const responses = document.paths[template]?.[method.toLowerCase()]?.responses ?? {};
    const described = responses[status] ?? responses[`${Math.floor(status / 100)}XX`];
    const schema = described?.content?.['application/json']?.schema;
    assert.ok(schema, `${method} ${template} does not describe ${status}`);
    let judge = known.get(schema);
    if (judge === undefined) {
      judge = z.fromJSONSchema({ ...schema, $defs: document.components.schemas } as never);
      known.set(schema, judge);
    }
    const verdict = judge.safeParse(body);
    assert.ok(
      verdict.success,
      `${method} ${path} ${status}: ${verdict.error && z.prettifyError(verdict.error)}`,
    );
  };
}
