/** A canonical request for tests of this provider: text to video, five seconds, nothing special. */
import type { VideoRequest } from '../../core/request/types.ts';

export function videoRequest(changes: Partial<VideoRequest> = {}): VideoRequest {
  return {
    family: 'kling',
    operation: 'text-to-video',
    model: 'kling-v1-6',
    requestedModel: 'kling-v1-6',
    prompt: 'a cat playing with yarn',
    negativePrompt: null,
    seconds: 5,
    resolution: '720P',
    quality: 'std',
    aspectRatio: '16:9',
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
    watermark: false,
    retention: { mode: null, expiresAt: null, mediaName: null, classId: null },
    compliance: {},
    extensions: {},
    ...changes,
  };
}
