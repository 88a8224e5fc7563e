import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { GatewayError } from '../../../core/errors.ts';
import type { Dialect, DialectError } from '../../../core/ports.ts';
import { writeJson } from '../../../lib/json.ts';
import { renderPlainError } from '../../error-shape.ts';
import { toGatewayError } from '../../gateway-error.ts';

type Render = Dialect<FastifyInstance>['renderError'];
type RenderedError = ReturnType<Render>;

/** Answers refusals in the words of whoever owns the path. */
export interface ErrorRenderer {
  render(
    error: GatewayError,
    request: { id: string; path: string; style?: DialectError['responseStyle'] },
  ): RenderedError;
}

/** The longest prefix that ends at a path segment decides; a path that nobody owns is answered in OpenAI's shape. */
export function createErrorRenderer(dialects: readonly Dialect<FastifyInstance>[]): ErrorRenderer {
  const owners = dialects
    .flatMap((dialect) =>
      dialect.prefixes.map((prefix) => ({
        prefix: prefix.replace(/\/+$/, ''),
        render: (error: DialectError) => dialect.renderError(error),
      })),
    )
    .sort((left, right) => right.prefix.length - left.prefix.length);

  function ownerOf(path: string): Render {
    const owner = owners.find(
      ({ prefix }) =>
        path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/'),
    );
    return owner?.render ?? renderPlainError;
  }

  return {
    render(error, { id, path, style }) {
      const rendered = ownerOf(path)({
        code: error.code,
        message: error.publicMessage,
        param: error.param,
        requestId: id,
        retryAfterMs: error.retryAfterMs,
        responseStyle: style ?? 'superset',
        path,
      });
      return { ...rendered, headers: { ...standardHeaders(error, rendered.status), ...rendered.headers } };
    },
  };
}

const OWN_ANSWER_HEADERS = [
  'content-length',
  'content-disposition',
  'content-encoding',
  'cache-control',
  'etag',
  'last-modified',
];

/** Every failure of every route ends here; what is ours to mend is logged with its cause, and only there. */
export function addErrors(server: FastifyInstance, renderer: ErrorRenderer): void {
  server.setErrorHandler((thrown, request, reply) => {
    const error = toGatewayError(thrown);
    if (error.code === 'internal_error') {
      request.log.error(
        { err: error.cause ?? error, requestId: request.id, path: pathOf(request.raw.url) },
        'internal error',
      );
    } else if (error.code === 'unavailable') {
      request.log.warn({ err: error.cause ?? error, requestId: request.id }, 'unavailable');
    }
    sendError(reply, renderer, error, request);
  });
}

/** Sends a refusal as the owner of the path words it. */
export function sendError(
  reply: FastifyReply,
  renderer: ErrorRenderer,
  error: GatewayError,
  request: FastifyRequest,
): FastifyReply {
  const rendered = renderer.render(error, {
    id: request.id,
    path: pathOf(request.raw.url),
    style: request.principal?.responseStyle,
  });
  // What the route had prepared for its own answer does not describe this one.
  for (const name of OWN_ANSWER_HEADERS) reply.removeHeader(name);
  // The one refusal that says itself what there is: the length of the file.
  if (error.code !== 'range_not_satisfiable') reply.removeHeader('content-range');
  if (error.code === 'payload_too_large') leaveBody(request, reply);
  return reply
    .code(rendered.status)
    .headers(rendered.headers ?? {})
    .type('application/json; charset=utf-8')
    .send(writeJson(rendered.body));
}

/** A form or JSON of this announced length is still taken in, and thrown away, after it was refused. */
const drainedBytesMax = 256 * 1024 * 1024;

/**
 * Closing under a client that still sends resets the connection, and the client sees that instead of the refusal (the
 * openai SDK then sends it all again, twice). So what was announced is read to its end; what has no end is cut off.
 */
function leaveBody(request: FastifyRequest, reply: FastifyReply): void {
  if (Number(request.headers['content-length'] ?? Infinity) > drainedBytesMax) {
    reply.header('connection', 'close');
    return;
  }
  reply.removeHeader('connection');
  request.raw.unpipe();
  request.raw.resume();
}

/** The path of a request target as routes see it: without its query, and with doubled slashes made one. */
export function pathOf(url: string | undefined): string {
  if (url === undefined) return '/';
  const end = url.search(/[?#;]/);
  const path = end < 0 ? url : url.slice(0, end);
  return path.includes('//') ? path.replace(/\/{2,}/g, '/') : path;
}

/** For failures that Fastify meets before there is a request of its own, such as a malformed URL. */
export function createFrameworkErrorHandler(
  renderer: ErrorRenderer,
): (error: Error, request: FastifyRequest, reply: FastifyReply) => void {
  return (thrown, request, reply) => {
    reply.header('x-request-id', request.id);
    sendError(reply, renderer, toGatewayError(thrown), request);
  };
}

function standardHeaders(error: GatewayError, status: number): Record<string, string> {
  const headers: Record<string, string> = {};
  if (status === 401) headers['www-authenticate'] = 'Bearer';
  if (error.retryAfterMs !== null) {
    headers['retry-after-ms'] = String(Math.ceil(error.retryAfterMs));
    headers['retry-after'] = String(Math.ceil(error.retryAfterMs / 1000));
  }
  return headers;
}
