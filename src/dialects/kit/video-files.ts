/** Media that name their own role: seed 003's `file_infos`, omni-video's `image_list` and `video_list`. */
import { GatewayError } from '../../core/errors.ts';
import { readFileId, readMedia, readUrl } from '../../core/request/media.ts';
import { invalid, isGiven, isObject, readFlag, readList, readWord, show } from '../../core/request/read.ts';
import type { Claim, LooseFile } from '../../core/request/types.ts';

type Fields = Record<string, unknown>;

/** All such media of a body. Violations name the entry and its field (specs/kling.md §8 row 31). */
export function looseFiles(fields: Fields, metadata: Fields, filesMax: number): LooseFile[] {
  return [
    ...entriesOf(metadata, 'file_infos', 'metadata.', filesMax).map(fileInfo),
    ...entriesOf(fields, 'image_list', '', listMax).map(listedImage),
    ...entriesOf(fields, 'video_list', '', listMax).map(listedVideo),
  ];
}

/** How many a model takes is the family's to say; this only keeps a body from holding thousands. */
const listMax = 20;

function entriesOf(fields: Fields, key: string, prefix: string, max: number): Claim[] {
  const value = fields[key];
  if (!isGiven(value)) return [];
  const source = `${prefix}${key}`;
  const entries = readList({ source, value });
  if (entries.length > max) throw invalid(source, `takes at most ${max} entries here.`);
  return entries;
}

const USAGES = ['FirstFrame', 'LastFrame', 'Reference'] as const;
const ROLE_OF_USAGE = { FirstFrame: 'first_frame', LastFrame: 'last_frame', Reference: 'reference' } as const;

/** Closed enums in any case; `Url` needs url, `File` needs file_id. Without usage the family decides what a picture is. */
function fileInfo(entry: Claim): LooseFile {
  const fields = objectOf(entry);
  const at = (key: string): Claim => ({ source: `${entry.source}.${key}`, value: fields[key] });
  const type = readWord(required(at('type'), 'Url or File'), ['Url', 'File']);
  const category = readWord(required(at('category'), 'Image or Video'), ['Image', 'Video']);
  const media =
    type === 'File'
      ? readFileId(required(at('file_id'), 'the id of a file uploaded here'))
      : readMedia(required(at('url'), 'an http(s) URL'));
  const usage = isGiven(fields['usage']) ? readWord(at('usage'), USAGES) : null;
  const reference = isGiven(fields['reference_type'])
    ? readWord(at('reference_type'), ['feature', 'base'])
    : null;
  if (category === 'Image') {
    if (reference !== null)
      throw invalid(at('reference_type').source, 'goes with category Video only: leave it out.');
    return { source: entry.source, category: 'image', role: usage && ROLE_OF_USAGE[usage], media };
  }
  if (usage !== null && usage !== 'Reference') {
    throw invalid(at('usage').source, `must be Reference for a Video, not ${usage}.`);
  }
  if (type === 'Url') readUrl(at('url'), { secure: true });
  return withSound(
    { source: entry.source, category: 'video', role: reference, media },
    at('keep_original_sound'),
  );
}

/** `{image_url, type?}`, `{image}` or a bare picture; no type: a reference (specs/kling.md §3.3, §3.4). */
function listedImage(entry: Claim): LooseFile {
  const { source } = entry;
  if (!isObject(entry.value))
    return { source, category: 'image', role: 'reference', media: readMedia(entry) };
  const fields = entry.value;
  const key = isGiven(fields['image_url']) ? 'image_url' : 'image';
  const media = readMedia(
    required({ source: `${source}.${key}`, value: fields[key] }, 'an http(s) URL or base64 data'),
  );
  if (!isGiven(fields['type'])) return { source, category: 'image', role: 'reference', media };
  const type = readWord({ source: `${source}.type`, value: fields['type'] }, ['first_frame', 'end_frame']);
  return { source, category: 'image', role: type === 'end_frame' ? 'last_frame' : 'first_frame', media };
}

/** `{video_url, refer_type?, keep_original_sound?}`: a film to be edited unless it says `feature`. */
function listedVideo(entry: Claim): LooseFile {
  const fields = objectOf(entry);
  const at = (key: string): Claim => ({ source: `${entry.source}.${key}`, value: fields[key] });
  const claim = required(at('video_url'), 'a public https URL');
  const url = readUrl(claim, { secure: true });
  const role = isGiven(fields['refer_type']) ? readWord(at('refer_type'), ['base', 'feature']) : 'base';
  const media = { kind: 'url', url, source: claim.source } as const;
  return withSound({ source: entry.source, category: 'video', role, media }, at('keep_original_sound'));
}

function withSound(file: LooseFile, claim: Claim): LooseFile {
  return isGiven(claim.value) ? { ...file, keepOriginalSound: readFlag(claim) } : file;
}

function objectOf(entry: Claim): Fields {
  if (isObject(entry.value)) return entry.value;
  throw invalid(entry.source, `must be an object, not ${show(entry.value)}.`);
}

function required(claim: Claim, wanted: string): Claim {
  if (isGiven(claim.value)) return claim;
  throw new GatewayError('missing_required_parameter', `${claim.source} is required: ${wanted}.`, {
    param: claim.source,
  });
}
