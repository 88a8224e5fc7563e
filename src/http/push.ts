import type { FastifyInstance } from 'fastify';
import { GatewayError } from '../core/errors.ts';
import type { Json } from '../core/ports.ts';
import { requireSignature } from './content.ts';
import type { ServerOptions } from './options.ts';

/** A push says little: a megabyte is far more than any upstream sends. */
const pushBytesMax = 1024 * 1024;

/**
 * Where upstreams report that something happened to a task. The URL is signed when it is handed out; the body is only
 * a hint, so the answer is 200 whatever becomes of it: an upstream that is told of failures sends again and again.
 */
export function addPush(
  server: FastifyInstance,
  { onPush, linkKeys, clock }: Pick<ServerOptions, 'onPush' | 'linkKeys' | 'clock'>,
): void {
  server.post(
    '/callbacks/:provider/:channelId/:taskId',
    {
      bodyLimit: pushBytesMax,
      schema: { hide: true },
      onRequest: (request, _reply, done) => {
        requireSignature(linkKeys, request.raw.url ?? '', clock.now());
        done();
      },
    },
    async (request) => {
      const { channelId, taskId } = request.params as { channelId: string; taskId: string };
      try {
        await onPush(channelId, taskId, request.body as Json);
      } catch (error) {
        const isUnknown =
          error instanceof GatewayError && (error.code === 'not_found' || error.code === 'task_not_found');
        if (isUnknown) throw error;
        request.log.warn({ err: error, requestId: request.id, taskId }, 'a push could not be taken in');
      }
      return { code: 0, message: 'ok' };
    },
  );
}
