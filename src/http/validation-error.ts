import type { FastifySchemaValidationError } from 'fastify/types/schema.js';
import { GatewayError } from '../core/errors.ts';

/** As `fastify-type-provider-zod` hands a zod issue on: all but path, code and message stand in `params`. */
type Issue = FastifySchemaValidationError & {
  params: { expected?: unknown; keys?: string[]; errors?: unknown; input?: unknown };
};

/**
 * The first fault that a schema found, named by the field as the caller wrote it. Zod words a missing value as
 * "expected string, received undefined"; everywhere else its sentence is clear enough once it has a subject.
 */
export function validationError(
  issues: readonly FastifySchemaValidationError[],
  context: string | undefined,
): GatewayError {
  const issue = issues[0] as Issue | undefined;
  if (!issue) return new GatewayError('invalid_request', 'The request is not valid.');
  const field = fieldName(issue.instancePath);
  const message = issue.message ?? 'is not valid';

  if (issue.keyword === 'unrecognized_keys') {
    // The first few: what a caller made up is not sent back to it at any length.
    const keys = (issue.params.keys ?? [])
      .slice(0, 5)
      .map((key) => shortened(field === '' ? key : `${field}.${key}`));
    return new GatewayError(
      'unsupported_parameter',
      `Unknown ${keys.length === 1 ? 'parameter' : 'parameters'}: ${keys.map(quote).join(', ')}.`,
      { param: keys[0] },
    );
  }
  if (field === '') {
    const place = context === 'querystring' ? 'query' : (context ?? 'request');
    return new GatewayError('invalid_request', `The ${place} is not valid: ${plain(message)}.`);
  }
  if (issue.keyword === 'invalid_type' && message.endsWith('received undefined')) {
    return new GatewayError('missing_required_parameter', `${quote(field)} is required.`, { param: field });
  }
  return new GatewayError('invalid_value', `${quote(field)} is not valid: ${plain(message)}.`, {
    param: field,
  });
}

/** `/content/0/text` -> `content[0].text`. */
function fieldName(instancePath: string): string {
  let name = '';
  for (const segment of instancePath.split('/')) {
    if (segment === '') continue;
    if (/^\d+$/.test(segment)) name += `[${segment}]`;
    else name += name === '' ? segment : `.${segment}`;
  }
  return shortened(name);
}

function shortened(name: string): string {
  return name.length > 200 ? `${name.slice(0, 200)}…` : name;
}

function plain(message: string): string {
  const text = message.replace(/^Invalid (?:input|option): /, '').replace(/\.$/, '');
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function quote(name: string): string {
  return `'${name}'`;
}
