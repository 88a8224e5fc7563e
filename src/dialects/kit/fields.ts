/**
 * Fields of request bodies as schemas: lenient about spelling (a form has nothing but text), strict about JSON types.
 * What a value means is judged behind the dialect, which also words the refusal.
 */
import { z } from 'zod';
import { isUpload } from '../../core/request/media.ts';
import { JsonError, parseJson } from '../../lib/json.ts';

/** A number, or its text. */
export const textOrNumber = (description: string, examples: (string | number)[] = []) =>
  z
    .union([z.string(), z.number()], { error: 'must be a string or a number' })
    .nullish()
    .meta({ description, ...(examples.length > 0 && { examples }) });
/** A text; null is nothing. */
export const text = (description: string, examples: string[] = []) =>
  z
    .string({ error: 'must be a string' })
    .nullish()
    .meta({ description, ...(examples.length > 0 && { examples }) });
/** A switch in any of its spellings. */
export const flag = (description: string) =>
  z
    .union([z.boolean(), z.string(), z.number()], { error: 'must be true or false' })
    .nullish()
    .meta({ description });
/** Ids may be integers beyond 2^53, which arrive as bigint. */
export const id = (description: string) =>
  z
    .union([z.string(), z.number(), z.bigint()], { error: 'must be a string or an integer' })
    .nullish()
    .meta({ description });

/** A file part of a form. */
export const file = z
  .custom<{ bytes: Uint8Array }>(isUpload)
  .meta({ type: 'string', format: 'binary', description: 'A file part of a multipart body.' });

const mediaForms = 'an http(s) URL, base64 data, a file part, or an object with one of image_url and file_id';
/** A picture, sound or film. */
export const media = (description: string) =>
  z
    .union(
      [
        z.string(),
        file,
        z.looseObject({ image_url: z.unknown(), url: z.unknown(), file_id: z.unknown() }).partial(),
      ],
      { error: `must be ${mediaForms}` },
    )
    .nullish()
    .meta({ description });

/** Forms, and some clients, send structures as JSON text. Empty text is nothing. */
export function fromText(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (value.trim() === '') return undefined;
  try {
    return parseJson(value);
  } catch (error) {
    if (error instanceof JsonError) return value;
    throw error;
  }
}

/** What may come as JSON text. */
export const structure = <Schema extends z.ZodType>(schema: Schema, description: string) =>
  z.preprocess(fromText, schema.nullish()).optional().meta({ description });

/** An object that keeps what it does not know. */
export const object = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.looseObject(shape, { error: 'must be an object, or the JSON text of one' });
/** A list of such. */
export const list = <Entry extends z.ZodType>(entry: Entry) =>
  z.array(entry, { error: 'must be a list, or the JSON text of one' });
