/** Which door of a far gateway a request goes through. */
import type { VideoRequest } from '../../core/request/types.ts';
import type { RelayDialect } from './credential.ts';

const klingRoot = '/kling/v1/videos';

/** Kling's own routes, as gateways mount them (QuantumNous/new-api router/video-router.go has the first two). */
export const KLING_DOORS = {
  text2video: `${klingRoot}/text2video`,
  image2video: `${klingRoot}/image2video`,
  multiImage2video: `${klingRoot}/multi-image2video`,
  omniVideo: `${klingRoot}/omni-video`,
  motionControl: `${klingRoot}/motion-control`,
  avatar: `${klingRoot}/avatar/image2video`,
} as const;

/** Where everything can be asked for in one body (seed 003). */
export const VIDEOS_DOOR = '/v1/videos';

export type Door = (typeof KLING_DOORS)[keyof typeof KLING_DOORS] | typeof VIDEOS_DOOR;

const doors = new Set<string>([...Object.values(KLING_DOORS), VIDEOS_DOOR]);

export function isDoor(value: unknown): value is Door {
  return typeof value === 'string' && doors.has(value);
}

export const omniModels: ReadonlySet<string> = new Set(['kling-video-o1', 'kling-v3-omni']);

/** With the Kling dialect, too, what only `/v1/videos` takes goes there. */
export function doorFor(request: VideoRequest, dialect: RelayDialect): Door {
  if (dialect === 'openai' || needsVideosDoor(request)) return VIDEOS_DOOR;
  if (request.operation === 'motion-control') return KLING_DOORS.motionControl;
  if (request.operation === 'avatar') return KLING_DOORS.avatar;
  if (omniModels.has(request.model)) return KLING_DOORS.omniVideo;
  if (request.references.length > 0) return KLING_DOORS.multiImage2video;
  return request.firstFrame || request.lastFrame ? KLING_DOORS.image2video : KLING_DOORS.text2video;
}

function needsVideosDoor(request: VideoRequest): boolean {
  const { operation, firstFrame, referenceVideo, audio, extensions } = request;
  // Its native form takes two steps and a session between them.
  if (operation === 'lip-sync') return true;
  const isAsLongAsSource =
    operation === 'motion-control' || operation === 'avatar' || referenceVideo?.role === 'base';
  // Kling's doors have no seconds here and go by the source's length: who asked for seconds would pay for others.
  if (isAsLongAsSource && request.billsOutputLength !== true) return true;
  if (operation === 'motion-control') return !firstFrame || !referenceVideo;
  return operation === 'avatar' && (!firstFrame || (!audio && extensions['audio_id'] === undefined));
}
