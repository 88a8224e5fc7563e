/** A create of the new standard as claims: every one with the path it stood at. */
import { GatewayError } from '../../core/errors.ts';
import { isGiven, oneOf, readFlag, readObject, readText, readWord } from '../../core/request/read.ts';
import type { Claim, LooseVideo } from '../../core/request/types.ts';
import { noClaims } from '../kit/video-loose.ts';
import { readContents, type Contents } from './contents.ts';
import { hasShotsByDefault, type AudioWord, type Door } from './doors.ts';
import { checkNames, shotsIn, withPositions } from './prompt.ts';

type Fields = Record<string, unknown>;

/** Throws GatewayError for words that only this wire has, and `model_not_found` for a model this door has not. */
export function looseNewVideo(body: Fields, model: string, door: Door): LooseVideo {
  const known = door.models.find((name) => name === model.trim().toLowerCase());
  if (known === undefined) {
    throw new GatewayError(
      'model_not_found',
      `The path must end in ${oneOf(door.models)} for ${door.feature}.`,
      { param: 'model' },
    );
  }
  const settings = objectAt(body, 'settings');
  const options = objectAt(body, 'options');
  const setting = (key: string) => claimsOf('settings', key, settings);
  const option = (key: string) => claimsOf('options', key, options);
  const audio = readAudio(setting('audio'), door);
  const contents = readContents(body['contents'], door, audio.keepsOriginal);
  checkNames(contents.named);
  const isMotion = door.defaults.operation === 'motion-control';
  const resolution = setting('resolution');
  const aspectRatio = setting('aspect_ratio');
  if (aspectRatio.length === 0) requireRatioSource(door, contents);
  return {
    ...noClaims(door.defaults),
    model: [{ source: 'model', value: known }],
    ...promptClaims(promptsOf(body, contents), shotSetting(setting('multi_shot'), door, known, contents)),
    seconds: setting('duration'),
    resolution,
    // What the legacy standard calls the level is the resolution here.
    motionLevel: isMotion ? resolution.map(levelClaim) : [],
    aspectRatio,
    sound: audio.sound,
    image: contents.images,
    referenceVideo: contents.videos,
    files: contents.files,
    elements:
      contents.elementIds.length === 0
        ? []
        : [{ source: 'contents', value: contents.elementIds.map((id) => ({ element_id: id })) }],
    characterOrientation: setting('character_orientation'),
    keepOriginalSound: isMotion ? [{ source: audio.source, value: audio.keepsOriginal }] : [],
    watermark: option('watermark_info'),
    externalTaskId: option('external_task_id'),
    callbackUrl: option('callback_url'),
    maxCost: isGiven(body['max_cost']) ? [{ source: 'max_cost', value: body['max_cost'] }] : [],
  };
}

/** On omni-video the ratio is a first frame's or a film's; where there is neither it must be given. */
function requireRatioSource(door: Door, { has }: Contents): void {
  if (door.defaults.operation !== null) return;
  if (has('first_frame') || has('feature_video') || has('base_video')) return;
  throw new GatewayError(
    'missing_required_parameter',
    'settings.aspect_ratio is required without a first_frame or a video: 16:9, 9:16 or 1:1.',
    { param: 'settings.aspect_ratio' },
  );
}

function objectAt(body: Fields, key: string): Fields {
  return isGiven(body[key]) ? readObject({ source: key, value: body[key] }) : {};
}

function claimsOf(parent: string, key: string, fields: Fields): Claim[] {
  return isGiven(fields[key]) ? [{ source: `${parent}.${key}`, value: fields[key] }] : [];
}

interface Audio {
  source: string;
  sound: Claim[];
  keepsOriginal: boolean;
}

/** `native` is a sound of its own, `original` that of the reference film. */
function readAudio([claim]: Claim[], door: Door): Audio {
  const word: AudioWord = claim === undefined ? door.audioDefault : readWord(claim, door.audio);
  const source = claim?.source ?? 'default';
  const sound = claim === undefined || word === 'original' ? [] : [{ source, value: word === 'native' }];
  return { source, sound, keepsOriginal: word === 'original' };
}

function levelClaim({ source, value }: Claim): Claim {
  return {
    source,
    value: typeof value === 'string' && value.trim().toLowerCase() === '1080p' ? 'pro' : 'std',
  };
}

/** The prompt in the canonical notation, wherever it stood. */
function promptsOf(body: Fields, { texts, named }: Contents): Claim[] {
  const prompt = isGiven(body['prompt']) ? [{ source: 'prompt', value: body['prompt'] }] : [];
  return [...prompt, ...texts].map((claim) => ({
    source: claim.source,
    value: withPositions(readText(claim), named),
  }));
}

/** A film that is to be edited keeps its own shots. */
function shotSetting([claim]: Claim[], door: Door, model: string, contents: Contents): Claim | null {
  if (claim !== undefined) return claim;
  return hasShotsByDefault(door, model) && !contents.has('base_video')
    ? { source: 'default', value: true }
    : null;
}

/** Several shots: the list the prompt is written in, or else as the model divides it. */
function promptClaims(
  prompts: Claim[],
  setting: Claim | null,
): Pick<LooseVideo, 'prompt' | 'multiShot' | 'shotType' | 'shots'> {
  const none = { prompt: prompts, multiShot: [], shotType: [], shots: [] };
  if (setting === null) return none;
  const [first] = prompts;
  // Without words there is nothing to divide, and nobody asked for it.
  if (setting.source === 'default' && first === undefined) return none;
  const multiShot = [setting];
  if (!readFlag(setting)) return { ...none, multiShot };
  const { source } = setting;
  const shots = prompts.length === 1 && first !== undefined ? shotsIn(readText(first)) : null;
  if (shots === null) return { ...none, multiShot, shotType: [{ source, value: 'intelligence' }] };
  return {
    prompt: [],
    multiShot,
    shotType: [{ source, value: 'customize' }],
    shots: [{ source: first!.source, value: shots }],
  };
}
