/**
 * Loose input -> canonical request: the strongest claim of each field is read, everything else is the family's
 * judgement. Pure and deterministic; the input is never changed.
 */
import type { Catalogue, CatalogueEntry } from '../catalogue.ts';
import { GatewayError, type Warning } from '../errors.ts';
import { parseMicros } from '../money.ts';
import type { Family, VideoDraft } from '../ports.ts';
import {
  readCallbackUrl,
  readCameraControl,
  readDynamicMasks,
  readElementIds,
  readExternalTaskId,
  readPriority,
  readShots,
  readVoiceIds,
  watermarkClaim,
} from './controls.ts';
import { readExtInfo, type ExtInfo, type ExtInfoKey } from './ext-info.ts';
import { readAspectRatio, readResolution, readSize } from './frame.ts';
import { readMedia } from './media.ts';
import { gatherPictures, inOrder } from './pictures.ts';
import { PRECEDENCE, pick } from './precedence.ts';
import {
  flagOf,
  invalid,
  readFlag,
  readId,
  readList,
  readNumberWithin,
  readSeconds,
  readText,
  readWord,
  show,
} from './read.ts';
import { readCompliance, readRetention } from './retention.ts';
import { secondsInWords } from './seconds.ts';
import type { Claim, LooseVideo, RequiredField, ResolvedVideo, VideoOperation } from './types.ts';

export interface ResolveOptions {
  /** Unix ms: expiry times must lie after it. */
  nowMs: number;
}

/** A resolved request together with the family that judged it. */
export type JudgedVideo = ResolvedVideo & { family: Family };

/**
 * Resolves a video request. Throws GatewayError naming the field as the caller spelled it (`model_not_found`,
 * `missing_required_parameter`, `invalid_value`, `unsupported_parameter`).
 */
export function resolveVideo(loose: LooseVideo, catalogue: Catalogue, options: ResolveOptions): JudgedVideo {
  const warnings: Warning[] = [];
  const sources: Record<string, string> = {};
  const entry = findModel(loose, catalogue, sources, warnings);
  const draft = draftOf(loose, entry, sources, warnings, options.nowMs);
  requireFields(draft);
  const judged = entry.family.resolveVideo(draft);
  return {
    family: entry.family,
    request: judged.request,
    sources,
    warnings: [...warnings, ...judged.warnings],
    externalTaskId: readExternalTaskId(pick(loose.externalTaskId, PRECEDENCE.externalTaskId)),
    callbackUrl: readCallbackUrl(pick(loose.callbackUrl, PRECEDENCE.callbackUrl)),
    maxCostMicros: readMaxCost(loose.maxCost),
    priority: readPriority(loose.priority?.[0] ?? null),
  };
}

function findModel(
  loose: LooseVideo,
  catalogue: Catalogue,
  sources: Record<string, string>,
  warnings: Warning[],
): CatalogueEntry {
  const claim = pick(loose.model, PRECEDENCE.model);
  if (claim !== null) noteLosers(loose.model, claim, 'model_ignored', warnings);
  const name = claim === null ? loose.surface.model : readText(claim).trim();
  if (name === null || name === '') {
    throw new GatewayError(
      'missing_required_parameter',
      'model is required: GET /v1/models lists the names.',
      {
        param: 'model',
      },
    );
  }
  const entry = catalogue.find(name);
  if (entry === null) {
    throw new GatewayError(
      'model_not_found',
      `There is no model ${show(name)}: GET /v1/models lists the names.`,
      {
        param: claim?.source ?? 'model',
      },
    );
  }
  if (entry.model.operations.length === 0) {
    throw new GatewayError(
      'invalid_value',
      `${show(name)} makes no films: GET /v1/models/${entry.model.id} says what it does.`,
      {
        param: claim?.source ?? 'model',
      },
    );
  }
  sources['model'] = claim?.source ?? 'default';
  return { ...entry, name };
}

const SCENES: Readonly<Record<string, VideoOperation>> = {
  motion_control: 'motion-control',
  avatar_i2v: 'avatar',
  lip_sync: 'lip-sync',
};

const readMode = (claim: Claim) => readWord(claim, ['std', 'pro', '4k']);
const readMotionLevel = (claim: Claim) => readWord(claim, ['std', 'pro']);
const readScene = (claim: Claim) => SCENES[readWord(claim, Object.keys(SCENES))]!;
const readCfgScale = (claim: Claim) => readNumberWithin(claim, 0, 1);
const readShotType = (claim: Claim) => readWord(claim, ['customize', 'intelligence']);
const readOrientation = (claim: Claim) => readWord(claim, ['image', 'video']);
const readWatermark = (claim: Claim) => readFlag(watermarkClaim(claim));
const readFaces = (claim: Claim) => readList(claim).map((entry) => entry.value);

function draftOf(
  loose: LooseVideo,
  entry: CatalogueEntry,
  sources: Record<string, string>,
  warnings: Warning[],
  nowMs: number,
): VideoDraft {
  const extInfo = readExtInfo(loose.extInfo);
  if (extInfo.ignored.length > 0) {
    warnings.push({
      code: 'ext_info_ignored',
      field: 'metadata.ext_info',
      message: `These fields of ext_info are not passed on: ${extInfo.ignored.slice(0, 20).join(', ')}.`,
    });
  }
  /** The strongest claim of a field, read; null when nobody claims it. */
  const take = <Value>(field: Field, read: (claim: Claim) => Value): Value | null => {
    const claims = claimsOf(loose, field, extInfo);
    if (claims.length === 0) return null;
    const claim = pick(claims, PRECEDENCE[field])!;
    sources[field] = claim.source;
    if (claims.length > 1) noteLosers(claims, claim, 'value_ignored', warnings);
    return read(claim);
  };

  // A scene has lengths of its own, which the model's list does not tell.
  const allowedSeconds = () =>
    loose.scene.length > 0 ? 'above zero' : secondsInWords(entry.model.durations);
  const keepOriginalSound = take('keepOriginalSound', readFlag);
  const pictures = gatherPictures(loose, keepOriginalSound);
  for (const field of ['firstFrame', 'lastFrame'] as const) {
    const media = pictures[field];
    if (media !== null) sources[field] = media.source;
  }
  if (pictures.referenceVideo !== null) sources['referenceVideo'] = pictures.referenceVideo.media.source;

  return {
    loose,
    requestedModel: entry.name,
    sources,
    prompt: readPrompt(loose.prompt, sources),
    negativePrompt: take('negativePrompt', readText),
    seconds: take('seconds', (claim) => readSeconds(claim, allowedSeconds)),
    resolution: take('resolution', readResolution),
    size: take('size', readSize),
    aspectRatio: take('aspectRatio', readAspectRatio),
    sound: take('sound', readFlag),
    mode: take('mode', readMode),
    motionLevel: take('motionLevel', readMotionLevel),
    scene: take('scene', readScene),
    ...pictures,
    cfgScale: take('cfgScale', readCfgScale),
    cameraControl: take('cameraControl', readCameraControl),
    staticMask: take('staticMask', readMedia),
    dynamicMasks: take('dynamicMasks', readDynamicMasks) ?? [],
    multiShot: take('multiShot', readFlag),
    shotType: take('shotType', readShotType),
    shots: take('shots', readShots),
    voiceIds: take('voices', readVoiceIds) ?? [],
    elementIds: take('elements', readElementIds) ?? [],
    characterOrientation: take('characterOrientation', readOrientation),
    keepOriginalSound,
    audio: take('soundFile', readMedia),
    watermark: take('watermark', readWatermark) ?? false,
    retention: readRetention(loose, nowMs),
    compliance: readCompliance(loose, warnings),
    extensions: readExtensions(take),
  };
}

/** What some routes require although the operation could do without (specs/kling.md §3.3, §3.5, §3.9). */
function requireFields(draft: VideoDraft): void {
  const { requires } = draft.loose.surface;
  if (requires === undefined) return;
  const given: Record<RequiredField, boolean> = {
    image: draft.firstFrame !== null || draft.images.length > 0,
    references: draft.references.length + draft.images.length > 0,
    referenceVideo: draft.referenceVideo !== null,
    characterOrientation: draft.characterOrientation !== null,
    mode: draft.mode !== null,
    audio: draft.audio !== null || draft.extensions['audio_id'] !== undefined,
  };
  for (const [field, wire] of Object.entries(requires)) {
    if (given[field as RequiredField]) continue;
    throw new GatewayError('missing_required_parameter', `${wire} is required here.`, { param: wire });
  }
}

type Take = <Value>(field: Field, read: (claim: Claim) => Value) => Value | null;

/** Handles of scenes that speak: there is no canonical word for them. */
function readExtensions(take: Take): VideoDraft['extensions'] {
  const extensions: VideoDraft['extensions'] = {};
  const audioId = take('audioId', readId);
  const sessionId = take('sessionId', readId);
  const faces = take('faceChoose', readFaces);
  if (audioId !== null) extensions['audio_id'] = audioId;
  if (sessionId !== null) extensions['session_id'] = sessionId;
  if (faces !== null) extensions['face_choose'] = faces as VideoDraft['extensions'][string];
  return extensions;
}

type Field = Exclude<keyof typeof PRECEDENCE, 'model' | 'externalTaskId' | 'callbackUrl'>;

/** Which `ext_info` key carries a field. */
const EXT_INFO_KEYS: Readonly<Partial<Record<Field, ExtInfoKey>>> = {
  negativePrompt: 'negative_prompt',
  cfgScale: 'cfg_scale',
  cameraControl: 'camera_control',
  multiShot: 'multi_shot',
  shotType: 'shot_type',
  shots: 'multi_prompt',
  voices: 'voice_list',
  elements: 'element_list',
  characterOrientation: 'character_orientation',
  keepOriginalSound: 'keep_original_sound',
  soundFile: 'sound_file',
  audioId: 'audio_id',
  sessionId: 'session_id',
  faceChoose: 'face_choose',
};

/** Fields that share the list `audio`, told apart by the last word of their source. */
const AUDIO_WORDS: Readonly<Partial<Record<Field, readonly string[]>>> = {
  soundFile: ['sound_file', 'audio_url'],
  audioId: ['audio_id'],
  sessionId: ['session_id'],
  faceChoose: ['face_choose'],
};

function claimsOf(loose: LooseVideo, field: Field, extInfo: ExtInfo): readonly Claim[] {
  const words = AUDIO_WORDS[field];
  const claims =
    words === undefined
      ? loose[field as Exclude<Field, 'soundFile' | 'audioId' | 'sessionId' | 'faceChoose'>]
      : loose.audio.length === 0
        ? loose.audio
        : loose.audio.filter(({ source }) => words.includes(source.slice(source.lastIndexOf('.') + 1)));
  const key = extInfo.claims.size === 0 ? undefined : EXT_INFO_KEYS[field];
  const extra = key === undefined ? undefined : extInfo.claims.get(key);
  return extra === undefined ? claims : [...claims, extra];
}

/** Says which claims lost to another one that means something else. */
function noteLosers(claims: readonly Claim[], winner: Claim, code: string, warnings: Warning[]): void {
  if (claims.length < 2) return;
  for (const claim of inOrder(claims)) {
    if (claim.source === winner.source || meaningOf(claim.value) === meaningOf(winner.value)) continue;
    warnings.push({
      code,
      field: claim.source,
      message: `${winner.source} decides; ${claim.source} says otherwise and is ignored.`,
    });
  }
}

function meaningOf(value: unknown): unknown {
  if (typeof value === 'object') return value;
  return flagOf(value) ?? String(value).trim().toLowerCase();
}

/** `prompt` and the texts of `content`, joined by a newline (specs/kling.md §8 row 28). */
function readPrompt(claims: readonly Claim[], sources: Record<string, string>): string {
  const parts: string[] = [];
  const from: string[] = [];
  for (const claim of inOrder(claims)) {
    const text = readText(claim).trim();
    if (text === '') continue;
    parts.push(text);
    from.push(claim.source);
  }
  if (from.length > 0) sources['prompt'] = from.join(' + ');
  return parts.join('\n');
}

/** The lowest cap that anybody named: header and body may both carry one. */
function readMaxCost(claims: readonly Claim[]): bigint | null {
  let lowest: bigint | null = null;
  for (const claim of claims) {
    const micros = parseMicros(claim.value);
    if (micros === null || micros < 0n) {
      throw invalid(claim.source, `must be a decimal amount such as "1.50", not ${show(claim.value)}.`);
    }
    if (lowest === null || micros < lowest) lowest = micros;
  }
  return lowest;
}
