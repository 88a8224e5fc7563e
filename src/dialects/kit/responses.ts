import type { z } from 'zod';

/** A JSON answer as a route documents it, with a sentence of its own for the reference page. */
export function jsonAnswer<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: { 'application/json': { schema } } };
}

/** What every route may answer instead of success, in the dialect's own shape. */
export function refusals<Schema extends z.ZodType>(schema: Schema) {
  return {
    '4xx': jsonAnswer('Refused: the request, the caller, or what was asked for.', schema),
    '5xx': jsonAnswer('Failed on our side or upstream; worth another try later.', schema),
  };
}
