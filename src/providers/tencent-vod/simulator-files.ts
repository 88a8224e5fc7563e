/** `FileInfos` and the end frame of a create, judged as VOD judges them. */
import { DataUriError, decodeBase64 } from '../../lib/data-uri.ts';
import { imageSize, sniff } from '../../lib/sniff.ts';
import type { FrameSource } from '../kit/simulator.ts';
import { Refusal } from './simulator-errors.ts';
import { absent, choice, illegal, list, onlyKnown, text, url } from './simulator-fields.ts';
import type { WireObject } from './wire.ts';

/** Keeps the bytes of an inline picture, answers its id. */
export type KeepPicture = (bytes: Uint8Array) => string;

export interface FileFacts {
  category: 'Image' | 'Video' | 'Audio';
  usage: 'FirstFrame' | 'LastFrame' | 'Reference' | null;
  referenceType: 'feature' | 'base' | null;
  keepsSound: boolean;
  /** A picture's; null for what else there is. */
  frame: FrameSource | null;
  /** What the upstream would have to fetch. */
  url: string | null;
}

const known = [
  'Type',
  'Category',
  'FileId',
  'Url',
  'Base64',
  'ReferenceType',
  'ObjectId',
  'VoiceId',
  'KeepOriginalSound',
  'Usage',
  'Text',
];
/** Files of CreateAigcImageTask are pictures, and have no use or category to name. */
export const pictureFields = ['Type', 'FileId', 'Url', 'Base64', 'Text'];
/** All of them together, before base64. */
const inlineBytesMax = 7 * 1024 * 1024;
const sideMin = 300;
/** 1:2.5 to 2.5:1. */
const ratioMax = 2.5;

export function readFiles(
  parameters: WireObject,
  keep: KeepPicture,
  fields: readonly string[] = known,
): FileFacts[] {
  let inlineBytes = 0;
  return list(parameters, 'FileInfos').map((entry, index) => {
    const place = `FileInfos.${index}.`;
    onlyKnown(entry, fields, place);
    const type = choice(entry, 'Type', ['File', 'Url', 'Base64'], place);
    if (!type) throw absent(`${place}Type`);
    const category = choice(entry, 'Category', ['Image', 'Video', 'Audio'], place) ?? 'Image';
    const facts: FileFacts = {
      category,
      usage: choice(entry, 'Usage', ['FirstFrame', 'LastFrame', 'Reference'], place),
      referenceType: choice(entry, 'ReferenceType', ['feature', 'base'], place),
      keepsSound: choice(entry, 'KeepOriginalSound', ['Enabled', 'Disabled'], place) !== 'Disabled',
      frame: null,
      url: null,
    };
    if (type === 'File') throw new Refusal('ResourceNotFound', `${place}FileId: the file does not exist`);
    if (type === 'Url') {
      facts.url = url(entry['Url'], `${place}Url`);
      if (category === 'Image') facts.frame = { kind: 'url', url: facts.url };
      return facts;
    }
    const bytes = inline(text(entry, 'Base64', place), `${place}Base64`);
    inlineBytes += bytes.length;
    if (inlineBytes > inlineBytesMax) throw illegal('FileInfos', 'the files together exceed 7 MB');
    facts.frame = checkKind(bytes, category, `${place}Base64`, keep);
    return facts;
  });
}

function inline(base64: string | null, field: string): Buffer {
  if (base64 === null) throw absent(field);
  if (/^data:/i.test(base64)) throw illegal(field, 'must not have a data: prefix');
  try {
    return decodeBase64(base64, inlineBytesMax);
  } catch (error) {
    if (error instanceof DataUriError) throw illegal(field, `is no base64 (${error.message})`);
    throw error;
  }
}

const formats = {
  Image: /^image\/(png|jpeg|webp)$/,
  Video: /^video\/(mp4|quicktime)$/,
  Audio: /^audio\//,
};

function checkKind(
  bytes: Buffer,
  category: FileFacts['category'],
  field: string,
  keep: KeepPicture,
): FrameSource | null {
  if (!formats[category].test(sniff(bytes)?.contentType ?? '')) {
    throw new Refusal(
      'InvalidParameter.MediaFormat',
      `${field}: is no ${category.toLowerCase()} of a known format`,
    );
  }
  if (category !== 'Image') return null;
  const size = imageSize(bytes);
  if (!size) throw new Refusal('InvalidParameter.MediaFormat', `${field}: the picture cannot be read`);
  const { width, height } = size;
  if (Math.min(width, height) < sideMin) {
    throw illegal(field, `the picture is ${width}x${height}, each side must be at least ${sideMin} px`);
  }
  if (Math.max(width, height) / Math.min(width, height) > ratioMax) {
    throw illegal(field, `the picture is ${width}x${height}, its ratio must be within 1:2.5 and 2.5:1`);
  }
  return { kind: 'picture', pictureId: keep(bytes) };
}

/** `LastFrameUrl`, `LastFrameFileId` or a file with that usage; at most one of them. */
export function readLastFrame(parameters: WireObject, files: FileFacts[]): FrameSource | null {
  if (text(parameters, 'LastFrameFileId') !== null) {
    throw new Refusal('ResourceNotFound', 'LastFrameFileId: the file does not exist');
  }
  const address = text(parameters, 'LastFrameUrl');
  const frames = files.filter(({ usage }) => usage === 'LastFrame').map(({ frame }) => frame);
  if (address !== null) frames.push({ kind: 'url', url: url(address, 'LastFrameUrl') });
  if (frames.length > 1) throw illegal('LastFrameUrl', 'the end frame is given twice');
  return frames[0] ?? null;
}
