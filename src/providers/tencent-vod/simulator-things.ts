/** Voices and elements: made by a task, kept for later ones. */
import type { FilePlan, FrameSource, SimulatorHost } from '../kit/simulator.ts';
import { JsonError, parseJson } from '../../lib/json.ts';
import { sessionOf } from './simulator-check.ts';
import { Refusal } from './simulator-errors.ts';
import { absent, choice, illegal, list, object, onlyKnown, text, url } from './simulator-fields.ts';
import type { Creation } from './simulator-task.ts';
import { isObject } from './wire.ts';
import type { WireObject } from './wire.ts';

const workMs = 5000;
const nameMax = 20;
const descriptionMax = 100;
const refersMax = 3;
const trialSeconds = 3;
/** Their booleans are words. */
const trueOrFalse = ['True', 'False'] as const;

export function checkVoice(parameters: WireObject, host: SimulatorHost): Creation {
  onlyKnown(parameters, [
    'SubAppId',
    'VoiceName',
    'VoiceUrl',
    'VideoId',
    'DisableModeration',
    'SessionId',
    'SessionContext',
    'TasksPriority',
  ]);
  choice(parameters, 'DisableModeration', trueOrFalse);
  const name = shortText(parameters, 'VoiceName', nameMax);
  if (text(parameters, 'VideoId') !== null) {
    throw new Refusal('ResourceNotFound', 'VideoId: the work does not exist');
  }
  if (text(parameters, 'VoiceUrl') === null) throw absent('VoiceUrl');
  const source = url(parameters['VoiceUrl'], 'VoiceUrl');
  return {
    type: 'CreateAigcCustomVoice',
    prompt: name,
    reference: source,
    workMs,
    film: null,
    files: [{ kind: 'sound', name: trialName, seconds: trialSeconds, text: name, format: 'wav' }],
    input: { VoiceName: name, VoiceUrl: source },
    result: { kind: 'voice', id: host.newDecimalId(), name },
    ...sessionOf(parameters),
  };
}

export function checkElement(parameters: WireObject, host: SimulatorHost): Creation {
  onlyKnown(parameters, [
    'SubAppId',
    'ElementName',
    'ElementDescription',
    'ReferenceType',
    'ElementVoiceId',
    'ElementVideoList',
    'ElementImageList',
    'TagList',
    'DisableModeration',
    'SessionId',
    'SessionContext',
    'TasksPriority',
  ]);
  choice(parameters, 'DisableModeration', trueOrFalse);
  const name = shortText(parameters, 'ElementName', nameMax);
  const description = shortText(parameters, 'ElementDescription', descriptionMax);
  const type = choice(parameters, 'ReferenceType', ['video_refer', 'image_refer']);
  if (!type) throw absent('ReferenceType');
  const pictures = type === 'image_refer' ? picturesOf(parameters) : [];
  const film = type === 'video_refer' ? filmOf(parameters) : null;
  if (type === 'image_refer' && text(parameters, 'ElementVoiceId') !== null) {
    throw illegal('ElementVoiceId', 'is for elements from videos');
  }
  checkTags(parameters);
  return {
    type: 'CreateAigcAdvancedCustomElement',
    prompt: description,
    reference: film ?? pictures[0] ?? null,
    workMs,
    film: null,
    files: pictures.map((address, index) => pictureFile({ kind: 'url', url: address }, index, name)),
    input: {
      ElementName: name,
      ElementDescription: description,
      ReferenceType: type,
      ElementVoiceId: text(parameters, 'ElementVoiceId') ?? '',
      ElementVideoList: text(parameters, 'ElementVideoList') ?? '',
      ElementImageList: text(parameters, 'ElementImageList') ?? '',
      TagList: text(parameters, 'TagList') ?? '',
    },
    result: {
      kind: 'element',
      id: host.newDecimalId(),
      element: { element_name: name, element_description: description, reference_type: type },
      pictures: pictures.length,
    },
    ...sessionOf(parameters),
  };
}

/** Only once, and only when its task has ended. */
export function deleteElement(parameters: WireObject, account: string, host: SimulatorHost): object {
  onlyKnown(parameters, ['SubAppId', 'ElementId']);
  const id = text(parameters, 'ElementId');
  if (id === null) throw absent('ElementId');
  const record = host.findRecord('tencent-vod', account, 'element', id);
  if (!record || record.deletedAt !== null || record.createdAt > host.now()) {
    throw new Refusal('ResourceNotFound', 'ElementId: the element does not exist');
  }
  host.keepRecord({ ...record, deletedAt: host.now() });
  return {};
}

export const trialName = 'trial.wav';

/** The frontal picture is the first. */
export function elementPictureName(index: number): string {
  return `element-${index}.png`;
}

function pictureFile(source: FrameSource, index: number, name: string): FilePlan {
  const title = index === 0 ? 'frontal' : `refer ${index}`;
  return {
    kind: 'image',
    name: elementPictureName(index),
    size: null,
    prompt: name,
    title,
    source,
    watermark: false,
  };
}

function shortText(parameters: WireObject, name: string, max: number): string {
  const value = text(parameters, name);
  if (value === null) throw absent(name);
  if ([...value].length > max) throw illegal(name, `must not exceed ${max} characters`);
  return value;
}

function picturesOf(parameters: WireObject): string[] {
  const name = 'ElementImageList';
  const given = object({ [name]: jsonOf(parameters, name) ?? null }, name);
  if (!given) throw absent(name);
  const refers = list(given, 'refer_images', `${name}.`);
  if (refers.length < 1 || refers.length > refersMax) {
    throw illegal(`${name}.refer_images`, `must have 1 to ${refersMax} entries`);
  }
  return [
    url(given['frontal_image'], `${name}.frontal_image`),
    ...refers.map((entry, index) => url(entry['image_url'], `${name}.refer_images.${index}.image_url`)),
  ];
}

function filmOf(parameters: WireObject): string {
  const name = 'ElementVideoList';
  const given = object({ [name]: jsonOf(parameters, name) ?? null }, name);
  if (!given) throw absent(name);
  const films = list(given, 'refer_videos', `${name}.`);
  if (films.length !== 1) throw illegal(`${name}.refer_videos`, 'must have exactly one entry');
  return url(films[0]!['video_url'], `${name}.refer_videos.0.video_url`);
}

function checkTags(parameters: WireObject): void {
  const tags = jsonOf(parameters, 'TagList');
  if (tags === null) return;
  if (!Array.isArray(tags)) throw illegal('TagList', 'must be a JSON list');
  tags.forEach((tag, index) => {
    if (isObject(tag) && /^o_10[1-8]$/.test(text(tag, 'tag_id', `TagList.${index}.`) ?? '')) return;
    throw illegal(`TagList.${index}.tag_id`, 'must be one of o_101 to o_108');
  });
}

/** Lists come as JSON in a string. */
function jsonOf(parameters: WireObject, name: string): ReturnType<typeof parseJson> | null {
  const given = text(parameters, name);
  if (given === null) return null;
  try {
    return parseJson(given);
  } catch (error) {
    if (error instanceof JsonError) throw illegal(name, 'is no JSON');
    throw error;
  }
}
