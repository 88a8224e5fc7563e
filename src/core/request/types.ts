/**
 * The canonical request: what is left of the wire's claims after precedence, defaults and limits. No wire
 * spelling, no provider or dialect name. Families judge it, prices read it, providers translate it.
 */
import type { Json } from '../../lib/json.ts';

/** One claim of the wire about one field, not judged yet. `source` is the path as the caller spelled it. */
export interface Claim {
  source: string;
  value: unknown;
}

/**
 * Loose input: the wire's claims about a video, named but not judged. A dialect lists every claim it finds
 * (in any order); which of several wins is decided in `core/request/precedence.ts` by `source`.
 */
export interface LooseVideo {
  /** What this surface assumes where the caller says nothing. */
  surface: SurfaceDefaults;
  model: readonly Claim[];
  prompt: readonly Claim[];
  negativePrompt: readonly Claim[];
  seconds: readonly Claim[];
  resolution: readonly Claim[];
  size: readonly Claim[];
  mode: readonly Claim[];
  motionLevel: readonly Claim[];
  aspectRatio: readonly Claim[];
  sound: readonly Claim[];
  scene: readonly Claim[];
  /** Single first-frame picture: all claims must agree (specs/kling.md §8 row 26). */
  image: readonly Claim[];
  /** Pictures in a list (`images`), each a claim of its own. */
  images: readonly Claim[];
  lastFrame: readonly Claim[];
  referenceVideo: readonly Claim[];
  /** Media that arrived with its role already named (file_infos, omni's image_list and video_list). */
  files: LooseFile[];
  cfgScale: readonly Claim[];
  cameraControl: readonly Claim[];
  staticMask: readonly Claim[];
  dynamicMasks: readonly Claim[];
  multiShot: readonly Claim[];
  shotType: readonly Claim[];
  shots: readonly Claim[];
  voices: readonly Claim[];
  elements: readonly Claim[];
  characterOrientation: readonly Claim[];
  keepOriginalSound: readonly Claim[];
  watermark: readonly Claim[];
  storageMode: readonly Claim[];
  expireTime: readonly Claim[];
  mediaName: readonly Claim[];
  classId: readonly Claim[];
  /** Compliance switches: wire path -> value. */
  compliance: readonly Claim[];
  /** A JSON string (or object) of further fields, parsed by core (specs/kling.md §8 rows 17, 32). */
  extInfo: readonly Claim[];
  /** Sound files and sessions of scenes that speak (avatar, lip-sync). */
  audio: readonly Claim[];
  externalTaskId: readonly Claim[];
  callbackUrl: readonly Claim[];
  maxCost: readonly Claim[];
  /** Absent: nobody asked. */
  priority?: readonly Claim[];
}

export interface SurfaceDefaults {
  /** `openai.videos`, `kling.text2video`, …: where the task was asked for; lists filter by it. */
  surface: string;
  /** The model when the caller names none; null where the door requires one. */
  model: string | null;
  /** The quality switch when nothing says otherwise (native omni-video: `pro`). */
  mode: 'std' | 'pro' | null;
  /** What the path itself says is wanted; null where the body decides. */
  operation: VideoOperation | null;
  /** The strict spelling of the founding document: data URIs are refused on this door. */
  refusesInlineMedia: boolean;
  /** Absent aspect ratio is refused where the official route refuses it (native omni-video). */
  requiresAspectRatio: boolean;
  /** Most pictures in a list that this door takes. */
  imagesMax: number;
  /**
   * Where a job has no requested length by nature (an edit of a film, motion control), this door bills the output's
   * length: Kling's own routes (specs/kling.md §8 row 24). Elsewhere absent seconds are a request for the default.
   */
  billsOutputLength?: boolean;
  /** Fields that this route requires although others do without, by their name on its wire. */
  requires?: Partial<Record<RequiredField, string>>;
}

export type RequiredField =
  'image' | 'references' | 'referenceVideo' | 'characterOrientation' | 'mode' | 'audio';

/** A media item that says itself what it is for. */
export interface LooseFile {
  source: string;
  category: 'image' | 'video';
  /** null where the wire leaves it open (the family decides). */
  role: 'first_frame' | 'last_frame' | 'reference' | 'feature' | 'base' | null;
  media: Media;
  keepOriginalSound?: boolean;
}

export type VideoOperation = 'text-to-video' | 'image-to-video' | 'motion-control' | 'avatar' | 'lip-sync';
export type Resolution = '720P' | '1080P' | '4K';
export type AspectRatio = '16:9' | '9:16' | '1:1';
export type Quality = 'std' | 'pro' | '4k';

/**
 * A picture, sound or film of the caller's. `inline` and `upload` exist only between the edge and
 * `flows/admit-media.ts`, which checks the bytes and keeps them; a task in the store holds `url` and `stored`.
 */
export type Media =
  | { kind: 'url'; url: string; source: string }
  | { kind: 'inline'; text: string; source: string }
  | { kind: 'upload'; bytes: Uint8Array; filename: string | null; source: string }
  | { kind: 'file'; fileId: string; source: string }
  | {
      kind: 'stored';
      key: string;
      contentType: string;
      bytes: number;
      width: number | null;
      height: number | null;
      source: string;
    };

export interface Shot {
  index: number;
  prompt: string;
  seconds: number;
}

export interface ReferenceVideo {
  media: Media;
  /** `feature`: a style or motion reference; `base`: the film to be edited. */
  role: 'feature' | 'base';
  keepOriginalSound: boolean;
}

export interface CameraControl {
  type: string;
  config: Record<string, number> | null;
}

export interface DynamicMask {
  mask: Media;
  trajectories: { x: number; y: number }[];
}

export interface VideoRequest {
  family: string;
  operation: VideoOperation;
  /** A model of the family, after aliases: what will really be asked for. */
  model: string;
  /** As the caller wrote it. */
  requestedModel: string;
  prompt: string;
  negativePrompt: string | null;
  /** Whole seconds asked for. */
  seconds: number;
  /** Billed by the whole seconds of the output instead of the seconds asked for; absent: not. */
  billsOutputLength?: boolean;
  /** The grade that was asked for and is charged. */
  resolution: Resolution;
  /** The upstream's quality switch, possibly raised above the grade (with a warning); null where the model has none. */
  quality: Quality | null;
  /** null: follows the first frame. */
  aspectRatio: AspectRatio | null;
  sound: boolean;
  firstFrame: Media | null;
  lastFrame: Media | null;
  references: Media[];
  referenceVideo: ReferenceVideo | null;
  cfgScale: number | null;
  cameraControl: CameraControl | null;
  staticMask: Media | null;
  dynamicMasks: DynamicMask[];
  /** Several shots in one film: `customize` brings its own list, `intelligence` leaves it to the model. */
  multiShot: { type: 'customize' | 'intelligence'; shots: Shot[] } | null;
  voiceIds: string[];
  elementIds: string[];
  /** Public id -> what the channel calls it, of voices and elements that the account owns. */
  upstreamIds?: Record<string, string>;
  motion: { level: 'std' | 'pro'; orientation: 'image' | 'video'; keepOriginalSound: boolean } | null;
  /** Sound for scenes that speak; null elsewhere. */
  audio: Media | null;
  watermark: boolean;
  retention: {
    mode: 'temporary' | 'permanent' | null;
    /** Unix ms; null: the operator's default. */
    expiresAt: number | null;
    mediaName: string | null;
    classId: number | null;
  };
  /** Switches that were asked to be off (`input`, `output`, …) by wire path; only some upstreams have them. */
  compliance: Record<string, Json>;
  /** Allow-listed native fields that have no canonical word; a provider lays them down first. */
  extensions: Record<string, Json>;
}

/** Where each resolved field came from: canonical field -> wire path, `default`, or `derived:<why>`. */
export type Sources = Record<string, string>;

/** Dry-run and pricing facts that go with a request from the resolver to the flow. */
export interface ResolvedVideo {
  request: VideoRequest;
  sources: Sources;
  warnings: import('../errors.ts').Warning[];
  externalTaskId: string | null;
  callbackUrl: string | null;
  /** The highest amount the caller accepts, micro-units; null: any. */
  maxCostMicros: bigint | null;
  /** Among the account's own waiting tasks: higher first; 0 where nobody asked. */
  priority: number;
}
