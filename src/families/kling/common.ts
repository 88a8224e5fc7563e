/** The part of a canonical request that no rule touches, with everything else empty. */
import type { VideoRequest } from '../../core/request/types.ts';
import type { Case } from './refuse.ts';

/** What every operation starts from. */
export function common({ draft, model, operation }: Case): VideoRequest {
  return {
    family: 'kling',
    operation,
    model: model.id,
    requestedModel: draft.requestedModel,
    prompt: draft.prompt,
    negativePrompt: null,
    seconds: 0,
    resolution: '720P',
    quality: null,
    aspectRatio: null,
    sound: false,
    firstFrame: null,
    lastFrame: null,
    references: [],
    referenceVideo: null,
    cfgScale: null,
    cameraControl: null,
    staticMask: null,
    dynamicMasks: [],
    multiShot: null,
    voiceIds: [],
    elementIds: [],
    motion: null,
    audio: null,
    watermark: draft.watermark,
    retention: draft.retention,
    compliance: draft.compliance,
    extensions: draft.extensions,
  };
}
