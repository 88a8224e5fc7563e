import swagger from '@fastify/swagger';
import fastify, { type RouteOptions } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { schemaController } from '../../compilers.ts';
import type { ServerOptions } from '../../options.ts';

/**
 * Routes of another server as one OpenAPI 3.1 document. The library describes what is added after it: the routes are
 * added anew, to a server that is never listened to.
 */
export async function describeRoutes(
  routes: RouteOptions[],
  { publicUrl, version }: Pick<ServerOptions, 'publicUrl' | 'version'>,
): Promise<object> {
  const describer = fastify({ exposeHeadRoutes: false, schemaController });
  await describer.register(swagger, {
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
  for (const { method, url, schema } of routes) {
    if (method !== 'HEAD') describer.route({ method, url, schema, handler: () => null });
  }
  await describer.ready();
  const document = describer.swagger();
  await describer.close();
  return document;
}
