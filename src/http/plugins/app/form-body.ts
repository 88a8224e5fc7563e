import type { FastifyInstance, FastifyRequest } from 'fastify';
import { GatewayError } from '../../../core/errors.ts';
import { parseJson } from '../../../lib/json.ts';
import { createFormTree, type FormObject } from '../../../lib/multipart.ts';
import { bodyBytesMax } from './json-body.ts';

/**
 * Turns multipart bodies into the object that was meant, before validation. Parts are taken in the order they come:
 * arrays of objects depend on it.
 */
export function addFormBody(scope: FastifyInstance): void {
  scope.addHook('preValidation', (request, _reply, done) => {
    if (!request.isMultipart()) {
      done();
      return;
    }
    readForm(request).then((body) => {
      request.body = body;
      done();
    }, done);
  });
}

async function readForm(request: FastifyRequest): Promise<FormObject> {
  if (Number(request.headers['content-length']) > bodyBytesMax) throw tooLarge();
  const tree = createFormTree({ jsonFields: request.routeOptions.config.jsonFields ?? [] });
  // The parser only caps single parts.
  let bytes = 0;
  try {
    for await (const part of request.parts({ isPartAFile })) {
      // The parser's types promise a name; a part without one has none.
      if (typeof part.fieldname !== 'string')
        throw new GatewayError('invalid_request', 'A part of the form has no name.');
      if (part.type === 'file') {
        const content = await part.toBuffer();
        if ((bytes += content.length) > bodyBytesMax) throw tooLarge();
        if (part.filename === undefined && isJson(part.mimetype)) {
          tree.addField(part.fieldname, jsonText(content));
          continue;
        }
        tree.addFile(part.fieldname, {
          bytes: content,
          filename: part.filename ?? '',
          contentType: part.mimetype,
        });
        continue;
      }
      if (part.valueTruncated) throw tooLarge();
      if (part.fieldnameTruncated)
        throw new GatewayError('invalid_request', 'A form field has too long a name.');
      const text = String(part.value);
      if ((bytes += text.length) > bodyBytesMax) throw tooLarge();
      tree.addField(part.fieldname, text);
    }
  } catch (error) {
    throw readable(error);
  }
  return tree.finish();
}

/** The parser would build a part declared as JSON before anybody has looked at its size: it is given to us as bytes. */
function isPartAFile(_name: string | undefined, type: string | undefined, filename?: string): boolean {
  return filename !== undefined || type === 'application/octet-stream' || isJson(type);
}

function isJson(type: string | undefined): boolean {
  return type?.startsWith('application/json') === true;
}

/** As text a part declared as JSON takes the same way as all others. */
function jsonText(content: Buffer): string {
  const text = content.toString('utf8');
  parseJson(text);
  return text;
}

function tooLarge(): GatewayError {
  return new GatewayError('payload_too_large', 'The form is larger than 32 MiB.');
}

/** The parser's plain errors are all about what was sent: a missing boundary, a body cut short, a caller who hung up. */
function readable(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = 'code' in error ? error.code : null;
  if (code !== 'ECONNRESET' && (code !== null || error.constructor !== Error)) return error;
  return new GatewayError(
    'invalid_request',
    'The multipart form is malformed: check its boundary and its end.',
    { cause: error },
  );
}
