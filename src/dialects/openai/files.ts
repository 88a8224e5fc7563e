/** Files of one's own: OpenAI's Files API (`client.files`), and what the founding documents call 文件上传. */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { readIntent } from '../../core/intent.ts';
import type { Gateway } from '../../core/ports.ts';
import { systemClock } from '../../lib/clock.ts';
import { textIn, wholeNumberIn, wholeNumberParameter, wordIn, wordParameter } from '../kit/query.ts';
import { markReplayed } from '../kit/replayed.ts';
import { jsonAnswer } from '../kit/responses.ts';
import { sendBytes } from './bytes.ts';
import { errorResponses } from './errors.ts';
import { fileDeletedResponse, fileObject, filesListResponse, renderFile } from './file-object.ts';
import { fileUpload, readUpload } from './file-upload.ts';

/** OpenAI's own greatest page; its default is the same, which is more than anybody reads at once. */
const limit = { minimum: 1, maximum: 10_000, default: 100 };
const orders = ['asc', 'desc'] as const;
const tags = ['Files'];
const params = z.object({ id: z.string().meta({ description: 'A file id.' }) });

export function mountFiles(instance: FastifyInstance, gateway: Gateway): void {
  const routes = instance.withTypeProvider<ZodTypeProvider>();

  routes.post(
    '/v1/files',
    {
      schema: {
        operationId: 'createFile',
        tags,
        summary: 'Upload a file',
        description:
          'Keeps a picture, film or sound. Its id goes wherever a request takes a `file_id`. Only your account ' +
          'sees it.',
        consumes: ['multipart/form-data'],
        body: fileUpload,
        response: { 200: jsonAnswer('The file.', fileObject), ...errorResponses },
      },
    },
    async (request, reply) => {
      const upload = readUpload(request.body, systemClock.now());
      const file = await gateway.createFile(request.principal, upload, readIntent(request));
      markReplayed(reply, file);
      return renderFile(file);
    },
  );

  routes.get(
    '/v1/files',
    {
      schema: {
        operationId: 'listFiles',
        tags,
        summary: 'List files',
        description: 'The files of the account.',
        querystring: z.looseObject({
          purpose: z.unknown().optional().meta({ type: 'string', description: 'Only files for this.' }),
          after: z
            .unknown()
            .optional()
            .meta({ type: 'string', description: 'The `last_id` of the page before.' }),
          limit: wholeNumberParameter({ ...limit, description: 'Files per page.' }),
          order: wordParameter(orders, 'desc', 'By time of upload.'),
        }),
        response: { 200: jsonAnswer('One page of files.', filesListResponse), ...errorResponses },
      },
    },
    async (request) => {
      const purpose = textIn(request.query, 'purpose');
      const after = textIn(request.query, 'after');
      const { files, hasMore } = await gateway.listFiles(request.principal, {
        order: wordIn(request.query, 'order', orders, 'desc'),
        limit: wholeNumberIn(request.query, 'limit', limit),
        ...(purpose === undefined ? {} : { purpose }),
        ...(after === undefined ? {} : { after }),
      });
      const data = files.map(renderFile);
      return {
        object: 'list' as const,
        data,
        first_id: data[0]?.id ?? null,
        last_id: data.at(-1)?.id ?? null,
        has_more: hasMore,
      };
    },
  );

  routes.get(
    '/v1/files/:id',
    {
      schema: {
        operationId: 'retrieveFile',
        tags,
        summary: 'Retrieve a file',
        description: 'What is known of a file.',
        params,
        response: { 200: jsonAnswer('The file.', fileObject), ...errorResponses },
      },
    },
    async (request) => renderFile(await gateway.findFile(request.principal, request.params.id)),
  );

  routes.delete(
    '/v1/files/:id',
    {
      schema: {
        operationId: 'deleteFile',
        tags,
        summary: 'Delete a file',
        description: 'Deletes a file. Tasks that were asked for with it keep the copy they were given.',
        params,
        response: { 200: jsonAnswer('It is gone.', fileDeletedResponse), ...errorResponses },
      },
    },
    async (request) => {
      await gateway.deleteFile(request.principal, request.params.id);
      return { id: request.params.id, object: 'file' as const, deleted: true as const };
    },
  );

  mountFileContent(instance, gateway);
}

const binary = { schema: z.string().meta({ format: 'binary' }) };
/** What the bytes may be found to be (lib/sniff.ts). */
const fileTypes = Object.fromEntries(
  [
    ...['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/bmp'],
    ...['video/mp4', 'video/quicktime', 'video/webm'],
    ...['audio/mpeg', 'audio/wav', 'audio/mp4', 'audio/aac', 'audio/ogg', 'application/octet-stream'],
  ].map((type) => [type, binary]),
);

function mountFileContent(instance: FastifyInstance, gateway: Gateway): void {
  instance.route<{ Params: { id: string } }>({
    method: 'GET',
    url: '/v1/files/:id/content',
    schema: {
      operationId: 'downloadFile',
      tags,
      summary: 'Download a file',
      description: 'The bytes of a file, with ranges and conditional requests.',
      params,
      response: {
        200: { description: 'The file.', content: fileTypes },
        206: { description: 'A part of the file.', content: fileTypes },
        ...errorResponses,
      },
    },
    handler: async (request, reply) =>
      sendBytes(request, reply, await gateway.fileContent(request.principal, request.params.id)),
  });
}
