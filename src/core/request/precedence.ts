/**
 * Which of several claims wins: field -> wire paths, strongest first (specs/kling.md §6.1 and §8 rows 21, 29, 32,
 * 35; seed 003 §3.1 and §3.2). What travels in `ext_info` is weakest everywhere: canonical fields lie on top.
 */
import type { Claim } from './types.ts';

/** The two ways a field travels in `ext_info`: as documented (nested), and as some integrators send it. */
export function extInfoPaths(key: string): string[] {
  return [`metadata.ext_info.AdditionalParameters.${key}`, `metadata.ext_info.${key}`];
}

export const PRECEDENCE = {
  model: ['model_name', 'model'],
  seconds: [
    'seconds',
    'duration',
    'metadata.seconds',
    'metadata.duration',
    'metadata.video_duration',
    'metadata.output_config.duration',
  ],
  resolution: ['metadata.output_config.resolution', 'metadata.resolution'],
  size: ['size'],
  mode: ['mode', 'metadata.mode'],
  motionLevel: ['metadata.motion_level'],
  aspectRatio: ['metadata.output_config.aspect_ratio', 'metadata.aspect_ratio', 'aspect_ratio'],
  sound: [
    'metadata.output_config.audio_generation',
    'metadata.audio_generation',
    'metadata.audio',
    'audio_generation',
    'sound',
  ],
  scene: ['metadata.scene_type'],
  negativePrompt: ['negative_prompt', 'metadata.negative_prompt', ...extInfoPaths('negative_prompt')],
  cfgScale: ['cfg_scale', 'metadata.cfg_scale', ...extInfoPaths('cfg_scale')],
  cameraControl: ['camera_control', 'metadata.camera_control', ...extInfoPaths('camera_control')],
  staticMask: ['static_mask'],
  dynamicMasks: ['dynamic_masks'],
  multiShot: ['multi_shot', ...extInfoPaths('multi_shot')],
  shotType: ['shot_type', ...extInfoPaths('shot_type')],
  shots: ['multi_prompt', ...extInfoPaths('multi_prompt')],
  voices: ['voice_list', ...extInfoPaths('voice_list')],
  elements: ['element_list', ...extInfoPaths('element_list')],
  characterOrientation: [
    'character_orientation',
    'metadata.character_orientation',
    ...extInfoPaths('character_orientation'),
  ],
  keepOriginalSound: [
    'keep_original_sound',
    'metadata.keep_original_sound',
    ...extInfoPaths('keep_original_sound'),
  ],
  soundFile: ['sound_file', 'metadata.sound_file', 'metadata.audio_url', ...extInfoPaths('sound_file')],
  audioId: ['audio_id', 'metadata.audio_id', ...extInfoPaths('audio_id')],
  sessionId: ['session_id', 'metadata.session_id', ...extInfoPaths('session_id')],
  faceChoose: ['face_choose', 'metadata.face_choose', ...extInfoPaths('face_choose')],
  watermark: ['watermark_info'],
  storageMode: ['metadata.output_config.storage_mode'],
  expireTime: ['metadata.output_config.expire_time'],
  mediaName: ['metadata.output_config.media_name'],
  classId: ['metadata.output_config.class_id'],
  externalTaskId: ['external_task_id'],
  callbackUrl: ['callback_url'],
} as const satisfies Record<string, readonly string[]>;

/**
 * The claim that wins, whatever order the claims come in; null when nobody claims. Sources outside the list (another
 * dialect's own) come after all listed ones, by name, so that the answer never depends on order.
 */
export function pick(claims: readonly Claim[], order: readonly string[]): Claim | null {
  if (claims.length < 2) return claims[0] ?? null;
  let best: Claim | null = null;
  let bestRank = 0;
  for (const claim of claims) {
    const index = order.indexOf(claim.source);
    const rank = index < 0 ? order.length : index;
    if (best === null || rank < bestRank || (rank === bestRank && claim.source < best.source)) {
      best = claim;
      bestRank = rank;
    }
  }
  return best;
}
