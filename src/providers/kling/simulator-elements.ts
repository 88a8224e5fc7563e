/** Elements: a subject made once from pictures or a film, and used in later films. */
import type { Json } from '../../lib/json.ts';
import type { FilePlan, FrameSource } from '../kit/simulator.ts';
import {
  has,
  illegal,
  list,
  object,
  picture,
  requireChoice,
  requireText,
  text,
  url,
} from './simulator-fields.ts';
import { envelopeOf, urlOf } from './simulator-plan.ts';
import type { Judge, TaskPlan } from './simulator-plan.ts';
import { refuseDeleted } from './simulator-sounds.ts';
import type { WireObject } from './wire.ts';

const tags = ['o_101', 'o_102', 'o_103', 'o_104', 'o_105', 'o_106', 'o_107', 'o_108'] as const;
const refersMax = 3;

export function checkElement(body: WireObject, judge: Judge): TaskPlan {
  const name = requireText(body, 'element_name', 20);
  const description = requireText(body, 'element_description', 100);
  const type = requireChoice(body, 'reference_type', ['video_refer', 'image_refer']);
  const isFromImages = type === 'image_refer';
  const pictures = isFromImages ? picturesOf(body, judge) : [];
  const film = isFromImages ? null : filmOf(body);
  const voiceId = text(body, 'element_voice_id', 100);
  if (voiceId) refuseDeleted('voice', voiceId, judge, 'element_voice_id');
  const tagIds = list(body, 'tag_list', tags.length).map((entry, index) =>
    requireChoice(entry, 'tag_id', tags, `tag_list[${index}].`),
  );
  const element: WireObject = {
    element_name: name,
    element_description: description,
    reference_type: type,
    ...(film ? { element_video_list: { refer_videos: [{ video_url: film }] } } : {}),
    ...(voiceId
      ? { element_voice_info: { voice_id: voiceId, voice_name: '', trial_url: '', owned_by: 'kling' } }
      : {}),
    tag_list: tagIds.map((id): Json => ({ id, name: id, description: id })),
  };
  return {
    pack: 'image',
    slots: 1,
    workMs: 5000,
    prompt: description,
    reference: film ?? urlOf(...pictures),
    film: null,
    files: pictures.map((source, index) => pictureFile(source, index, name)),
    details: {
      watermark: false,
      units: '0',
      seconds: '0',
      result: { kind: 'element', elementId: judge.host.newDecimalId(), element },
    },
    ...envelopeOf(body),
  };
}

function picturesOf(body: WireObject, judge: Judge): FrameSource[] {
  const given = object(body, 'element_image_list');
  if (!given) throw illegal('element_image_list', 'is required with reference_type image_refer');
  const place = 'element_image_list.';
  const frontal = picture(given['frontal_image'], `${place}frontal_image`, judge.keep);
  const refers = list(given, 'refer_images', refersMax).map((entry, index) =>
    picture(entry['image_url'], `${place}refer_images[${index}].image_url`, judge.keep),
  );
  if (refers.length === 0) throw illegal(`${place}refer_images`, `must have 1 to ${refersMax} entries`);
  return [frontal, ...refers];
}

function filmOf(body: WireObject): string {
  const given = object(body, 'element_video_list');
  if (!given) throw illegal('element_video_list', 'is required with reference_type video_refer');
  const place = 'element_video_list.refer_videos';
  const entry = has(given, 'refer_videos') ? list(given, 'refer_videos', 1)[0] : undefined;
  if (!entry) throw illegal(place, 'must have exactly one entry');
  return url(entry['video_url'], `${place}[0].video_url`);
}

function pictureFile(source: FrameSource, index: number, name: string): FilePlan {
  return {
    kind: 'image',
    name: elementPictureName(index),
    size: null,
    prompt: name,
    title: index === 0 ? 'frontal' : `refer ${index}`,
    source,
    watermark: false,
  };
}

/** The frontal picture is the first. */
export function elementPictureName(index: number): string {
  return `element-${index}.png`;
}
