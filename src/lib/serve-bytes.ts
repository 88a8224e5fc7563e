import type { Readable } from 'node:stream';
import { isNotModified, parseRange, rangeStillApplies, type ByteRange } from './http-range.ts';

/** A file as it can be served over HTTP. */
export interface ServedFile {
  bytes: number;
  contentType: string;
  /** Quoted, strong. */
  etag: string;
  /** Unix ms. */
  modifiedAt: number;
  filename: string;
  open(range?: ByteRange): Promise<Readable>;
}

export interface ServedRequest {
  method: string;
  /** As Node gives them: lower-case names. */
  headers: Record<string, string | string[] | undefined>;
}

export interface ServedAnswer {
  status: 200 | 206 | 304 | 416;
  headers: Record<string, string>;
  /** null for HEAD, 304 and 416. */
  stream: Readable | null;
}

/**
 * Answers a GET or HEAD for a file: the whole of it, one range, "not modified", or 416 with the file's length; the
 * caller writes the body of a 416. The file is opened only when bytes are to be sent. Multiple ranges are answered
 * with the whole file. Rejects only when the file cannot be opened.
 */
export async function serveBytes(
  request: ServedRequest,
  file: ServedFile,
  disposition: 'inline' | 'attachment',
): Promise<ServedAnswer> {
  const header = (name: string): string | undefined => {
    const value = request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  };
  const headers: Record<string, string> = {
    'accept-ranges': 'bytes',
    etag: file.etag,
    'last-modified': new Date(file.modifiedAt).toUTCString(),
    // A task's film is its owner's: no shared cache may keep it.
    'cache-control': 'private',
  };
  const conditions = {
    ifNoneMatch: header('if-none-match'),
    ifModifiedSince: header('if-modified-since'),
  };
  if (isNotModified(conditions, file)) return { status: 304, headers, stream: null };

  const isRangeRequest = request.method === 'GET' && rangeStillApplies(header('if-range'), file);
  const range = isRangeRequest ? parseRange(header('range'), file.bytes) : 'whole';
  if (range === 'unsatisfiable') {
    return {
      status: 416,
      headers: { 'accept-ranges': 'bytes', 'content-range': `bytes */${file.bytes}` },
      stream: null,
    };
  }
  headers['content-type'] = file.contentType;
  headers['content-disposition'] = contentDisposition(disposition, file.filename);
  if (range === 'whole') {
    headers['content-length'] = String(file.bytes);
    return { status: 200, headers, stream: request.method === 'HEAD' ? null : await file.open() };
  }
  headers['content-length'] = String(range.end - range.start + 1);
  headers['content-range'] = `bytes ${range.start}-${range.end}/${file.bytes}`;
  return { status: 206, headers, stream: await file.open(range) };
}

/** Names outside ASCII travel in the extended form, with a plain one beside it (RFC 6266 §4.3). */
function contentDisposition(disposition: string, filename: string): string {
  const plain = filename.replace(/[^\x20-\x7e]|["\\%/]/g, '_');
  const quoted = `${disposition}; filename="${plain}"`;
  if (plain === filename) return quoted;
  const extended = encodeURIComponent(filename.toWellFormed()).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${quoted}; filename*=UTF-8''${extended}`;
}
