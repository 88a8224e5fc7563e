/** What is sold, as families describe it. */
import type { Warning } from '../errors.ts';
import type { Currency } from '../money.ts';
import type { FeatureMakes, LooseFeature, ResolvedFeature } from '../request/feature.ts';
import type { SizeClaim } from '../request/frame.ts';
import type {
  CameraControl,
  DynamicMask,
  LooseVideo,
  Media,
  Quality,
  ReferenceVideo,
  Resolution,
  Shot,
  VideoOperation,
  VideoRequest,
} from '../request/types.ts';

/** What one model can do, as data: validation and the public model page both read it. */
export interface ModelSpec {
  id: string;
  title: string;
  /** Other public names of exactly this model; matched case-insensitively like `id`. */
  aliases: string[];
  operations: VideoOperation[];
  /** Seconds that may be asked for, ascending. */
  durations: number[];
  resolutions: Resolution[];
  aspectRatios: string[];
  /** Capability words, e.g. `end_frame`, `sound`, `multi_shot`, `references`, `camera_control`. */
  features: string[];
  /** Quality switches of films (`std`, `pro`, `4k`); absent: it has none. */
  modes?: string[];
  /** Tiers it can resolve to, those of its features included. */
  tiers?: string[];
  /** Known to providers and look-ups, not listed to callers. */
  hidden?: boolean;
}

/** A public name that stands for several models and settles on one by what is asked (seed 003's `kling-2.1`). */
export interface AliasSpec {
  id: string;
  title: string;
  /** Hidden aliases resolve but are not listed. */
  hidden: boolean;
  /** Models it may settle on. */
  models: string[];
  /** What the name itself narrows the models to; absent: all they do. */
  operations?: VideoOperation[];
  /** Features that one of the models has, but that never settle on it under this name. */
  lacks?: string[];
  /** Tiers it can resolve to; absent: those of its models. */
  tiers?: string[];
}

/** A row of the price book: what one unit of a tier costs. */
export interface PriceRow {
  tier: string;
  /** What is counted: `second`, `image`, `call`, … */
  unit: string;
  /** Thousandths of the maker's official unit per unit (0.2 units per second = 200). */
  officialMilliUnits: number;
  /** Narrowing by operation, model or surcharge; the most specific row wins. */
  operation?: string;
  model?: string;
  /** The row holds only for requests that carry this surcharge (`surchargeOf`). */
  surcharge?: string;
  /** Least quantity that is charged. */
  quantityMin?: number;
}

export interface PictureLimits {
  contentTypes: string[];
  bytesMax: number;
  /** Shortest side, pixels. */
  sideMin: number;
  /** Longer side divided by the shorter one. */
  ratioMax: number;
}

export interface Family {
  id: string;
  title: string;
  models: ModelSpec[];
  aliases: AliasSpec[];
  /** What a picture must be, wherever it comes from; checked on those whose bytes we have. */
  pictures: PictureLimits;
  /** Every tier there is (the closed list of the grammar). */
  tiers: string[];
  prices: PriceRow[];
  /**
   * Judges a request whose generic fields are resolved: settles the model, applies the family's defaults, refuses
   * what lies outside the capability matrix (GatewayError naming field and allowed values), names its tier.
   */
  resolveVideo(draft: VideoDraft): { request: VideoRequest; warnings: Warning[] };
  tierOf(request: VideoRequest): string;
  /** Units that are charged for this request (seconds; lip-sync has a minimum). */
  billableQuantity(request: VideoRequest): number;
  /** The most units that may be charged; differs from `billableQuantity` only where the output's length counts. */
  billableQuantityMax(request: VideoRequest): number;
  /** What makes this request dearer than its tier's plain price (`ref`, `voice`); null: nothing. */
  surchargeOf(request: VideoRequest): string | null;
  /** What it sells beside films from text and pictures, described as data. */
  features: FeatureSpec[];
  /** Judges a feature by its description; throws GatewayError naming the field and the allowed values. */
  resolveFeature(loose: LooseFeature): ResolvedFeature;
}

/** A feature as others may know it: for routing, the model page and the coverage table. */
export interface FeatureSpec {
  operation: string;
  title: string;
  makes: FeatureMakes;
  /** The upstream answers at once; nothing is polled. */
  immediate: boolean;
  /** Models it can be asked of; the first is the default. */
  models: string[];
  tiers: string[];
}

/**
 * What core hands to a family: the loose input and the generic fields resolved so far. Null means that nobody asked;
 * defaults are the family's.
 */
export interface VideoDraft {
  loose: LooseVideo;
  requestedModel: string;
  /** What each field's winning claim was; the family adds its defaults and derivations here. */
  sources: Record<string, string>;
  /** Empty where nothing was written. */
  prompt: string;
  negativePrompt: string | null;
  seconds: number | null;
  /** From the fields that name a grade; `size` and `mode` speak for themselves. */
  resolution: Resolution | null;
  size: SizeClaim | null;
  /** `W:H`, any ratio; the family says which ones it takes. */
  aspectRatio: string | null;
  sound: boolean | null;
  mode: Quality | null;
  motionLevel: 'std' | 'pro' | null;
  scene: VideoOperation | null;
  firstFrame: Media | null;
  /** Pictures in a list: references or a first frame, as the model has it. */
  images: Media[];
  /** Pictures that were named references. */
  references: Media[];
  /** Pictures that came with other files and without a role. */
  unassigned: Media[];
  lastFrame: Media | null;
  referenceVideo: ReferenceVideo | null;
  cfgScale: number | null;
  cameraControl: CameraControl | null;
  staticMask: Media | null;
  dynamicMasks: DynamicMask[];
  multiShot: boolean | null;
  shotType: 'customize' | 'intelligence' | null;
  shots: Shot[] | null;
  voiceIds: string[];
  elementIds: string[];
  characterOrientation: 'image' | 'video' | null;
  keepOriginalSound: boolean | null;
  audio: Media | null;
  watermark: boolean;
  retention: VideoRequest['retention'];
  compliance: VideoRequest['compliance'];
  extensions: VideoRequest['extensions'];
}

/** The price of one request before acceptance: estimate, hold and charge all come from here. */
export interface Quote {
  tier: string;
  unit: string;
  quantity: number;
  /** The most that may be charged where the length is only known at the end; otherwise equal to `quantity`. */
  quantityMax: number;
  /** Where the output's length counts: the least that is charged; absent: one. */
  quantityMin?: number;
  unitPriceMicros: bigint;
  /** What is held: quantityMax × unit price. */
  amountMicros: bigint;
  currency: Currency;
  priceBook: string;
}
