/** Films made from films, pictures and sounds: motion, avatar, lip-sync, extension, effects, multi-elements. */
import {
  choice,
  exactlyOne,
  has,
  illegal,
  list,
  number,
  object,
  picture,
  requireChoice,
  requireInteger,
  requireText,
  sound,
  text,
  url,
  watermark,
} from './simulator-fields.ts';
import { formatUnits, milliUnitsOf } from './simulator-matrix.ts';
import { envelopeOf, filmOf, filmWorkMs, overrunSeconds, urlOf } from './simulator-plan.ts';
import type { Judge, TaskDetails, TaskPlan } from './simulator-plan.ts';
import { readFaces } from './simulator-sessions.ts';
import { filmById, madeId, requireAudio, sourceFilm } from './simulator-sources.ts';
import type { SourceFilm } from './simulator-sources.ts';
import { selectionOf } from './simulator-selection.ts';
import type { FilmPlan } from '../kit/simulator.ts';
import type { WireObject } from './wire.ts';

const promptMax = 2500;
const stdPro = ['std', 'pro'] as const;
/** A sound by URL counts as this long. */
const unknownSoundSeconds = 5;
const spoken = /^(audio\/(mpeg|wav|mp4)|video\/mp4)$/;
const spokenOrAac = /^(audio\/(mpeg|wav|mp4|aac)|video\/mp4)$/;

function filmTask(
  body: WireObject,
  film: FilmPlan,
  milliUnits: number,
  more: Partial<TaskDetails> & { reference?: string | null } = {},
): TaskPlan {
  const { reference = urlOf(film.firstFrame), ...details } = more;
  return {
    pack: 'video',
    slots: 1,
    workMs: filmWorkMs(Math.floor(film.seconds)),
    prompt: film.prompt,
    reference,
    film,
    files: [],
    details: {
      watermark: film.watermark,
      units: formatUnits(milliUnits),
      seconds: film.seconds.toFixed(2),
      result: { kind: 'video' },
      ...details,
    },
    ...envelopeOf(body),
  };
}

/** The film a film is made from, as `parent_video` shows it. */
function parentOf(source: SourceFilm): Pick<TaskDetails, 'parent'> {
  if (!source.task || !source.details) return {};
  const { taskId } = source.task;
  return { parent: { id: madeId(taskId), seconds: source.details.seconds, taskId } };
}

/** Continues looking like its source; one by URL is a landscape. */
function lookOf({ task }: SourceFilm): Partial<FilmPlan> {
  if (!task?.film) return { aspectRatio: '16:9' };
  const { shortSide, aspectRatio, firstFrame, lastFrame, sound: hasSound } = task.film;
  return { shortSide, aspectRatio, firstFrame, lastFrame, sound: hasSound };
}

export function checkAvatar(body: WireObject, judge: Judge): TaskPlan {
  const speaker = picture(body['image'], 'image', judge.keep);
  const field = exactlyOne(body, ['audio_id', 'sound_file'] as const);
  const heard =
    field === 'audio_id'
      ? { url: null, seconds: requireAudio(body['audio_id'], judge, 'audio_id') }
      : sound(body['sound_file'], 'sound_file', { secondsMin: 2, secondsMax: 300, types: spokenOrAac });
  const prompt = text(body, 'prompt', promptMax) ?? '';
  const mode = choice(body, 'mode', stdPro) ?? 'std';
  const seconds = heard.seconds ?? unknownSoundSeconds;
  return filmTask(
    body,
    filmOf({
      seconds,
      prompt,
      title: 'avatar · image2video',
      shortSide: mode === 'pro' ? 1080 : 720,
      firstFrame: speaker,
      sound: true,
      watermark: watermark(body),
    }),
    (mode === 'pro' ? 800 : 400) * Math.max(1, Math.round(seconds)),
    { mode, reference: urlOf(speaker) ?? heard.url },
  );
}

export function checkClassicLipSync(body: WireObject, judge: Judge): TaskPlan {
  const input = object(body, 'input');
  if (!input) throw illegal('input', 'is required');
  const place = 'input.';
  const source = sourceFilm(input, judge, place);
  const mode = requireChoice(input, 'mode', ['text2video', 'audio2video'], place);
  let prompt = '';
  if (mode === 'text2video') {
    prompt = requireText(input, 'text', 120, place);
    requireText(input, 'voice_id', 100, place);
    requireChoice(input, 'voice_language', ['zh', 'en'], place);
    number(input, 'voice_speed', 0.8, 2, place);
  } else if (requireChoice(input, 'audio_type', ['url', 'file'], place) === 'url') {
    url(input['audio_url'], `${place}audio_url`);
  } else {
    sound(input['audio_file'], `${place}audio_file`, { secondsMin: 2, secondsMax: 60, types: spokenOrAac });
  }
  return spokenFilm(body, source, prompt, 'lip-sync');
}

/** 0.5 units for every five seconds begun. */
function spokenFilm(body: WireObject, source: SourceFilm, prompt: string, title: string): TaskPlan {
  const film = filmOf({
    ...lookOf(source),
    seconds: source.seconds + overrunSeconds,
    prompt: prompt || (source.task?.film?.prompt ?? ''),
    title,
    sound: true,
    watermark: watermark(body),
  });
  const units = 500 * Math.ceil(source.seconds / 5);
  return filmTask(body, film, units, {
    ...parentOf(source),
    ...(source.url ? { reference: source.url } : {}),
  });
}

const lipSyncMsMax = 60_000;
const overlapMsMin = 2000;

export function checkAdvancedLipSync(body: WireObject, judge: Judge): TaskPlan {
  const session = readFaces(body, judge);
  const choices = list(body, 'face_choose', 1);
  const face = choices[0];
  if (!face) throw illegal('face_choose', 'must have exactly one entry');
  const place = 'face_choose[0].';
  const faceId = requireText(face, 'face_id', 100, place);
  const known = session.faces.find((one) => one.faceId === faceId);
  if (!known) throw illegal(`${place}face_id`, 'is not in this session');
  const field = exactlyOne(face, ['audio_id', 'sound_file'] as const, place);
  const heardSeconds =
    field === 'audio_id'
      ? requireAudio(face['audio_id'], judge, `${place}audio_id`)
      : sound(face['sound_file'], `${place}sound_file`, { secondsMin: 2, secondsMax: 60, types: spoken })
          .seconds;
  const start = requireInteger(face, 'sound_start_time', 0, lipSyncMsMax, place);
  const end = requireInteger(face, 'sound_end_time', 0, lipSyncMsMax, place);
  const insert = requireInteger(face, 'sound_insert_time', 0, lipSyncMsMax, place);
  if (end - start < overlapMsMin) {
    throw illegal(`${place}sound_end_time`, 'at least 2000 ms of the sound must be kept');
  }
  if (heardSeconds !== null && end > Math.ceil(heardSeconds * 1000)) {
    throw illegal(`${place}sound_end_time`, `the sound is only ${Math.floor(heardSeconds * 1000)} ms long`);
  }
  const overlap = Math.min(insert + end - start, known.endMs) - Math.max(insert, known.startMs);
  if (overlap < overlapMsMin) {
    throw illegal(`${place}sound_insert_time`, 'sound and face must overlap by at least 2000 ms');
  }
  number(face, 'sound_volume', 0, 2, place);
  number(face, 'original_audio_volume', 0, 2, place);
  return spokenFilm(body, session.source, '', 'advanced-lip-sync');
}

const extendable = new Set(['kling-v1', 'kling-v1-5', 'kling-v1-6']);
const extensionSeconds = 5;
const extendedSecondsMax = 180;

export function checkExtend(body: WireObject, judge: Judge): TaskPlan {
  const source = filmById(requireText(body, 'video_id', 100), judge, 'video_id');
  const { model = '', mode = 'std' } = source.details ?? {};
  if (!extendable.has(model))
    throw illegal('video_id', `a video of ${model || 'this kind'} cannot be extended`);
  const prompt = text(body, 'prompt', promptMax) ?? '';
  for (const field of ['negative_prompt', 'cfg_scale']) {
    if (model === 'kling-v1' && has(body, field)) throw illegal(field, 'is not supported by kling-v1');
  }
  text(body, 'negative_prompt', promptMax);
  number(body, 'cfg_scale', 0, 1);
  const seconds = source.seconds + extensionSeconds;
  if (seconds > extendedSecondsMax) {
    throw illegal('video_id', `the extended video would exceed ${extendedSecondsMax} s`);
  }
  const film = filmOf({
    ...lookOf(source),
    seconds: seconds + overrunSeconds,
    prompt: prompt || (source.task?.film?.prompt ?? ''),
    title: `${model} · video-extend`,
  });
  const plain = { model, mode, sound: false, voice: false, video: false };
  const plan = filmTask(body, film, milliUnitsOf({ ...plain, seconds: extensionSeconds }), {
    model,
    mode,
    ...parentOf(source),
  });
  // Only what is added has to be made.
  return { ...plan, workMs: filmWorkMs(extensionSeconds) };
}

/** Scenes of two people; those with `null` have a model of their own (official list of effects). */
const duoScenes: Record<string, readonly string[] | null> = {
  hug: ['kling-v1', 'kling-v1-5', 'kling-v1-6'],
  kiss: ['kling-v1', 'kling-v1-5', 'kling-v1-6'],
  heart_gesture: ['kling-v1', 'kling-v1-5', 'kling-v1-6'],
  fight: ['kling-v1-6'],
  hug_pro: null,
  kiss_pro: null,
  heart_gesture_pro: null,
  fight_pro: null,
  cheers_2026: null,
};
/** What a template costs; each has its own price, this is the commonest. */
const effectMilliUnits = 2000;

export function checkEffects(body: WireObject, judge: Judge): TaskPlan {
  const scene = requireText(body, 'effect_scene', 64);
  if (!/^[a-z0-9_]+$/.test(scene)) throw illegal('effect_scene', `value '${scene}' is invalid`);
  const input = object(body, 'input');
  if (!input) throw illegal('input', 'is required');
  const models = Object.hasOwn(duoScenes, scene) ? duoScenes[scene] : undefined;
  const isDuo = models !== undefined;
  const seconds = Number(requireChoice(input, 'duration', models ? ['5', '10'] : ['5'], 'input.'));
  const mode = choice(input, 'mode', stdPro, 'input.') ?? 'std';
  const model = models ? requireChoice(input, 'model_name', models, 'input.') : undefined;
  const source = isDuo ? pairOf(input, judge) : picture(input['image'], 'input.image', judge.keep);
  const film = filmOf({
    seconds: seconds + overrunSeconds,
    prompt: scene.replaceAll('_', ' '),
    title: `effects · ${scene}`,
    shortSide: mode === 'pro' ? 1080 : 720,
    firstFrame: source,
    watermark: watermark(body),
  });
  const milliUnits = model
    ? milliUnitsOf({ model, mode, seconds, sound: false, voice: false, video: false })
    : effectMilliUnits;
  return filmTask(body, film, milliUnits, model ? { model, mode } : {});
}

/** Left and right; the film begins with the left one. */
function pairOf(input: WireObject, judge: Judge) {
  const images = input['images'];
  if (!Array.isArray(images) || images.length !== 2)
    throw illegal('input.images', 'must have exactly 2 entries');
  return images.map((image, index) => picture(image, `input.images[${index}]`, judge.keep))[0]!;
}

const editImages = { addition: [1, 2], swap: [1, 1], removal: [0, 0] } as const;

export function checkMultiElements(body: WireObject, judge: Judge): TaskPlan {
  const model = text(body, 'model_name', 100) || 'kling-v1-6';
  if (model !== 'kling-v1-6') throw illegal('model_name', `${model} is not supported by multi-elements`);
  const selection = selectionOf(body, judge);
  const editMode = requireChoice(body, 'edit_mode', ['addition', 'swap', 'removal']);
  const images = list(body, 'image_list', 2).map((entry, index) =>
    picture(entry['image'], `image_list[${index}].image`, judge.keep),
  );
  const [min, max] = editImages[editMode];
  if (images.length < min || images.length > max) {
    throw illegal(
      'image_list',
      `edit_mode ${editMode} takes ${min === max ? min : `${min} to ${max}`} images`,
    );
  }
  if (editMode !== 'addition' && Object.keys(selection.frames).length === 0) {
    throw illegal('session_id', `edit_mode ${editMode} needs a selection`);
  }
  const prompt = requireText(body, 'prompt', promptMax);
  text(body, 'negative_prompt', promptMax);
  const mode = choice(body, 'mode', stdPro) ?? 'std';
  const seconds = Number(choice(body, 'duration', ['5', '10']) ?? '5');
  const film = filmOf({
    ...lookOf(selection.source),
    ...(images[0] ? { firstFrame: images[0] } : {}),
    seconds: seconds + overrunSeconds,
    prompt,
    title: `${model} · multi-elements · ${editMode}`,
    shortSide: mode === 'pro' ? 1080 : 720,
    watermark: watermark(body),
  });
  return filmTask(body, film, (mode === 'pro' ? 1000 : 600) * seconds, {
    model,
    mode,
    sessionId: selection.sessionId,
  });
}
