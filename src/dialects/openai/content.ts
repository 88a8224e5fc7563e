import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Gateway, Variant } from '../../core/ports.ts';
import { wordIn, wordParameter } from '../kit/query.ts';
import { sendBytes } from './bytes.ts';
import { errorResponses } from './errors.ts';
import { videoIdParams } from './videos.ts';

const variants: readonly Variant[] = ['video', 'thumbnail', 'spritesheet', 'watermarked'];
const binary = { schema: z.string().meta({ format: 'binary' }) };

export function mountContent(routes: FastifyInstance, gateway: Gateway): void {
  // Each method is an operation of its own in the document. HEAD first: after GET Fastify would add one by itself.
  for (const method of ['HEAD', 'GET'] as const) mountMethod(routes, gateway, method);
}

function mountMethod(routes: FastifyInstance, gateway: Gateway, method: 'HEAD' | 'GET'): void {
  // The SDK sends `Accept: application/binary` here, so what a client says it accepts is not looked at.
  routes.route<{ Params: { id: string }; Querystring: Record<string, unknown> }>({
    method,
    url: '/v1/videos/:id/content',
    schema: {
      operationId: method === 'GET' ? 'downloadVideoContent' : 'describeVideoContent',
      tags: ['Videos (OpenAI)'],
      summary: method === 'GET' ? 'Download a video' : 'What a download would be',
      description:
        'The bytes of a completed task, with ranges and conditional requests. `variant=thumbnail` is a still picture.',
      params: videoIdParams,
      querystring: z.looseObject({
        variant: wordParameter(variants, 'video', 'Which file of the task.'),
      }),
      response: {
        200: { description: 'The file.', content: { 'video/mp4': binary, 'image/jpeg': binary } },
        206: { description: 'A part of the file.', content: { 'video/mp4': binary } },
        ...errorResponses,
      },
    },
    handler: async (request, reply) => {
      const variant = wordIn(request.query, 'variant', variants, 'video');
      const content = await gateway.content(request.principal, request.params.id, variant);
      return sendBytes(request, reply, content);
    },
  });
}
