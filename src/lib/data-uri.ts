export type DataUriErrorReason = 'malformed' | 'too_large' | 'empty';

/** Inline data that cannot be decoded. The message names the fault, never the data. */
export class DataUriError extends Error {
  readonly reason: DataUriErrorReason;

  constructor(reason: DataUriErrorReason, message: string) {
    super(message);
    this.name = 'DataUriError';
    this.reason = reason;
  }
}

/** Whether a text claims to be a data URI (RFC 2397); the scheme is case-insensitive. */
export function isDataUri(text: string): boolean {
  return text.slice(0, 5).toLowerCase() === 'data:';
}

/** A media type with its parameters hardly exceeds this; a longer head is an attack or a mistake. */
const headLengthMax = 256;

/**
 * Decodes `data:[type][;parameters][;base64],data`. `contentType` is the type without parameters, lower
 * case, null when none is given (it is a claim: sniff the bytes). Throws {@link DataUriError}; a text whose
 * data would exceed `bytesMax` is refused before it is decoded.
 */
export function decodeDataUri(text: string, bytesMax: number): { bytes: Buffer; contentType: string | null } {
  const comma = isDataUri(text) ? text.slice(0, headLengthMax).indexOf(',') : -1;
  if (comma < 0) throw new DataUriError('malformed', 'not a data URI: expected data:<type>;base64,<data>');
  const [type = '', ...parameters] = text.slice(5, comma).split(';');
  const contentType = type.trim().toLowerCase();
  if (contentType !== '' && !/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(contentType)) {
    throw new DataUriError('malformed', 'the media type of the data URI is malformed');
  }
  const data = text.slice(comma + 1);
  const isBase64 = parameters.at(-1)?.trim().toLowerCase() === 'base64';
  const bytes = isBase64 ? decodeBase64(unescapePadding(data), bytesMax) : decodePercent(data, bytesMax);
  return { bytes, contentType: contentType === '' ? null : contentType };
}

/**
 * Decodes base64 of the standard alphabet. White space anywhere and missing padding are tolerated, all else
 * is refused. Throws {@link DataUriError}.
 */
export function decodeBase64(text: string, bytesMax: number): Buffer {
  return decodePlain(text, bytesMax) ?? decodeCarefully(text, bytesMax);
}

/**
 * The usual case, several times faster than looking at every character: Node's decoder skips what it does not
 * know, so a result of full length proves that nothing was skipped. Null when the text needs a closer look.
 */
function decodePlain(text: string, bytesMax: number): Buffer | null {
  const digits = text.length - (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0);
  const byteCount = Math.floor((digits * 3) / 4);
  const isPadded = digits < text.length;
  if (digits % 4 === 1 || (isPadded && text.length % 4 !== 0) || byteCount === 0 || byteCount > bytesMax)
    return null;
  // The decoder takes these two for + and /.
  if (text.includes('-') || text.includes('_')) return null;
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === byteCount ? bytes : null;
}

function decodeCarefully(text: string, bytesMax: number): Buffer {
  let digits = 0;
  let padding = 0;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    const kind = code < 128 ? characterKinds[code] : kindOther;
    if (kind === kindDigit && padding === 0) digits++;
    else if (kind === kindPadding) padding++;
    else if (kind !== kindSpace) {
      throw new DataUriError('malformed', `not base64: unexpected character at position ${index}`);
    }
  }
  if (digits === 0) throw new DataUriError('empty', 'the inline data is empty');
  // Four digits hold three bytes. One digit alone holds none, and padding only ever fills up a group of four.
  if (digits % 4 === 1 || padding > 2 || (padding > 0 && (digits + padding) % 4 !== 0)) {
    throw new DataUriError('malformed', 'not base64: the data is cut off or wrongly padded');
  }
  const byteCount = Math.floor((digits * 3) / 4);
  if (byteCount > bytesMax) throw tooLarge(byteCount, bytesMax);
  return Buffer.from(text, 'base64');
}

const kindOther = 0;
const kindDigit = 1;
const kindPadding = 2;
const kindSpace = 3;
const characterKinds = new Uint8Array(128);
for (const digit of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/') {
  characterKinds[digit.charCodeAt(0)] = kindDigit;
}
for (const space of ' \t\r\n\f') characterKinds[space.charCodeAt(0)] = kindSpace;
characterKinds['='.charCodeAt(0)] = kindPadding;

/** URL-minded senders escape the three characters of base64 that mean something in a URL, and line breaks. */
function unescapePadding(data: string): string {
  if (!data.includes('%')) return data;
  return data
    .replaceAll(/%2b/gi, '+')
    .replaceAll(/%2f/gi, '/')
    .replaceAll(/%3d/gi, '=')
    .replaceAll(/%0[ad]|%20/gi, '');
}

function decodePercent(data: string, bytesMax: number): Buffer {
  const source = Buffer.from(data, 'utf8');
  // Decoding in place: the result is never longer than the source.
  let length = 0;
  for (let index = 0; index < source.length; index++, length++) {
    let byte = source[index] as number;
    if (byte === 0x25) {
      const hex = source.toString('latin1', index + 1, index + 3);
      if (!/^[0-9a-fA-F]{2}$/.test(hex)) {
        throw new DataUriError('malformed', 'the data URI holds a broken percent escape');
      }
      byte = Number.parseInt(hex, 16);
      index += 2;
    }
    source[length] = byte;
  }
  if (length === 0) throw new DataUriError('empty', 'the inline data is empty');
  if (length > bytesMax) throw tooLarge(length, bytesMax);
  return source.subarray(0, length);
}

function tooLarge(bytes: number, bytesMax: number): DataUriError {
  return new DataUriError(
    'too_large',
    `the inline data holds ${bytes} bytes, more than the ${bytesMax} allowed`,
  );
}
