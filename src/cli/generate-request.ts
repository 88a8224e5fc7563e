/** `reelay generate`'s options as a request to `POST /v1/videos`. */
import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { sniff } from '../lib/sniff.ts';
import type { Call } from './api.ts';
import { CliError, UsageError, type Context, type Input } from './command.ts';
import { multipart } from './multipart.ts';

export const MODEL_DEFAULT = 'kling-v1-6';

/**
 * The body: JSON, or a form when the first frame is a local file. A local last frame travels as a data URI: the
 * form has a single field for a file.
 */
export async function generateRequest(input: Input, context: Context): Promise<Pick<Call, 'json' | 'form'>> {
  const duration = input.text('duration');
  if (duration !== undefined && !/^\d+$/.test(duration)) {
    throw new UsageError(`--duration is a whole number of seconds, not ${JSON.stringify(duration)}.`);
  }
  const image = input.text('image');
  const lastFrame = input.text('last-frame');
  const fields = present({
    model: input.text('model') ?? MODEL_DEFAULT,
    prompt: input.positionals[0],
    seconds: duration,
    mode: input.text('mode'),
    image: image !== undefined && isLink(image) ? image : undefined,
    metadata: presentOrNone({
      last_frame_url:
        lastFrame === undefined || isLink(lastFrame) ? lastFrame : await dataUri(lastFrame, context),
      output_config: presentOrNone({
        resolution: input.text('resolution'),
        aspect_ratio: input.text('ratio'),
        audio_generation: input.flag('sound') ? 'Enabled' : undefined,
      }),
    }),
  });
  if (image === undefined || isLink(image)) return { json: fields };
  const { bytes, contentType } = await readPicture(image, context);
  return {
    form: multipart(fields, { name: 'input_reference', filename: basename(image), contentType, bytes }),
  };
}

function isLink(text: string): boolean {
  return /^(https?:\/\/|data:)/i.test(text);
}

async function dataUri(file: string, context: Context): Promise<string> {
  const { bytes, contentType } = await readPicture(file, context);
  return `data:${contentType};base64,${bytes.toString('base64')}`;
}

async function readPicture(file: string, { cwd }: Context): Promise<{ bytes: Buffer; contentType: string }> {
  let bytes: Buffer;
  try {
    bytes = await readFile(resolve(cwd, file));
  } catch (error) {
    throw new CliError(`The picture ${file} cannot be read: ${(error as Error).message}`);
  }
  // What kinds of picture are served is for the gateway to say.
  return { bytes, contentType: sniff(bytes)?.contentType ?? 'application/octet-stream' };
}

/** What was not asked for is not sent. */
function present(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function presentOrNone(fields: Record<string, unknown>): Record<string, unknown> | undefined {
  const kept = present(fields);
  return Object.keys(kept).length === 0 ? undefined : kept;
}
