import { Readable } from 'node:stream';
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

/**
 * The longest prefix that ends at a path segment decides, or at an escape, well-formed or not: whoever broke the end of
 * an URL still reads the words of its door. A path that nobody owns is answered in OpenAI's shape.
 */
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
        path.startsWith(prefix) && (path.length === prefix.length || '/%'.includes(path[prefix.length]!)),
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
  reply
    .code(rendered.status)
    .headers(rendered.headers ?? {})
    .type('application/json; charset=utf-8');
  const text = writeJson(rendered.body);
  if (error.code !== 'payload_too_large') return reply.send(text);
  return reply
    .headers({ connection: 'close', 'content-length': Buffer.byteLength(text) })
    .send(Readable.from(refuseAndDrain(text, request)));
}

/** A client that sends nothing for so long has stopped to send. */
const lingerIdleMs = 2_000;

/**
 * The refusal at once, and its end only when the client has sent all it had or has stopped: closing earlier resets the
 * connection, and a client sees that instead of the refusal (the openai SDK then sends it all again, twice).
 */
async function* refuseAndDrain(text: string, { raw }: FastifyRequest): AsyncGenerator<string> {
  yield text;
  // A request that came over no wire does not say whether it is complete.
  if (raw.complete !== false) return;
  await new Promise<void>((resolve) => {
    raw.once('end', resolve).once('close', resolve).setTimeout(lingerIdleMs, resolve);
    raw.unpipe();
    raw.resume();
  });
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
