/** Pictures, films and sounds as callers name them: a URL, inline data, an uploaded part, a file id. */
import { isDataUri } from '../../lib/data-uri.ts';
import { GatewayError } from '../errors.ts';
import { invalid, isObject, show } from './read.ts';
import type { Claim, Media } from './types.ts';

/** Browsers and proxies cut longer ones; a signed link of an object store stays well below. */
const urlLengthMax = 8192;

/** Below this no picture can be base64; it is a mistyped URL or a name. */
const base64LengthMin = 32;

/** What is read of a base64 text here; all of it is checked where it is decoded. */
const base64SampleLength = 128;

/** An id that this gateway gave to a file: no URL looks like it, and base64 has no underscore. */
const fileIdPattern = /^file_[0-9A-Za-z]{16,64}$/;

/** A file part of a form, as `lib/multipart.ts` hands it over. */
interface Upload {
  bytes: Uint8Array;
  filename: string | null;
  contentType: string | null;
}

/** Whether a value is a file part of a form. */
export function isUpload(value: unknown): value is Upload {
  return (
    typeof value === 'object' && value !== null && (value as Partial<Upload>).bytes instanceof Uint8Array
  );
}

/**
 * Reads a media item: http(s) URL, data URI, bare base64, id of a file kept here, upload, or an object that holds exactly one of `image_url`,
 * `url` (text or `{url}`) and `file_id`. Only the form is judged: nothing is decoded, resolved or fetched.
 */
export function readMedia(claim: Claim): Media {
  const { source, value } = claim;
  if (typeof value === 'string') return readMediaText(source, value.trim());
  if (isUpload(value))
    return { kind: 'upload', bytes: value.bytes, filename: value.filename ?? null, source };
  if (isObject(value)) return readMediaObject(source, value);
  throw invalid(source, `must be an http(s) URL, base64 data or a file, not ${show(value)}.`);
}

/** A file id of our own store. */
export function readFileId(claim: Claim): Media {
  const { source, value } = claim;
  if (typeof value !== 'string' || !/^[\w.:-]{1,128}$/.test(value.trim())) {
    throw invalid(source, `must be a file id, not ${show(value)}.`);
  }
  return { kind: 'file', fileId: value.trim(), source };
}

/** An absolute http(s) URL; `secure` refuses plain http. */
export function readUrl(claim: Claim, options: { secure?: boolean } = {}): string {
  const text = typeof claim.value === 'string' ? claim.value.trim() : '';
  // The parser drops line breaks and tabs in silence; the text that is passed on would keep them.
  const url = text.length <= urlLengthMax && !/[\s\p{Cc}]/u.test(text) ? URL.parse(text) : null;
  const wanted = options.secure ? 'a public https URL' : 'an http(s) URL';
  const allowed = url?.protocol === 'https:' || (url?.protocol === 'http:' && !options.secure);
  if (!allowed || url?.hostname === '')
    throw invalid(claim.source, `must be ${wanted}, not ${show(claim.value)}.`);
  return text;
}

function readMediaText(source: string, text: string): Media {
  if (isDataUri(text)) return { kind: 'inline', text, source };
  if (/^https?:/i.test(text)) return { kind: 'url', url: readUrl({ source, value: text }), source };
  if (fileIdPattern.test(text)) return { kind: 'file', fileId: text, source };
  if (
    text.length >= base64LengthMin &&
    /^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(text.slice(0, base64SampleLength))
  ) {
    return { kind: 'inline', text, source };
  }
  throw invalid(source, `must be an http(s) URL or base64 data, not ${show(text)}.`);
}

function readMediaObject(source: string, value: Record<string, unknown>): Media {
  const named = ['image_url', 'url', 'file_id'].filter(
    (key) => value[key] !== undefined && value[key] !== null,
  );
  const key = named[0];
  if (key === undefined || named.length > 1) {
    throw new GatewayError('invalid_value', `${source} must hold exactly one of image_url and file_id.`, {
      param: source,
    });
  }
  const inner: Claim = { source: `${source}.${key}`, value: value[key] };
  if (key === 'file_id') return readFileId(inner);
  const wrapped = isObject(inner.value)
    ? { source: `${inner.source}.url`, value: inner.value['url'] }
    : inner;
  if (isObject(wrapped.value)) throw invalid(wrapped.source, 'must be an http(s) URL or base64 data.');
  return readMedia(wrapped);
}

/** Whether two items are the same thing (the same address, text or bytes), however they were named. */
export function sameMedia(one: Media, other: Media): boolean {
  if (one.kind === 'url') return other.kind === 'url' && one.url === other.url;
  if (one.kind === 'inline') return other.kind === 'inline' && one.text === other.text;
  if (one.kind === 'file') return other.kind === 'file' && one.fileId === other.fileId;
  if (one.kind === 'stored') return other.kind === 'stored' && one.key === other.key;
  return other.kind === 'upload' && Buffer.compare(one.bytes, other.bytes) === 0;
}

/** One field that was named in several ways: all must mean the same. Answers the first, null when there is none. */
export function unite(items: readonly Media[], what: string): Media | null {
  const first = items[0] ?? null;
  const other = first === null ? undefined : items.find((item) => !sameMedia(first, item));
  if (first !== null && other !== undefined) {
    throw new GatewayError(
      'invalid_value',
      `${first.source} and ${other.source} both name the ${what} but differ: give one of them.`,
      { param: other.source },
    );
  }
  return first;
}
