/** The form of an upload: `file`, `purpose`, `expires_after[anchor]`, `expires_after[seconds]`. */
import { z } from 'zod';
import { GatewayError } from '../../core/errors.ts';
import { isUpload } from '../../core/request/media.ts';
import { invalid, isGiven, oneOf, readNumber, readObject, show } from '../../core/request/read.ts';
import { file, object, structure, text, textOrNumber } from '../kit/fields.ts';
import { purposeDefault, purposes } from './file-object.ts';

type Body = Record<string, unknown>;

/** openai-node `FileCreateParams.ExpiresAfter`: one hour to thirty days. */
const lifetime = { minimum: 3_600, maximum: 2_592_000 };

export const fileUpload = z
  .looseObject(
    {
      // Absent and of the wrong kind are refused by hand: the sentence says how to send a file.
      file: z
        .unknown()
        .optional()
        .meta({ ...file.meta(), description: 'The file, at most 32 MiB with its form.' }),
      purpose: text(`What it is for: ${purposes.join(', ')}. Default ${purposeDefault}.`, ['vision']),
      expires_after: structure(
        object({
          anchor: text('created_at.', ['created_at']),
          seconds: textOrNumber('3600 to 2592000.', [86_400]),
        }),
        'When it is deleted by itself; without this it is kept.',
      ),
    },
    { error: 'must be a form' },
  )
  .meta({
    id: 'FileUpload',
    description: 'A file to be kept, as `multipart/form-data`.',
    example: { file: '(the bytes of cat.png)', purpose: 'vision' },
  });

export interface Upload {
  bytes: Buffer;
  filename: string;
  contentType: string | null;
  purpose: string;
  /** Unix ms; null: kept. */
  expiresAt: number | null;
}

/** Throws GatewayError naming the field. */
export function readUpload(body: Body, nowMs: number): Upload {
  const part = body['file'];
  if (!isGiven(part)) throw missingFile();
  if (!isUpload(part)) {
    throw invalid(
      'file',
      `must be a file part of a multipart form (curl: -F file=@cat.png), not ${show(part)}.`,
    );
  }
  return {
    bytes: Buffer.from(part.bytes.buffer, part.bytes.byteOffset, part.bytes.byteLength),
    filename: nameOf(part.filename),
    contentType: part.contentType || null,
    purpose: readPurpose(body['purpose']),
    expiresAt: readExpiry(body['expires_after'], nowMs),
  };
}

function missingFile(): GatewayError {
  return new GatewayError(
    'missing_required_parameter',
    'file is required: a file part of a multipart form (curl: -F file=@cat.png).',
    { param: 'file' },
  );
}

const nameMax = 255;

/** Browsers of old send whole paths; control characters would break the download's header. */
function nameOf(filename: string | null): string {
  const base = (filename ?? '')
    .split(/[\\/]/)
    .at(-1)!
    .replace(/\p{Cc}/gu, '')
    .trim();
  return base === '' ? 'file' : base.slice(-nameMax);
}

function readPurpose(value: unknown): string {
  if (!isGiven(value)) return purposeDefault;
  const purpose = purposes.find((word) => word === value);
  if (purpose !== undefined) return purpose;
  throw invalid('purpose', `must be ${oneOf(purposes)}, not ${show(value)}.`);
}

function readExpiry(value: unknown, nowMs: number): number | null {
  if (!isGiven(value)) return null;
  const { anchor, seconds } = readObject({ source: 'expires_after', value });
  if (anchor !== 'created_at')
    throw invalid('expires_after[anchor]', `must be created_at, not ${show(anchor)}.`);
  const source = 'expires_after[seconds]';
  const number = readNumber({ source, value: seconds });
  if (!Number.isInteger(number) || number < lifetime.minimum || number > lifetime.maximum) {
    throw invalid(
      source,
      `must be a whole number from ${lifetime.minimum} to ${lifetime.maximum}, not ${show(seconds)}.`,
    );
  }
  return nowMs + number * 1000;
}
