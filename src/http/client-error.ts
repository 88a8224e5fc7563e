import type { Socket } from 'node:net';
import { requestIdOf } from './plugins/app/request-id.ts';
import { writeJson } from '../lib/json.ts';

const ANSWERS: Record<string, { status: string; message: string; code: string }> = {
  HPE_HEADER_OVERFLOW: {
    status: '431 Request Header Fields Too Large',
    message: 'The request headers are larger than 16 KiB.',
    code: 'invalid_request',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: '408 Request Timeout',
    message: 'The request did not arrive in time.',
    code: 'invalid_request',
  },
};

const malformed = {
  status: '400 Bad Request',
  message: 'This is not a well-formed HTTP request.',
  code: 'invalid_request',
};

/** Answers what is no HTTP at all. There is no path yet, hence no dialect: OpenAI's shape it is. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  // Gone, or an answer is on its way already: nothing can be said any more.
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const answer = ANSWERS[error.code ?? ''] ?? malformed;
  const requestId = requestIdOf({ headers: {} });
  const body = writeJson({
    error: { message: answer.message, type: 'invalid_request_error', param: null, code: answer.code },
    request_id: requestId,
  });
  socket.end(
    `HTTP/1.1 ${answer.status}\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nX-Request-Id: ${requestId}\r\nConnection: close\r\n\r\n${body}`,
    // A peer that keeps sending would hold the socket half open.
    () => socket.destroy(),
  );
}
