/** `contents[]`: pictures, films and elements with their roles, and the names the prompt calls them by. */
import { GatewayError } from '../../core/errors.ts';
import { readMedia } from '../../core/request/media.ts';
import {
  invalid,
  isGiven,
  isObject,
  oneOf,
  readId,
  readList,
  readText,
  show,
} from '../../core/request/read.ts';
import type { Claim, LooseFile } from '../../core/request/types.ts';
import type { ContentType, Door } from './doors.ts';
import type { NamedThing } from './prompt.ts';

export interface Contents {
  texts: Claim[];
  files: LooseFile[];
  /** Motion control's one picture and one film. */
  images: Claim[];
  videos: Claim[];
  elementIds: string[];
  /** In the order in which the prompt's own notation counts them. */
  named: NamedThing[];
  has(type: ContentType): boolean;
}

const roles = {
  first_frame: { category: 'image', role: 'first_frame' },
  last_frame: { category: 'image', role: 'last_frame' },
  refer_image: { category: 'image', role: 'reference' },
  feature_video: { category: 'video', role: 'feature' },
  base_video: { category: 'video', role: 'base' },
} as const;

type Entry = { type: ContentType; source: string; fields: Record<string, unknown> };

/** Reads them. Throws GatewayError naming `contents[i].field`; how many a model takes is the family's to say. */
export function readContents(value: unknown, door: Door, keepOriginalSound: boolean): Contents {
  const entries = isGiven(value)
    ? readList({ source: 'contents', value }).map((entry) => readEntry(entry, door))
    : [];
  const of = (...types: ContentType[]) => entries.filter(({ type }) => types.includes(type));
  const needs = [...door.needs, ...(of('last_frame').length > 0 ? [['first_frame' as const]] : [])];
  for (const types of needs) {
    if (of(...types).length > 0) continue;
    throw new GatewayError('missing_required_parameter', `contents must hold ${oneOf(types)}.`, {
      param: 'contents',
    });
  }
  const elements = of('element').map((entry) => ({ entry, id: readElement(entry) }));
  return {
    texts: of('prompt').map((entry) => required(entry, 'text', 'what the film shows')),
    files: entries.flatMap((entry) => fileOf(entry, keepOriginalSound)),
    images: of('image').map((entry) => required(entry, 'url', 'an http(s) URL or base64 data')),
    videos: of('video').map((entry) => required(entry, 'url', 'a public https URL')),
    elementIds: elements.map(({ id }) => id),
    named: [
      // The canonical list: frames first, then references, each in its order.
      ...namesOf('image', [...of('first_frame'), ...of('last_frame'), ...of('refer_image'), ...of('image')]),
      ...namesOf('video', of('feature_video', 'base_video', 'video')),
      ...namesOf(
        'element',
        elements.map(({ entry }) => entry),
      ),
    ],
    has: (type) => of(type).length > 0,
  };
}

function readEntry({ source, value }: Claim, door: Door): Entry {
  if (!isObject(value)) throw invalid(source, `must be an object, not ${show(value)}.`);
  const type = door.contents.find((word) => word === value['type']);
  if (type === undefined) {
    throw invalid(
      `${source}.type`,
      `must be ${oneOf(door.contents)} for ${door.feature}, not ${show(value['type'])}.`,
    );
  }
  return { type, source, fields: value };
}

function fileOf(entry: Entry, keepOriginalSound: boolean): LooseFile[] {
  if (!(entry.type in roles)) return [];
  const { category, role } = roles[entry.type as keyof typeof roles];
  const media = readMedia(required(entry, 'url', 'an http(s) URL or base64 data'));
  const file: LooseFile = { source: entry.source, category, role, media };
  return [category === 'video' ? { ...file, keepOriginalSound } : file];
}

/** A text on this wire (specs/kling.md §4), a number in the legacy standard: both are taken. */
function readElement(entry: Entry): string {
  const claim = required(entry, 'element_id', 'the id of an element');
  const id = readId(claim);
  if (!/^\d{1,20}$/.test(id)) throw invalid(claim.source, `must be a whole number, not ${show(id)}.`);
  return id;
}

function namesOf(kind: NamedThing['kind'], entries: Entry[]): NamedThing[] {
  return entries.flatMap(({ source, fields }, index): NamedThing[] => {
    const claim = { source: `${source}.id`, value: fields['id'] };
    if (!isGiven(claim.value)) return [];
    return [{ kind, position: index + 1, name: readText(claim).trim(), source: claim.source }];
  });
}

function required({ source, fields }: Entry, key: string, wanted: string): Claim {
  const claim = { source: `${source}.${key}`, value: fields[key] };
  if (isGiven(claim.value)) return claim;
  throw new GatewayError('missing_required_parameter', `${claim.source} is required: ${wanted}.`, {
    param: claim.source,
  });
}
