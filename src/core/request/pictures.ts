/** Gathers the pictures and films of a request from all the fields that may name them. */
import { GatewayError } from '../errors.ts';
import { readFileId, readMedia, readUrl, sameMedia, unite } from './media.ts';
import type { Claim, LooseVideo, Media, ReferenceVideo } from './types.ts';

export interface Pictures {
  firstFrame: Media | null;
  images: Media[];
  references: Media[];
  unassigned: Media[];
  lastFrame: Media | null;
  referenceVideo: ReferenceVideo | null;
}

/** A single picture has several names (`image`, `input_reference`, …): all must mean the same one. */
export function gatherPictures(loose: LooseVideo, keepOriginalSound: boolean | null): Pictures {
  const imagesMax = loose.surface.imagesMax;
  if (loose.images.length > imagesMax) {
    throw new GatewayError('invalid_value', `images takes at most ${imagesMax} pictures here.`, {
      param: 'images',
    });
  }
  const filesOf = (role: string | null): Media[] =>
    loose.files.filter((file) => file.category === 'image' && file.role === role).map((file) => file.media);

  const pictures: Pictures = {
    firstFrame: unite([...inOrder(loose.image).map(readMedia), ...filesOf('first_frame')], 'first picture'),
    images: inOrder(loose.images).map(readMedia),
    references: filesOf('reference'),
    unassigned: filesOf(null),
    lastFrame: unite([...inOrder(loose.lastFrame).map(readFrame), ...filesOf('last_frame')], 'last picture'),
    referenceVideo: gatherVideo(loose, keepOriginalSound),
  };
  if (loose.surface.refusesInlineMedia) refuseInline(pictures);
  return pictures;
}

/** `last_frame_file_id` and its like hold bare ids, not URLs. */
function readFrame(claim: Claim): Media {
  return claim.source.endsWith('_file_id') ? readFileId(claim) : readMedia(claim);
}

function gatherVideo(loose: LooseVideo, keepOriginalSound: boolean | null): ReferenceVideo | null {
  const files = loose.files.filter((file) => file.category === 'video');
  const named = inOrder(loose.referenceVideo).map((claim): Media => {
    const media = readMedia(claim);
    if (media.kind === 'url' || media.kind === 'inline')
      readUrl({ ...claim, value: textOf(media) }, { secure: true });
    return media;
  });
  for (const { source, media } of files) {
    if (media.kind === 'url') readUrl({ source: media.source, value: media.url }, { secure: true });
    else if (media.kind !== 'file') readUrl({ source, value: null }, { secure: true });
  }
  const media = unite([...named, ...files.map((file) => file.media)], 'reference video');
  if (media === null) return null;
  const file = files.find((candidate) => sameMedia(candidate.media, media));
  return {
    media,
    role: file?.role === 'base' ? 'base' : 'feature',
    keepOriginalSound: file?.keepOriginalSound ?? keepOriginalSound ?? true,
  };
}

function textOf(media: Media & { kind: 'url' | 'inline' }): string {
  return media.kind === 'url' ? media.url : media.text.slice(0, 64);
}

function refuseInline({ firstFrame, lastFrame, images, references, unassigned }: Pictures): void {
  for (const media of [firstFrame, lastFrame, ...images, ...references, ...unassigned]) {
    if (media?.kind !== 'inline') continue;
    throw new GatewayError(
      'invalid_value',
      `${media.source} must be an http(s) URL here: base64 and data URIs are not accepted.`,
      { param: media.source },
    );
  }
}

/** By field, then by position in its list: the order in which claims arrive means nothing. */
export function inOrder(claims: readonly Claim[]): readonly Claim[] {
  if (claims.length < 2) return claims;
  return claims.toSorted((one, other) => {
    const [field, index] = placeOf(one.source);
    const [otherField, otherIndex] = placeOf(other.source);
    return rankOf(field) - rankOf(otherField) || compare(field, otherField) || index - otherIndex;
  });
}

/** `content[10].text` -> `content.text`, 10. */
function placeOf(source: string): [field: string, index: number] {
  const match = /^(.*?)\[(\d+)\](.*)$/.exec(source);
  return match ? [`${match[1]}${match[3]}`, Number(match[2])] : [source, -1];
}

/** A field's own name comes before what stands in `content`. */
function rankOf(field: string): number {
  return field.startsWith('content') ? 1 : 0;
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
