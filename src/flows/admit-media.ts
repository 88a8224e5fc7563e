/**
 * Checks every picture, sound and film of a request and takes inline and uploaded ones into our own storage.
 * A URL is checked for form and literal address only: it is never fetched here, and passed on as it is.
 */
import { createHash } from 'node:crypto';
import { GatewayError } from '../core/errors.ts';
import type { PictureLimits } from '../core/ports.ts';
import type { FeatureRequest, MediaRole } from '../core/request/feature.ts';
import type { Media, VideoRequest } from '../core/request/types.ts';
import { DataUriError, decodeBase64, decodeDataUri, isDataUri } from '../lib/data-uri.ts';
import { UrlRefused } from '../lib/guarded-http.ts';
import { imageSize, sniff } from '../lib/sniff.ts';
import { inputRenewalAgeMs } from './collect-media.ts';
import type { FlowContext } from './context.ts';

/** Bytes of a picture that passed the checks, ready to be kept. */
interface Admitted {
  bytes: Buffer;
  contentType: string;
  extension: string;
  width: number | null;
  height: number | null;
}

/** What is judged of a picture. */
type Facts = { contentType: string; bytes: number; width: number | null; height: number | null };

/**
 * More than any camera takes. A few kilobytes that name billions of pixels (a "decompression bomb") end whoever unpacks
 * them: an upstream, a viewer.
 */
const PIXELS_MAX = 200_000_000;

const ROLE_TYPES: Record<MediaRole, RegExp> = {
  picture: /^image\//,
  film: /^video\//,
  sound: /^(audio|video)\//,
};

/** Whose media it is, and whether bytes are kept (a dry run only judges them). */
export interface Admission {
  accountId: string;
  keep: boolean;
}

/**
 * Validates all media of the request. With `keep`, stores inline and uploaded bytes and answers the request with
 * `stored` in their place; without, nothing is written.
 */
export async function admitMedia(
  ctx: FlowContext,
  request: VideoRequest,
  admission: Admission,
): Promise<VideoRequest> {
  if (!hasMedia(request)) return request;
  const limits = ctx.catalogue.family(request.family).pictures;
  const admit = (media: Media, role: MediaRole) => admitOne(ctx, { media, role, limits, ...admission });
  const picture = async (media: Media | null) => (media === null ? null : admit(media, 'picture'));
  const { referenceVideo } = request;
  return {
    ...request,
    firstFrame: await picture(request.firstFrame),
    lastFrame: await picture(request.lastFrame),
    references: await Promise.all(request.references.map((media) => admit(media, 'picture'))),
    referenceVideo: referenceVideo && {
      ...referenceVideo,
      media: await admit(referenceVideo.media, 'film'),
    },
    staticMask: await picture(request.staticMask),
    dynamicMasks: await Promise.all(
      request.dynamicMasks.map(async (mask) => ({ ...mask, mask: await admit(mask.mask, 'picture') })),
    ),
    audio: request.audio && (await admit(request.audio, 'sound')),
  };
}

/** The same for a feature, whose description says what each place takes. */
export async function admitFeature(
  ctx: FlowContext,
  request: FeatureRequest,
  admission: Admission,
): Promise<FeatureRequest> {
  if (request.media.length === 0) return request;
  const limits = ctx.catalogue.family(request.family).pictures;
  const media = [];
  for (const item of request.media) {
    media.push({ ...item, media: await admitOne(ctx, { ...item, limits, ...admission }) });
  }
  return { ...request, media };
}

async function admitOne(
  ctx: FlowContext,
  item: Admission & { media: Media; role: MediaRole; limits: PictureLimits },
): Promise<Media> {
  const { media, role, limits, accountId, keep } = item;
  if (media.kind === 'stored') return media;
  if (media.kind === 'url') {
    checkUrl(ctx, media.url, media.source);
    return media;
  }
  if (media.kind === 'file') return fileOf(ctx, accountId, media, role, limits);
  const admitted = inspect(ctx, media, role);
  if (role === 'picture') {
    checkPicture({ ...admitted, bytes: admitted.bytes.length }, media.source, limits);
  }
  if (!keep) return media;
  const sha256 = createHash('sha256').update(admitted.bytes).digest('hex');
  const key = `inputs/${accountId}/${sha256}.${admitted.extension}`;
  const kept = await ctx.media.stat(key);
  if (kept === null || ctx.clock.now() - kept.modifiedAt >= inputRenewalAgeMs(ctx)) {
    await ctx.media.put(key, admitted.bytes, { contentType: admitted.contentType });
  }
  const { contentType, width, height } = admitted;
  return {
    kind: 'stored',
    key,
    contentType,
    bytes: admitted.bytes.length,
    width,
    height,
    source: media.source,
  };
}

/** A file the account uploaded earlier; anybody else's does not exist. */
async function fileOf(
  ctx: FlowContext,
  accountId: string,
  media: Extract<Media, { kind: 'file' }>,
  role: MediaRole,
  limits: PictureLimits,
): Promise<Media> {
  const { source, fileId } = media;
  const file = await ctx.store.findFile(accountId, fileId, ctx.clock.now());
  if (file === null) {
    throw new GatewayError(
      'file_not_found',
      `${source}: there is no file ${JSON.stringify(fileId)} in this account. Upload it with POST /v1/files.`,
      { param: source },
    );
  }
  const { contentType, bytes, width, height } = file;
  if (!ROLE_TYPES[role].test(contentType)) {
    throw new GatewayError('invalid_value', `${source} must be a ${role}, but ${fileId} is ${contentType}.`, {
      param: source,
    });
  }
  if (role === 'picture') checkPicture(file, source, limits);
  return { kind: 'stored', key: file.mediaKey, contentType, bytes, width, height, source };
}

/** Whether a request brings pictures, sound or film. */
export function hasMedia(request: VideoRequest): boolean {
  return (
    request.firstFrame !== null ||
    request.lastFrame !== null ||
    request.references.length > 0 ||
    request.referenceVideo !== null ||
    request.staticMask !== null ||
    request.dynamicMasks.length > 0 ||
    request.audio !== null
  );
}

/** Form and literal address of a caller's URL; throws `url_not_allowed` naming the field. */
export function checkUrl(ctx: Pick<FlowContext, 'guarded'>, url: string, field: string): void {
  try {
    ctx.guarded.checkUrl(url);
  } catch (error) {
    if (!(error instanceof UrlRefused)) throw error;
    throw new GatewayError('url_not_allowed', `${field}: ${error.message}`, { param: field, cause: error });
  }
}

/** Decodes and recognises inline or uploaded bytes; throws `invalid_value` naming the field. */
function inspect(
  ctx: FlowContext,
  media: Extract<Media, { kind: 'inline' | 'upload' }>,
  role: MediaRole,
): Admitted {
  const bytesMax = ctx.settings.imageBytesMax;
  let bytes: Buffer;
  if (media.kind === 'upload') {
    bytes = Buffer.from(media.bytes.buffer, media.bytes.byteOffset, media.bytes.byteLength);
    if (bytes.length > bytesMax) throw tooLarge(media.source, bytesMax);
  } else {
    try {
      bytes = isDataUri(media.text)
        ? decodeDataUri(media.text, bytesMax).bytes
        : decodeBase64(media.text, bytesMax);
    } catch (error) {
      if (!(error instanceof DataUriError)) throw error;
      if (error.reason === 'too_large') throw tooLarge(media.source, bytesMax);
      throw new GatewayError(
        'invalid_value',
        `${media.source} is neither an http(s) URL, a data URI nor base64: ${error.message}`,
        { param: media.source, cause: error },
      );
    }
  }
  const kind = sniff(bytes);
  if (kind === null || !ROLE_TYPES[role].test(kind.contentType)) {
    const seen = kind === null ? 'nothing we recognise' : kind.contentType;
    throw new GatewayError('invalid_value', `${media.source} must be a ${role}, but it is ${seen}.`, {
      param: media.source,
    });
  }
  const size = kind.contentType.startsWith('image/') ? imageSize(bytes) : null;
  return {
    bytes,
    contentType: kind.contentType,
    extension: kind.extension,
    width: size?.width ?? null,
    height: size?.height ?? null,
  };
}

/** Refuses before money moves what the family's upstreams would refuse afterwards. */
function checkPicture(picture: Facts, field: string, limits: PictureLimits): void {
  const invalid = (why: string) => new GatewayError('invalid_value', `${field} ${why}`, { param: field });
  if (!limits.contentTypes.includes(picture.contentType)) {
    const names = limits.contentTypes.map((type) => type.slice('image/'.length).toUpperCase());
    throw invalid(`is ${picture.contentType}: send ${names.join(' or ')}.`);
  }
  if (picture.bytes > limits.bytesMax) throw tooLarge(field, limits.bytesMax);
  const { width, height } = picture;
  if (width === null || height === null) throw invalid('cannot be read as a picture: its size is missing.');
  if (width * height > PIXELS_MAX) {
    throw invalid(`is ${width}x${height}: a picture may have at most ${PIXELS_MAX / 1e6} million pixels.`);
  }
  const [short, long] = width < height ? [width, height] : [height, width];
  if (short < limits.sideMin) {
    throw invalid(`is ${width}x${height}: each side must have at least ${limits.sideMin} pixels.`);
  }
  if (long > short * limits.ratioMax) {
    throw invalid(
      `is ${width}x${height}: the longer side may be at most ${limits.ratioMax} times the shorter.`,
    );
  }
}

function tooLarge(field: string, bytesMax: number): GatewayError {
  return new GatewayError(
    'payload_too_large',
    `${field} is larger than ${Math.round(bytesMax / 1_048_576)} MB: send a smaller file or a URL.`,
    { param: field },
  );
}
