/**
 * A feature: what a family sells beside the films that every system makes from text and pictures (extending a film,
 * effects, pictures, sounds, voices, …). A family describes each one as data; its parameters are judged by that
 * description and kept in the family's own words.
 */
import type { Json } from '../../lib/json.ts';
import type { Warning } from '../errors.ts';
import type { Claim, Media, Sources, VideoRequest } from './types.ts';

/** Anything a task can be asked to make. */
export type TaskRequest = VideoRequest | FeatureRequest;

/** Whether a request is for a described feature rather than a film from text and pictures. */
export function isFeature(request: TaskRequest): request is FeatureRequest {
  return 'kind' in request;
}

/** What a feature makes: decides how its result is kept and shown. */
export type FeatureMakes = 'video' | 'image' | 'audio' | 'voice' | 'element' | 'data';

/** The wire's claims about a feature, named but not judged. */
export interface LooseFeature {
  /** Where it was asked for (`kling.video-extend`); lists filter by it. */
  surface: string;
  /** The feature, in the catalogue's words (`video-extend`). */
  operation: string;
  model: string | null;
  /** The body as it came, without envelope fields. Names are those of the family's own description. */
  fields: Record<string, unknown>;
  externalTaskId: unknown;
  callbackUrl: unknown;
  maxCost: unknown;
  /** Absent: nobody asked. */
  priority?: Claim;
}

/**
 * Things that belong to the account that made them and live on at the channel that made them. `video` and `audio` are
 * what finished tasks made; the others are made to be kept.
 */
export type ResourceKind = 'video' | 'audio' | 'voice' | 'element' | 'session';

/** A reference to such a thing: the public id as the caller wrote it, and where in `parameters` it stood. */
export interface ResourceUse {
  /** Path in `parameters`, e.g. `video_id`, `voice_list.0.voice_id`. */
  path: string;
  kind: ResourceKind;
  id: string;
  /** What the channel calls it; null until bound. A preset, which nobody owns, is called as the caller called it. */
  upstreamId: string | null;
}

/** What a place in a request takes. Sound may come in a film: only its sound is used. */
export type MediaRole = 'picture' | 'film' | 'sound';

/** A picture, film or sound of a feature, and where in `parameters` it stood. */
export interface MediaUse {
  /** Dotted path, e.g. `image`, `image_list.0.image`. */
  path: string;
  role: MediaRole;
  media: Media;
}

export interface FeatureRequest {
  kind: 'feature';
  family: string;
  operation: string;
  model: string;
  requestedModel: string;
  makes: FeatureMakes;
  /** True where the upstream answers at once and nothing is polled. */
  immediate: boolean;
  prompt: string;
  /** Whole seconds asked for; null where it has no length or the length is the source's. */
  seconds: number | null;
  /** How many results (pictures). */
  count: number;
  /** Judged, with defaults, in the family's own words. Places of media and resources hold null. */
  parameters: Record<string, Json>;
  media: MediaUse[];
  resources: ResourceUse[];
  watermark: boolean;
  retention: VideoRequest['retention'];
  /** Billed by the whole seconds of the output. */
  billsOutputLength?: boolean;
}

/** What a family's judgement of a feature yields, before it is priced. */
export interface ResolvedFeature {
  request: FeatureRequest;
  tier: string;
  /** Units charged, and the most that may be held. */
  quantity: number;
  quantityMax: number;
  sources: Sources;
  warnings: Warning[];
}
