import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Content } from '../../core/ports.ts';
import { serveBytes } from '../../lib/serve-bytes.ts';
import { renderError } from './errors.ts';

/** Sends stored bytes as a download, whole or in part. */
export async function sendBytes(
  request: FastifyRequest,
  reply: FastifyReply,
  content: Content,
): Promise<FastifyReply> {
  const answer = await serveBytes(request, content, 'attachment');
  reply.code(answer.status).headers({ ...answer.headers, 'x-content-type-options': 'nosniff' });
  if (answer.status === 416) return reply.send(rangeRefusal(request, content.bytes));
  return reply.send(answer.stream);
}

/** Written here and not thrown: only this answer knows the file's length. */
function rangeRefusal(request: FastifyRequest, bytes: number): unknown {
  return renderError({
    code: 'range_not_satisfiable',
    message: `The range lies outside the file, which has ${bytes} bytes.`,
    param: 'Range',
    requestId: request.id,
    retryAfterMs: null,
    responseStyle: request.principal.responseStyle,
    path: request.url,
  }).body;
}
