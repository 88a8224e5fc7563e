import type { FastifyInstance, FastifyRequest } from 'fastify';
import { GatewayError } from '../../../core/errors.ts';
import { parseJson } from '../../../lib/json.ts';

/** Largest body of any kind: JSON and multipart. */
export const bodyBytesMax = 32 * 1024 * 1024;

type Done = (error: Error | null, body?: unknown) => void;

/**
 * Reads JSON bodies so that integers above 2^53 survive. A body without a Content-Type, or sent as text/plain, is
 * tried as JSON too; an empty body is an empty object.
 */
export function addJsonBody(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(
    ['application/json', 'text/plain', 'text/json'],
    { parseAs: 'string' },
    readJson,
  );
  server.addContentTypeParser(/^application\/[\w.-]+\+json/, { parseAs: 'string' }, readJson);
  server.addContentTypeParser('*', { parseAs: 'string' }, readUnnamed);
  server.addHook('preValidation', (request, _reply, done) => {
    // A POST without any body at all never meets a parser.
    if (request.body === undefined && request.method !== 'GET' && request.method !== 'HEAD')
      request.body = {};
    done();
  });
}

function readJson(request: FastifyRequest, text: string | Buffer, done: Done): void {
  try {
    done(null, parseBody(text as string));
  } catch (error) {
    done(request.headers['content-encoding'] === undefined ? (error as Error) : packed());
  }
}

/** Nothing of a stranger's is unpacked here: a few kilobytes can hold gigabytes. */
function packed(): GatewayError {
  return new GatewayError(
    'unsupported_media_type',
    'Packed bodies are not taken: send the JSON as it is, without Content-Encoding.',
    { param: 'Content-Encoding' },
  );
}

function readUnnamed(request: FastifyRequest, text: string | Buffer, done: Done): void {
  if (request.headers['content-type'] === undefined || text === '') {
    readJson(request, text, done);
    return;
  }
  done(
    new GatewayError(
      'unsupported_media_type',
      "The Content-Type header is not supported: send 'Content-Type: application/json' (curl: " +
        "-H 'Content-Type: application/json') or 'multipart/form-data'.",
    ),
  );
}

function parseBody(text: string): unknown {
  // Some editors and Windows tools put a byte order mark before the text.
  const body = text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  return body.trim() === '' ? {} : parseJson(body);
}
