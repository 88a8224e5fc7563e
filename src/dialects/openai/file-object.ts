import { z } from 'zod';
import type { FileRow } from '../../core/ports.ts';
import { toSeconds } from '../kit/video-object.ts';

/** OpenAI's purposes and, for callers who say what kind of media it is, ours. */
export const purposes = [
  ...['user_data', 'vision', 'assistants', 'batch', 'fine-tune', 'evals'],
  ...['image_input', 'video_input', 'audio_input', 'voice_clone', 'asset'],
];
export const purposeDefault = 'user_data';

const fileExample = {
  id: 'file_0Qk3XhV7bT2mYwLr9sJfN4cPzDqGa8Ue',
  object: 'file' as const,
  bytes: 182_044,
  created_at: 1780891541,
  filename: 'cat.png',
  purpose: 'vision',
  status: 'processed' as const,
  content_type: 'image/png',
  width: 1280,
  height: 720,
};

export const fileObject = z
  .object({
    id: z.string().meta({ description: 'Goes wherever a request takes a `file_id`.' }),
    object: z.literal('file'),
    bytes: z.number().int(),
    created_at: z.number().int().meta({ description: 'Unix seconds.' }),
    expires_at: z
      .number()
      .int()
      .optional()
      .meta({ description: 'Unix seconds; absent where it is kept until it is deleted.' }),
    filename: z.string(),
    purpose: z.string(),
    status: z.literal('processed'),
    content_type: z.string().meta({ description: 'What the bytes are, whatever the upload said.' }),
    width: z.number().int().optional().meta({ description: 'Of a picture.' }),
    height: z.number().int().optional(),
  })
  .meta({ id: 'FileObject', description: 'A file you keep here.', examples: [fileExample] });

export type FileObject = z.output<typeof fileObject>;

export const filesListResponse = z
  .object({
    object: z.literal('list'),
    data: z.array(fileObject),
    first_id: z.string().nullable(),
    last_id: z.string().nullable().meta({ description: 'Pass it as `after` to get the next page.' }),
    has_more: z.boolean(),
  })
  .meta({
    id: 'FilesListResponse',
    description: 'One page of files.',
    examples: [
      {
        object: 'list',
        data: [fileExample],
        first_id: fileExample.id,
        last_id: fileExample.id,
        has_more: false,
      },
    ],
  });

export const fileDeletedResponse = z
  .object({ id: z.string(), object: z.literal('file'), deleted: z.literal(true) })
  .meta({
    id: 'FileDeletedResponse',
    description: 'The file is gone.',
    examples: [{ id: fileExample.id, object: 'file', deleted: true }],
  });

export function renderFile(row: FileRow): FileObject {
  return {
    id: row.id,
    object: 'file',
    bytes: row.bytes,
    created_at: toSeconds(row.createdAt),
    ...(row.expiresAt === null ? {} : { expires_at: toSeconds(row.expiresAt) }),
    filename: row.filename,
    purpose: row.purpose,
    status: 'processed',
    content_type: row.contentType,
    ...(row.width === null || row.height === null ? {} : { width: row.width, height: row.height }),
  };
}
