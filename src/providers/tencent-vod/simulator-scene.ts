/** Kling's own fields inside `ExtInfo`, the scenes that need them, and the sessions of faces. */
import { createHmac } from 'node:crypto';
import { JsonError, parseJson } from '../../lib/json.ts';
import type { Json } from '../../lib/json.ts';
import { absent, flag, illegal, integer, list, text } from './simulator-fields.ts';
import type { FileFacts } from './simulator-files.ts';
import type { SceneType, VersionRow } from './simulator-matrix.ts';
import { isObject } from './wire.ts';
import type { WireObject } from './wire.ts';

const place = 'ExtInfo.AdditionalParameters.';

/** `ExtInfo`: a string of JSON that holds a string of JSON; some integrators leave out one of the levels. */
export function readAdditional(parameters: WireObject): WireObject {
  const given = text(parameters, 'ExtInfo');
  if (given === null) return {};
  const outer = parse(given, 'ExtInfo');
  const inner = outer['AdditionalParameters'];
  if (inner === undefined || inner === null) return outer;
  return typeof inner === 'string'
    ? parse(inner, 'ExtInfo.AdditionalParameters')
    : asObject(inner, 'ExtInfo.AdditionalParameters');
}

function parse(json: string, field: string): WireObject {
  try {
    return asObject(parseJson(json), field);
  } catch (error) {
    if (error instanceof JsonError) throw illegal(field, 'is no JSON');
    throw error;
  }
}

function asObject(value: Json, field: string): WireObject {
  if (!isObject(value)) throw illegal(field, 'must be a JSON object');
  return value;
}

export interface ShotFacts {
  prompts: string[];
  /** Of all shots together; null: one shot, or the model divides by itself. */
  seconds: number | null;
}

const shotsMax = 6;
const shotPromptMax = 512;

export function readShots(additional: WireObject, row: VersionRow, version: string): ShotFacts {
  if (!flag(additional['multi_shot'], `${place}multi_shot`)) return { prompts: [], seconds: null };
  if (!row.multiShot) throw illegal(`${place}multi_shot`, `is not supported by ${version}`);
  const type = text(additional, 'shot_type', place);
  if (type === 'intelligence') return { prompts: [], seconds: null };
  if (type !== 'customize') throw illegal(`${place}shot_type`, 'must be customize or intelligence');
  const shots = list(additional, 'multi_prompt', place);
  if (shots.length < 1 || shots.length > shotsMax) {
    throw illegal(`${place}multi_prompt`, `needs 1 to ${shotsMax} shots`);
  }
  let seconds = 0;
  const prompts = shots.map((shot, index) => {
    const at = `${place}multi_prompt.${index}.`;
    if (shot['index'] !== index + 1) throw illegal(`${at}index`, `must be ${index + 1}`);
    const prompt = text(shot, 'prompt', at);
    if (!prompt || [...prompt].length > shotPromptMax) {
      throw illegal(`${at}prompt`, `must have 1 to ${shotPromptMax} characters`);
    }
    const duration = text(shot, 'duration', at);
    if (!duration || !/^\d{1,2}$/.test(duration) || Number(duration) < 1) {
      throw illegal(`${at}duration`, 'must be a string of whole seconds, at least 1');
    }
    seconds += Number(duration);
    return prompt;
  });
  return { prompts, seconds };
}

export interface SceneFacts {
  type: SceneType;
  sound: boolean;
  /** Where the scene decides it; null: `OutputConfig.Duration`. */
  seconds: number | null;
}

/** What each scene needs, and what seed 003 documents as accepted beside it. */
export function checkScene(
  type: SceneType,
  given: { files: FileFacts[]; additional: WireObject; prompt: string },
  nowMs: number,
): SceneFacts {
  const { files, additional, prompt } = given;
  const images = files.filter(({ category }) => category === 'Image');
  const videos = files.filter(({ category }) => category === 'Video');
  if (type === 'motion_control') {
    if (videos.length !== 1) throw illegal('FileInfos', 'motion_control needs exactly one Video');
    // With only a film, too: 003 §6.8.
    if (images.length > 1) throw illegal('FileInfos', 'motion_control takes at most one Image');
    const orientation = text(additional, 'character_orientation', place);
    if (orientation !== null && !['image', 'video'].includes(orientation)) {
      throw illegal(`${place}character_orientation`, 'must be image or video');
    }
    return { type, sound: videos[0]!.keepsSound, seconds: null };
  }
  if (type === 'lip_sync' && additional['session_id'] !== undefined) {
    if (files.length > 0) throw illegal('FileInfos', 'must be empty with a session_id');
    return { type, sound: true, seconds: checkFaces(additional, nowMs) };
  }
  if (videos.length > 0) throw illegal('FileInfos', `${type} takes no Video`);
  if (images.length !== 1) throw illegal('FileInfos', `${type} needs exactly one Image`);
  const hasSound = checkSound(additional, place);
  // With only a picture and words, too: 003 §6.10 and §6.11.
  if (!hasSound && prompt === '') throw illegal('Prompt', `${type} needs a prompt or a sound`);
  return { type, sound: true, seconds: null };
}

/** `sound_file` (URL or base64) or `audio_id`, never both. */
function checkSound(fields: WireObject, at: string): boolean {
  const file = text(fields, 'sound_file', at);
  const audioId = fields['audio_id'] ?? null;
  if (file !== null && audioId !== null) throw illegal(`${at}sound_file`, 'excludes audio_id');
  if (file !== null && /^data:/i.test(file)) throw illegal(`${at}sound_file`, 'must not have a data: prefix');
  return file !== null || audioId !== null;
}

const lipMsMin = 2000;

/** Answers how long the film is: at least until the sound ends. */
function checkFaces(additional: WireObject, nowMs: number): number {
  const session = text(additional, 'session_id', place);
  if (session === null || !isSession(session, nowMs)) {
    throw illegal(`${place}session_id`, 'the session does not exist or has expired');
  }
  const faces = list(additional, 'face_choose', place);
  if (faces.length !== 1) throw illegal(`${place}face_choose`, 'must have exactly one entry');
  const face = faces[0]!;
  const at = `${place}face_choose.0.`;
  if (text(face, 'face_id', at) !== faceId) throw illegal(`${at}face_id`, 'no such face in this session');
  if (!checkSound(face, at)) throw absent(`${at}sound_file`);
  const [start, end, insert] = ['sound_start_time', 'sound_end_time', 'sound_insert_time'].map((name) => {
    const value = integer(face, name, at);
    if (value === null) throw absent(at + name);
    if (value < 0) throw illegal(at + name, 'must not be negative');
    return value;
  }) as [number, number, number];
  if (end - start < lipMsMin)
    throw illegal(`${at}sound_end_time`, `at least ${lipMsMin} ms of sound must be kept`);
  if (insert + lipMsMin > faceEndMs) {
    throw illegal(`${at}sound_insert_time`, 'the sound must overlap the face by 2 s');
  }
  return Math.min(60, Math.ceil((insert + end - start) / 1000));
}

/** Every film has one face, from its start for ten seconds. */
export const faceId = '0';
export const faceEndMs = 10_000;
const sessionLifetimeMs = 24 * 3_600_000;

/** A session says itself when it was made, so that it outlives a restart. */
export function newSession(nowMs: number): string {
  const issued = Math.floor(nowMs).toString(36);
  return `${issued}-${checksum(issued)}`;
}

function isSession(session: string, nowMs: number): boolean {
  const [issued = '', sum = ''] = session.split('-');
  const age = nowMs - Number.parseInt(issued, 36);
  return sum === checksum(issued) && age >= 0 && age < sessionLifetimeMs;
}

function checksum(text: string): string {
  return createHmac('sha256', 'sandbox faces').update(text).digest('hex').slice(0, 24);
}
