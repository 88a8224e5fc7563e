import { randomUUID } from 'node:crypto';

export interface FormFile {
  name: string;
  filename: string;
  contentType: string;
  bytes: Buffer;
}

/**
 * `multipart/form-data` of nested fields and one file. Nested values get bracket names
 * (`metadata[output_config][resolution]`), as the openai SDK writes them.
 */
export function multipart(
  fields: Record<string, unknown>,
  file: FormFile,
): { contentType: string; bytes: Buffer } {
  const boundary = `reelay-${randomUUID()}`;
  const parts: Buffer[] = [];
  for (const [name, value] of flatten(fields)) {
    parts.push(
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`),
    );
  }
  parts.push(
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="${file.name}"; filename="${quotable(file.filename)}"\r\n` +
        `Content-Type: ${file.contentType}\r\n\r\n`,
    ),
    file.bytes,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  );
  return { contentType: `multipart/form-data; boundary=${boundary}`, bytes: Buffer.concat(parts) };
}

function flatten(value: unknown, name = ''): [string, string][] {
  if (value === null || value === undefined) return [];
  if (typeof value !== 'object') return [[name, String(value)]];
  return Object.entries(value).flatMap(([key, part]) => flatten(part, name === '' ? key : `${name}[${key}]`));
}

/** Characters that would end the quoted name, as browsers escape them (HTML standard, multipart form data). */
function quotable(text: string): string {
  return text.replace(/"/g, '%22').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
}
