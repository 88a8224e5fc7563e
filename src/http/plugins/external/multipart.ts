import multipart from '@fastify/multipart';
import type { FastifyInstance } from 'fastify';
import { bodyBytesMax } from '../app/json-body.ts';

/** One more than is allowed, so that the form itself names the field that was too many. */
const fieldsMax = 201;

/** The parser of forms. What it may hold in sum is counted where it is read (`plugins/app/form-body.ts`). */
export async function addMultipart(scope: FastifyInstance): Promise<void> {
  await scope.register(multipart, {
    limits: {
      fieldNameSize: 1024,
      fieldSize: bodyBytesMax,
      fileSize: bodyBytesMax,
      fields: fieldsMax,
      files: fieldsMax,
      parts: fieldsMax,
      headerPairs: 100,
    },
  });
}
