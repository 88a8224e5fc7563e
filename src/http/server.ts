import fastify, { LogController, type FastifyInstance } from 'fastify';
import { writeJson } from '../lib/json.ts';
import { addAdmin } from './admin/routes.ts';
import { answerClientError } from './client-error.ts';
import { schemaController } from './compilers.ts';
import { addContent } from './content.ts';
import { addHealth } from './health.ts';
import { addOpenapi } from './openapi.ts';
import type { ServerOptions } from './options.ts';
import { addAccessLog } from './plugins/app/access-log.ts';
import { addAuthentication } from './plugins/app/authenticate.ts';
import { addErrors, createErrorRenderer, createFrameworkErrorHandler } from './plugins/app/errors.ts';
import { addFormBody } from './plugins/app/form-body.ts';
import { addJsonBody, bodyBytesMax } from './plugins/app/json-body.ts';
import { addMetrics } from './plugins/app/metrics.ts';
import { addNotFound } from './plugins/app/not-found.ts';
import { addRequestId, requestIdOf } from './plugins/app/request-id.ts';
import { addSendTogether } from './plugins/app/send-together.ts';
import { addCors } from './plugins/external/cors.ts';
import { addMultipart } from './plugins/external/multipart.ts';
import { addReference } from './plugins/external/reference.ts';
import { addPush } from './push.ts';
import './fastify.ts';

export type { ServerOptions } from './options.ts';

/** The gateway's HTTP side, ready to listen (or to be asked in memory). */
export async function buildServer(options: ServerOptions): Promise<FastifyInstance> {
  const renderer = createErrorRenderer(options.dialects);
  const server = fastify({
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    // A logger of its own costs a request more than its one line: that line names the request instead.
    childLoggerFactory: (logger) => logger,
    genReqId: (request) => requestIdOf(request),
    requestIdHeader: false,
    trustProxy: options.trustProxy?.length ? [...options.trustProxy] : false,
    bodyLimit: bodyBytesMax,
    // A body that trickles in is given up after five minutes.
    requestTimeout: 300_000,
    forceCloseConnections: 'idle',
    // While we drain, requests on open connections are still served.
    return503OnClosing: false,
    // A base URL that ends with a slash makes paths like `//v1/videos`; Kling's documentation ends one path with it.
    routerOptions: { maxParamLength: 1024, ignoreDuplicateSlashes: true, ignoreTrailingSlash: true },
    schemaController,
    frameworkErrors: createFrameworkErrorHandler(renderer),
    clientErrorHandler: answerClientError,
  }) as unknown as FastifyInstance;
  server.decorateRequest('principal');
  server.setReplySerializer((payload) => writeJson(payload));

  addRequestId(server);
  addSendTogether(server);
  addErrors(server, renderer);
  addNotFound(server, renderer);
  addJsonBody(server);
  addAccessLog(server);
  const readMetrics = addMetrics(server, options);
  addHealth(server, options, readMetrics);
  if (options.answersCallers === false) return server;
  await addCors(server);
  addOpenapi(server, options);
  addReference(server);
  addContent(server, options);
  addPush(server, options);

  await server.register(async (scope) => {
    addAuthentication(scope, options);
    await addMultipart(scope);
    addFormBody(scope);
    for (const dialect of options.dialects) {
      await scope.register(async (routes) => dialect.mount(routes, options.gateway));
    }
  });
  await server.register(async (scope) => addAdmin(scope, options));
  return server;
}
