/** The Kling models VOD offers and what it makes of them (specs: VOD API, CreateAigcVideoTask, August 2026). */
import type { VideoRequest } from '../../core/request/types.ts';

export interface VodModel {
  /** `ModelVersion` beside `ModelName: "Kling"`. */
  version: string;
  /** Knows `AudioGeneration`. */
  sound: boolean;
  /** Takes pictures as references and films beside the prompt. */
  references: boolean;
  motion: boolean;
  /** Avatars and lip-sync. */
  speaking: boolean;
  multiShot: boolean;
  voices: boolean;
  elements: boolean;
  cfgScale: boolean;
}

const plain = {
  sound: false,
  references: false,
  motion: false,
  speaking: false,
  multiShot: false,
  voices: false,
  elements: false,
  cfgScale: false,
};

/** By our own model id. There is no 1.0 and no 1.5. */
export const vodModels: Readonly<Record<string, VodModel>> = {
  'kling-v1-6': { ...plain, version: '1.6', cfgScale: true },
  'kling-v2-master': { ...plain, version: '2.0' },
  'kling-v2-1': { ...plain, version: '2.1' },
  'kling-v2-1-master': { ...plain, version: '2.1' },
  'kling-v2-5-turbo': { ...plain, version: '2.5' },
  'kling-v2-6': { ...plain, version: '2.6', sound: true, motion: true, speaking: true },
  // Chosen voices have a price of their own only here (DescribeAigcUsageData: Kling3.0CustomVoice).
  'kling-v3': {
    ...plain,
    version: '3.0',
    sound: true,
    motion: true,
    multiShot: true,
    voices: true,
    elements: true,
  },
  'kling-v3-omni': {
    ...plain,
    version: '3.0-Omni',
    sound: true,
    references: true,
    multiShot: true,
    elements: true,
  },
  'kling-video-o1': { ...plain, version: 'O1', references: true, elements: true },
};

export interface VodImageModel {
  /** `ModelVersion` of CreateAigcImageTask (SDK). */
  version: string;
  /** Features it is sold for here. */
  operations: readonly string[];
}

/** By our own model id. */
export const vodImageModels: Readonly<Record<string, VodImageModel>> = {
  'kling-v2-1': { version: '2.1', operations: ['text-to-image', 'multi-image-to-image'] },
  'kling-v3': { version: '3.0', operations: ['text-to-image'] },
  'kling-v3-omni': { version: '3.0-Omni', operations: ['omni-image'] },
  'kling-image-o1': { version: 'O1', operations: ['omni-image'] },
};

/** How a film with moving lips is made here; null: not at all. */
export type LipSyncForm =
  /** A session of faces that the caller has. */
  | 'session'
  /** A film and a sound: its faces are looked up first. */
  | 'film'
  /** A picture and a sound, which is what an avatar is made of. */
  | 'avatar'
  /** A picture and words, as seed 003 documents it. */
  | 'picture';

export function lipSyncFormOf(request: VideoRequest): LipSyncForm | null {
  const { extensions } = request;
  const hasSound = request.audio !== null || extensions['audio_id'] !== undefined;
  if (extensions['session_id'] !== undefined)
    return extensions['face_choose'] === undefined ? null : 'session';
  if (request.referenceVideo) return hasSound ? 'film' : null;
  if (!request.firstFrame) return null;
  if (hasSound) return 'avatar';
  return request.prompt === '' ? null : 'picture';
}
