/** Sounds: effects from text or film, speech, voices of one's own. */
import type { FilePlan } from '../kit/simulator.ts';
import {
  exactlyOne,
  flag,
  illegal,
  number,
  requireChoice,
  requireText,
  text,
  url,
} from './simulator-fields.ts';
import { envelopeOf } from './simulator-plan.ts';
import type { Judge, TaskPlan } from './simulator-plan.ts';
import { filmById, madeId, sourceFilm } from './simulator-sources.ts';
import type { WireObject } from './wire.ts';

const workMs = 8000;
const effectMax = 200;

/** The same sound, compressed and not. There is no MP3 encoder here: what the links call MP3 is AAC in MP4. */
function soundFiles(seconds: number, words: string): FilePlan[] {
  return (['m4a', 'wav'] as const).map((format) => ({
    kind: 'sound',
    name: `audio.${format}`,
    seconds,
    text: words,
    format,
  }));
}

export function checkTextToAudio(body: WireObject): TaskPlan {
  const prompt = requireText(body, 'prompt', effectMax);
  const seconds = number(body, 'duration', 3, 10);
  if (seconds === null) throw illegal('duration', 'is required');
  if (Math.abs(seconds * 10 - Math.round(seconds * 10)) > 1e-9) {
    throw illegal('duration', 'must have at most one decimal');
  }
  return {
    pack: 'video',
    slots: 1,
    workMs,
    prompt,
    reference: null,
    film: null,
    files: soundFiles(seconds, prompt),
    details: {
      watermark: false,
      units: '0.25',
      seconds: '0',
      result: { kind: 'audio', seconds: seconds.toFixed(1), withVideo: false },
    },
    ...envelopeOf(body),
  };
}

export function checkVideoToAudio(body: WireObject, judge: Judge): TaskPlan {
  const source = sourceFilm(body, judge);
  const { seconds, task } = source;
  if (seconds < 3 || seconds > 20) throw illegal('video_id', 'video must be 3 to 20 s long');
  const words = ['sound_effect_prompt', 'bgm_prompt'].map((field) => text(body, field, effectMax) ?? '');
  flag(body, 'asmr_mode');
  const prompt = words.filter((word) => word !== '').join('\n');
  const look = task?.film ?? null;
  return {
    pack: 'video',
    slots: 1,
    workMs: workMs + seconds * 1000,
    prompt,
    reference: source.url,
    film: {
      shortSide: look?.shortSide ?? 720,
      aspectRatio: look ? look.aspectRatio : '16:9',
      seconds,
      sound: true,
      prompt: look?.prompt ?? prompt,
      title: 'video-to-audio',
      firstFrame: look?.firstFrame ?? null,
      lastFrame: look?.lastFrame ?? null,
      watermark: false,
    },
    files: soundFiles(seconds, prompt),
    details: {
      watermark: false,
      units: '0.25',
      seconds: seconds.toFixed(2),
      result: { kind: 'audio', seconds: seconds.toFixed(1), withVideo: true },
      ...(task && source.details
        ? { parent: { id: madeId(task.taskId), seconds: source.details.seconds, taskId: task.taskId } }
        : {}),
    },
    ...envelopeOf(body),
  };
}

/** Characters spoken in a second. */
const pace = { zh: 4, en: 14 };

/** Speech is made while the create is answered. */
export function checkSpeech(body: WireObject, judge: Judge): TaskPlan {
  const words = requireText(body, 'text', 1000);
  const voice = requireText(body, 'voice_id', 100);
  refuseDeleted('voice', voice, judge, 'voice_id');
  const language = requireChoice(body, 'voice_language', ['zh', 'en']);
  const speed = number(body, 'voice_speed', 0.8, 2) ?? 1;
  const seconds = Math.max(1, Math.round((words.length / pace[language] / speed) * 100) / 100);
  return {
    pack: 'video',
    slots: 0,
    workMs: 0,
    prompt: words,
    reference: null,
    film: null,
    files: soundFiles(seconds, `${voice}: ${words}`),
    details: {
      watermark: false,
      units: '0.05',
      seconds: '0',
      result: { kind: 'speech', seconds: seconds.toFixed(2) },
    },
    ...envelopeOf(body),
  };
}

/** Throws for what the account made and then deleted. Any other id counts as a preset. */
export function refuseDeleted(kind: 'voice' | 'element', id: string, judge: Judge, field: string): void {
  const record = judge.host.findRecord('kling', judge.account, kind, id);
  if (record?.deletedAt) throw illegal(field, `${kind} '${id.slice(0, 40)}' has been deleted`);
}

export function checkVoice(body: WireObject, judge: Judge): TaskPlan {
  const name = requireText(body, 'voice_name', 20);
  const field = exactlyOne(body, ['voice_url', 'video_id'] as const);
  const reference = field === 'voice_url' ? url(body['voice_url'], field) : null;
  if (field === 'video_id') {
    const source = filmById(body['video_id'], judge, field);
    if (!source.task?.film?.sound) throw illegal('video_id', 'the video has no sound');
  }
  return {
    pack: 'video',
    slots: 1,
    workMs: 5000,
    prompt: name,
    reference,
    film: null,
    files: soundFiles(3, name),
    details: {
      watermark: false,
      units: '0.05',
      seconds: '0',
      result: { kind: 'voice', voiceId: judge.host.newDecimalId(), name },
    },
    ...envelopeOf(body),
  };
}
