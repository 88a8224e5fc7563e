/** Fields that several features share. Limits: specs/kling.md §2.9 and the section each feature names. */
import type {
  FlagField,
  IntegerField,
  ListField,
  MediaField,
  NumberField,
  ObjectField,
  ResourceField,
  TextField,
  WordField,
} from '../../../core/request/feature-field.ts';
import { promptCharactersMax } from '../limits.ts';

/** The model of features that have none to choose: known to providers, not listed to callers. */
export const featureModel = 'kling-features';
export const withoutModel = [featureModel];

export const required = { required: true } as const;

export const text = (max: number, more: Partial<TextField> = {}): TextField => ({
  kind: 'text',
  max,
  ...more,
});
export const prompt = (more: Partial<TextField> = {}): TextField => text(promptCharactersMax, more);
export const number = (min: number, max: number, more: Partial<NumberField> = {}): NumberField => ({
  kind: 'number',
  min,
  max,
  ...more,
});
export const integer = (min: number, max: number, more: Partial<IntegerField> = {}): IntegerField => ({
  kind: 'integer',
  min,
  max,
  ...more,
});
export const word = (words: readonly string[], more: Partial<WordField> = {}): WordField => ({
  kind: 'word',
  words,
  ...more,
});
export const flag = (more: Partial<FlagField> = {}): FlagField => ({ kind: 'flag', ...more });
export const picture = (more: Partial<MediaField> = {}): MediaField => ({
  kind: 'media',
  role: 'picture',
  ...more,
});
export const sound = (more: Partial<MediaField> = {}): MediaField => ({
  kind: 'media',
  role: 'sound',
  ...more,
});
/** Films come by URL only on this wire. */
export const film = (more: Partial<MediaField> = {}): MediaField => ({
  kind: 'media',
  role: 'film',
  urlOnly: true,
  ...more,
});
export const resource = (
  kind: ResourceField['resource'],
  more: Partial<ResourceField> = {},
): ResourceField => ({ kind: 'resource', resource: kind, ...more });
export const list = (
  min: number,
  max: number,
  of: ListField['of'],
  more: Partial<ListField> = {},
): ListField => ({ kind: 'list', min, max, of, ...more });
export const object = (fields: ObjectField['fields'], more: Partial<ObjectField> = {}): ObjectField => ({
  kind: 'object',
  fields,
  ...more,
});

/** A list of `{<name>: picture}`; a bare picture stands for its object. */
export const pictures = (name: string, min: number, max: number, more: Partial<ListField> = {}): ListField =>
  list(min, max, object({ [name]: picture(required) }, { bare: name }), more);
/** `[{element_id}]`; a bare id stands for its object. */
export const elements = (max: number): ListField =>
  list(
    1,
    max,
    object({ element_id: resource('element', { digits: true, ...required }) }, { bare: 'element_id' }),
  );

/** A film by the id of the task that made it, or by URL. */
export const filmSource = { video_id: resource('video'), video_url: film() };
export const filmSourceOne = ['video_id', 'video_url'] as const;

/** §3.12: pictures per request. */
export const pictureCount = integer(1, 9, { default: 1 });
export const modes = word(['std', 'pro'], { default: 'std' });
export const voiceLanguage = word(['zh', 'en'], { default: 'zh' });
/** §3.8, §3.11: one digit after the point. */
export const voiceSpeed = number(0.8, 2, { decimals: 1, default: 1 });
