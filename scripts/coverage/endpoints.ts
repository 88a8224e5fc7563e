/**
 * The callers' routes as the running dialects mount them, and what each asks the gateway for: every route is asked with
 * the example of its own documentation (where that asks for something else: with the body of a golden exchange, or of a
 * plain film), and a gateway that only listens notes the verb.
 */
import fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import { validatorCompiler } from 'fastify-type-provider-zod';
import type { Catalogue } from '../../src/core/catalogue.ts';
import { GatewayError } from '../../src/core/errors.ts';
import type { Dialect, Family, Gateway, Principal } from '../../src/core/ports.ts';
import type { LooseFeature, TaskRequest } from '../../src/core/request/feature.ts';
import type { LooseVideo } from '../../src/core/request/types.ts';
import { resolveVideo } from '../../src/core/request/video.ts';
import * as dialects from '../../src/dialects/index.ts';
import { writeJson } from '../../src/lib/json.ts';
import { films } from './films.ts';
import { asks } from './tests.ts';
import type { Golden } from './tests.ts';

export interface Endpoint {
  dialect: string;
  method: string;
  /** As the OpenAPI document spells it: `/v1/videos/{id}`. */
  path: string;
  /** The gateway's verb behind it; null when the example did not get that far. */
  verb: string | null;
  /** What a create asks for; null elsewhere. */
  request: TaskRequest | null;
  /** Why the example asks for nothing, where it should. */
  fault: string | null;
}

/** A verb of the gateway and what it was given. */
interface Call {
  verb: string;
  input: unknown;
}

interface Route {
  method: string;
  /** As the router has it: `/v1/videos/:id`. */
  url: string;
  schema: unknown;
}

const principal: Principal = { accountId: 'acct_coverage', keyId: 'key_coverage', responseStyle: 'superset' };

export async function readEndpoints(
  families: readonly Family[],
  catalogue: Catalogue,
  nowMs: number,
  goldens: readonly Golden[],
): Promise<Endpoint[]> {
  const endpoints: Endpoint[] = [];
  const names = families.flatMap(({ aliases, models }) => [...aliases, ...models].map(({ id }) => id));
  for (const dialect of Object.values(dialects)) {
    const { routes, ask, close } = await listenTo(dialect);
    for (const route of routes) {
      const { method, url, schema } = route;
      const path = url.replaceAll(/:(\w+)/g, '{$1}');
      const endpoint: Endpoint = {
        dialect: dialect.id,
        method,
        path,
        verb: null,
        request: null,
        fault: null,
      };
      const bodies = [
        exampleOf(schema),
        ...goldens.filter((golden) => asks(golden, endpoint)).flatMap(({ request }) => request.body ?? []),
        ...(method === 'POST' ? Object.values(films) : []),
      ];
      // A model may stand in the path: the first one that the door takes.
      const models = /:model\b/.test(url) ? names : [''];
      for (const [model, body] of models.flatMap((name) => bodies.map((one) => [name, one] as const))) {
        const call = await ask(route, model, body);
        if (call === null) continue;
        Object.assign(endpoint, { verb: call.verb, ...resolve(call, families, catalogue, nowMs) });
        if (endpoint.fault === null) break;
      }
      endpoints.push(endpoint);
    }
    await close();
  }
  return endpoints;
}

/** A dialect's documented routes, and what one of them asks the gateway for. */
async function listenTo(dialect: Dialect<FastifyInstance>): Promise<{
  routes: Route[];
  ask(route: Route, model: string, body: unknown): Promise<Call | null>;
  close(): Promise<void>;
}> {
  const routes: Route[] = [];
  let heard: Call | null = null;
  const gateway = new Proxy({} as Gateway, {
    get: (_target, verb) => (_principal: Principal, input: unknown) => {
      heard ??= { verb: String(verb), input };
      throw new GatewayError('unavailable', 'Nothing is made here.');
    },
  });
  const app = fastify({ exposeHeadRoutes: false, routerOptions: { maxParamLength: 500 } });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(() => writeJson);
  app.addHook('onRoute', ({ method, url, schema }) => {
    if (isHidden(schema)) return;
    for (const one of [method].flat()) routes.push({ method: one, url, schema });
  });
  app.addHook('onRequest', (request, _reply, done) => {
    request.principal = principal;
    done();
  });
  app.register(async (scope) => dialect.mount(scope, gateway));
  await app.ready();
  return {
    routes,
    async ask({ method, url }, model, body) {
      heard = null;
      await app.inject({
        method: method as 'GET',
        url: url.replace(':model', encodeURIComponent(model)).replaceAll(/:\w+/g, 'x'),
        ...(method === 'POST' && {
          payload: writeJson(body),
          headers: { 'content-type': 'application/json' },
        }),
      });
      return heard;
    },
    close: () => app.close(),
  };
}

function resolve(
  { verb, input }: Call,
  families: readonly Family[],
  catalogue: Catalogue,
  nowMs: number,
): Pick<Endpoint, 'request' | 'fault'> {
  try {
    if (verb === 'createVideo') {
      return { request: resolveVideo(input as LooseVideo, catalogue, { nowMs }).request, fault: null };
    }
    if (verb !== 'createFeature') return { request: null, fault: null };
    const loose = input as LooseFeature;
    const family = families.find(({ features }) =>
      features.some(({ operation }) => operation === loose.operation),
    );
    if (!family) return { request: null, fault: `no family sells ${loose.operation}` };
    return { request: family.resolveFeature(loose).request, fault: null };
  } catch (error) {
    if (error instanceof GatewayError) return { request: null, fault: error.publicMessage };
    throw error;
  }
}

function isHidden(schema: unknown): boolean {
  return typeof schema === 'object' && schema !== null && 'hide' in schema && schema.hide === true;
}

/** Of the body's own documentation; an empty body where it has none. */
function exampleOf(schema: unknown): unknown {
  const body = (schema as { body?: { meta?(): { example?: unknown; examples?: unknown[] } } } | undefined)
    ?.body;
  const meta = body?.meta?.();
  return meta?.example ?? meta?.examples?.[0] ?? {};
}
