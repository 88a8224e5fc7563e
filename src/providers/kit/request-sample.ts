/** A canonical request for tests of providers: text to video, five seconds, nothing special. */
import type { Media, VideoRequest } from '../../core/request/types.ts';

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

export function urlMedia(url: string): Media {
  return { kind: 'url', url, source: 'image' };
}

export function storedMedia(bytes: number, contentType = 'image/png'): Media {
  return { kind: 'stored', key: 'inputs/a', contentType, bytes, width: 640, height: 480, source: 'image' };
}

/** A film beside the prompt, as motion control and editing take it. */
export function filmMedia(role: 'feature' | 'base' = 'feature'): NonNullable<VideoRequest['referenceVideo']> {
  return { media: urlMedia('https://media.example/film.mp4'), role, keepOriginalSound: true };
}
