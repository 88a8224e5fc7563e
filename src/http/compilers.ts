import type { FastifyServerOptions } from 'fastify';
import { validatorCompiler } from 'fastify-type-provider-zod';
import { writeJson } from '../lib/json.ts';

/**
 * How requests are judged and answers are written. Named when a server is made: otherwise Fastify loads compilers of
 * its own (130 modules) that are never asked. Answers are written once and as they are; response schemas only document.
 */
export const schemaController: FastifyServerOptions['schemaController'] = {
  compilersFactory: {
    // The types know compilers of JSON Schema only; schemas are the library's affair and reach it untouched.
    buildValidator: () => validatorCompiler as never,
    buildSerializer: () => () => writeJson as never,
  },
};
