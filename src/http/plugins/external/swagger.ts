import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { ServerOptions } from '../../options.ts';

/** Collects the routes that are added from now on into one OpenAPI 3.1 document. */
export async function addSwagger(
  server: FastifyInstance,
  { publicUrl, version }: Pick<ServerOptions, 'publicUrl' | 'version'>,
): Promise<void> {
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Reelay',
        version,
        description:
          'One key and one API for generative video. Every task can be read through every door, whichever one ' +
          'created it. Add `?dry_run=true` to any create route to see what it would cost.',
      },
      servers: [{ url: publicUrl === '' ? '/' : publicUrl }],
      components: {
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            description: 'An API key, or a JWT (HS256) signed with an access key and its secret key.',
          },
          x_api_key: { type: 'apiKey', in: 'header', name: 'x-api-key' },
          x_goog_api_key: { type: 'apiKey', in: 'header', name: 'x-goog-api-key' },
          query_key: { type: 'apiKey', in: 'query', name: 'key' },
          admin_token: { type: 'http', scheme: 'bearer', description: 'The admin token.' },
        },
      },
      security: [{ bearer: [] }, { x_api_key: [] }, { x_goog_api_key: [] }, { query_key: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
}
