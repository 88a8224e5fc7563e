import type { FastifyError } from 'fastify';
import { GatewayError, type ErrorCode } from '../core/errors.ts';
import { JsonError } from '../lib/json.ts';
import { FormError } from '../lib/multipart.ts';
import { validationError } from './validation-error.ts';

/** Fastify's and its plugins' own refusals, in our codes and words. */
const KNOWN: Record<string, { code: ErrorCode; message: string }> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    code: 'payload_too_large',
    message: 'The request body is larger than 32 MiB.',
  },
  FST_REQ_FILE_TOO_LARGE: { code: 'payload_too_large', message: 'A file in the form is larger than 32 MiB.' },
  FST_FIELDS_LIMIT: { code: 'payload_too_large', message: 'The form has more than 200 fields.' },
  FST_FILES_LIMIT: { code: 'payload_too_large', message: 'The form has more than 200 files.' },
  FST_PARTS_LIMIT: { code: 'payload_too_large', message: 'The form has more than 200 parts.' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'unsupported_media_type',
    message: "The Content-Type header is not supported: send 'application/json' or 'multipart/form-data'.",
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: 'invalid_request',
    message: 'The body is not as long as the Content-Length header says.',
  },
  FST_PROTO_VIOLATION: { code: 'invalid_request', message: 'A form field has a name that is not allowed.' },
  FST_INVALID_JSON_FIELD_ERROR: {
    code: 'invalid_json',
    message: 'A form part is declared as application/json but holds no JSON.',
  },
  FST_MP_PREMATURE_CLOSE: { code: 'invalid_request', message: 'The form ended before it was complete.' },
  FST_ERR_BAD_URL: { code: 'invalid_request', message: 'The URL is malformed: check its percent-encoding.' },
  FST_ERR_ROUTE_MAX_PARAM_LENGTH: { code: 'not_found', message: 'A part of the path is too long.' },
};

/** Whatever was thrown, as a refusal a caller may read. What is nobody's doing but ours is `internal_error`. */
export function toGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  if (thrown instanceof JsonError) {
    return new GatewayError('invalid_json', `The body cannot be read: ${thrown.message}.`, { cause: thrown });
  }
  if (thrown instanceof FormError) {
    const code = thrown.reason === 'too_many_fields' ? 'payload_too_large' : 'invalid_request';
    return new GatewayError(code, `${thrown.message}.`, { param: thrown.field, cause: thrown });
  }
  const error = thrown as Partial<FastifyError> | null | undefined;
  if (error?.validation) return validationError(error.validation, error.validationContext);
  const known = error?.code === undefined ? undefined : KNOWN[error.code];
  if (known) return new GatewayError(known.code, known.message, { cause: thrown });
  const status = error?.statusCode;
  if (status !== undefined && status >= 400 && status < 500) {
    return new GatewayError('invalid_request', 'The request could not be read.', { cause: thrown });
  }
  return new GatewayError('internal_error', 'Something went wrong on our side.', { cause: thrown });
}
