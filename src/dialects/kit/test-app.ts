/** The least HTTP shell a dialect needs, for tests: no authentication, and every answer is held against its schema. */
import Fastify, { type FastifyInstance } from 'fastify';
import { validatorCompiler } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { GatewayError } from '../../core/errors.ts';
import type { Gateway, Principal } from '../../core/ports.ts';
import { parseJson, writeJson } from '../../lib/json.ts';
import type { HttpDialect } from './fastify.ts';

export const testRequestId = 'request-1';

/** `principal` is asked anew for each request. An answer that its own response schema does not describe is a 500. */
export function createTestApp(
  dialect: HttpDialect,
  gateway: Gateway,
  principal: () => Principal,
): FastifyInstance {
  const app = Fastify({ genReqId: () => testRequestId, routerOptions: { maxParamLength: 500 } });
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler<unknown>(({ schema }) => (data) => {
    const verdict = schema instanceof z.ZodType ? z.safeParse(schema, data) : null;
    if (verdict?.success === false) throw new Error(`undocumented answer: ${z.prettifyError(verdict.error)}`);
    return writeJson(data);
  });
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => {
    done(null, parseJson(text as string));
  });
  app.addHook('onRequest', (request, _reply, done) => {
    request.principal = principal();
    done();
  });
  app.setErrorHandler((thrown, request, reply) => {
    const rendered = render(refusalOf(thrown), request.url);
    return reply
      .code(rendered.status)
      .headers(rendered.headers ?? {})
      .send(rendered.body);
  });
  app.setNotFoundHandler((request, reply) => {
    const rendered = render(new GatewayError('not_found', 'There is nothing here.'), request.url);
    return reply.code(rendered.status).send(rendered.body);
  });
  app.register((routes, _options, done) => {
    dialect.mount(routes, gateway);
    done();
  });

  function render(error: GatewayError, path: string) {
    return dialect.renderError({
      code: error.code,
      message: error.publicMessage,
      param: error.param,
      requestId: testRequestId,
      retryAfterMs: error.retryAfterMs,
      responseStyle: principal().responseStyle,
      path,
    });
  }
  return app;
}

function refusalOf(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  if (thrown instanceof Error && 'validation' in thrown) {
    return new GatewayError('invalid_value', thrown.message, { cause: thrown });
  }
  return new GatewayError('internal_error', thrown instanceof Error ? thrown.message : String(thrown));
}
