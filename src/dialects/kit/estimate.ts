/** The answer of a dry run: the price, and the request as it was understood. */
import { z } from 'zod';
import { formatMicros } from '../../core/money.ts';
import type { Estimate, FeatureEstimate } from '../../core/ports.ts';
import type { Media, ResolvedVideo, VideoRequest } from '../../core/request/types.ts';
import { warningSchema } from './warnings.ts';

const amount = (description: string) => z.string().meta({ description, examples: ['0.70'] });

/** What is said of a picture or film: where it stood and how it came, never its bytes. */
const mediaObject = z.looseObject({
  kind: z.string(),
  source: z.string(),
  url: z.string().optional(),
  characters: z.number().optional(),
  bytes: z.number().optional(),
  filename: z.string().nullable().optional(),
  file_id: z.string().optional(),
});
type MediaObject = z.output<typeof mediaObject>;
const media = mediaObject.nullable().optional();
const filmObject = mediaObject.extend({
  role: z.string().optional().meta({ description: 'feature: a film to go by; base: a film to be edited.' }),
  keep_original_sound: z.boolean().optional(),
});
const anything = z.record(z.string(), z.unknown());
const text = z.string().nullable().optional();

/** Shown where they were used. */
const rarelyUsedShape = {
  cfg_scale: z.number().optional(),
  camera_control: anything.optional(),
  static_mask: media,
  dynamic_masks: z.array(z.looseObject({ mask: media, trajectories: z.number() })).optional(),
  multi_shot: anything.optional(),
  voice_ids: z.array(z.string()).optional(),
  element_ids: z.array(z.string()).optional(),
  motion_level: z.string().optional(),
  character_orientation: z.string().optional(),
  keep_original_sound: z.boolean().optional(),
  audio: media,
  storage_mode: z.string().optional(),
  expire_time: z.string().optional(),
  media_name: z.string().optional(),
  class_id: z.number().optional(),
  compliance: anything.optional(),
  extensions: anything.optional(),
};

export const estimateSchema = z
  .looseObject({
    object: z.literal('estimate'),
    model: z.string().meta({ description: 'The billing tier.' }),
    requested_model: z.string(),
    unit: z.string(),
    quantity: z.number(),
    quantity_max: z
      .number()
      .optional()
      .meta({ description: 'Only where the length is known at the end: the most that may be charged.' }),
    unit_price: amount('Price of one unit, a decimal.'),
    amount: amount('What would be held, a decimal.'),
    currency: z.string(),
    balance_after: amount('What the wallet could still spend afterwards, a decimal.'),
    warnings: z.array(warningSchema),
    canonical: z
      .looseObject({
        operation: z.string(),
        model: z.string(),
        resolution: z.string().optional(),
        aspect_ratio: z.string().nullable().optional(),
        seconds: z.number().nullable(),
        sound: z.boolean().optional(),
        mode: z.string().nullable().optional(),
        count: z.number().nullable().optional().meta({ description: 'Of a feature: how many pictures.' }),
        parameters: anything.optional().meta({
          description: "Of a feature: what was asked for, with defaults, in Kling's words.",
        }),
        media: z
          .array(mediaObject.extend({ path: z.string() }))
          .optional()
          .meta({ description: 'Of a feature: pictures, sounds and films, by their places in parameters.' }),
        resources: z
          .array(z.looseObject({ path: z.string(), kind: z.string(), id: z.string() }))
          .optional()
          .meta({ description: 'Of a feature: voices, elements, sessions and earlier films it names.' }),
        prompt: z.string(),
        negative_prompt: text,
        first_frame: media,
        last_frame: media,
        references: z.array(media).optional(),
        reference_video: filmObject.nullable().optional(),
        ...rarelyUsedShape,
        watermark: z.boolean().optional(),
        external_task_id: text,
        callback_url: text,
        max_cost: text,
        sources: z.record(z.string(), z.string()).meta({
          description: 'Where each field came from: its place in the request, or why it was derived.',
        }),
      })
      .meta({ description: 'The request as it was understood.' }),
  })
  .meta({
    id: 'Estimate',
    description: 'What a request would cost. Nothing was created.',
    examples: [
      {
        object: 'estimate',
        model: 'kling-2.5-720p-mute',
        requested_model: 'kling-2.5',
        unit: 'second',
        quantity: 5,
        unit_price: '0.042',
        amount: '0.21',
        currency: 'USD',
        balance_after: '9999.79',
        warnings: [],
        canonical: {
          operation: 'text-to-video',
          model: 'kling-v2-5-turbo',
          resolution: '720P',
          aspect_ratio: '16:9',
          seconds: 5,
          sound: false,
          mode: 'std',
          prompt: 'A cat playing with a ball of yarn in a sunny room',
          sources: { model: 'model', seconds: 'seconds', resolution: 'default', aspect_ratio: 'default' },
        },
      },
    ],
  });

export type EstimateObject = z.output<typeof estimateSchema>;

/** Renders a dry run; money as decimal strings, media as what they are, never their bytes. */
export function estimateObject(estimate: Estimate): EstimateObject {
  return { ...priced(estimate), canonical: canonicalObject(estimate.resolved) };
}

/** The same of a feature. */
export function featureEstimateObject(estimate: FeatureEstimate): EstimateObject {
  const { request, sources } = estimate.resolved;
  return {
    ...priced(estimate),
    canonical: {
      operation: request.operation,
      model: request.model,
      prompt: request.prompt,
      seconds: request.seconds,
      count: request.count,
      parameters: withoutBigints(request.parameters) as Record<string, unknown>,
      media: request.media.map(({ path, media }) => ({ path, ...mediaSummary(media) })),
      resources: request.resources.map(({ path, kind, id }) => ({ path, kind, id })),
      watermark: request.watermark,
      sources,
    },
  };
}

function priced(estimate: Estimate | FeatureEstimate) {
  const { quote, resolved } = estimate;
  return {
    object: 'estimate' as const,
    model: quote.tier,
    requested_model: resolved.request.requestedModel,
    unit: quote.unit,
    quantity: quote.quantity,
    ...(quote.quantityMax === quote.quantity ? {} : { quantity_max: quote.quantityMax }),
    unit_price: formatMicros(quote.unitPriceMicros),
    amount: formatMicros(quote.amountMicros),
    currency: quote.currency,
    balance_after: formatMicros(estimate.balanceAfterMicros),
    warnings: estimate.warnings.map(({ code, field, message }) => ({ code, field, message })),
  };
}

function canonicalObject(resolved: ResolvedVideo): EstimateObject['canonical'] {
  const { request } = resolved;
  return {
    operation: request.operation,
    model: request.model,
    resolution: request.resolution,
    aspect_ratio: request.aspectRatio,
    seconds: request.seconds,
    sound: request.sound,
    mode: request.quality,
    prompt: request.prompt,
    negative_prompt: request.negativePrompt,
    first_frame: mediaSummary(request.firstFrame),
    last_frame: mediaSummary(request.lastFrame),
    references: request.references.map(mediaSummary),
    reference_video: request.referenceVideo && {
      ...mediaSummary(request.referenceVideo.media),
      role: request.referenceVideo.role,
      keep_original_sound: request.referenceVideo.keepOriginalSound,
    },
    watermark: request.watermark,
    ...rarelyUsed(request),
    external_task_id: resolved.externalTaskId,
    callback_url: resolved.callbackUrl,
    max_cost: resolved.maxCostMicros === null ? null : formatMicros(resolved.maxCostMicros),
    sources: Object.fromEntries(
      Object.entries(resolved.sources).map(([field, source]) => [snakeCase(field), source]),
    ),
  };
}

/** Fields most requests have not: shown where they were used. */
function rarelyUsed(request: VideoRequest): Record<string, unknown> {
  const { motion, retention } = request;
  const fields = {
    cfg_scale: request.cfgScale,
    camera_control: request.cameraControl,
    static_mask: mediaSummary(request.staticMask),
    dynamic_masks: orNull(
      request.dynamicMasks.map((each) => ({
        mask: mediaSummary(each.mask),
        trajectories: each.trajectories.length,
      })),
    ),
    multi_shot: request.multiShot,
    voice_ids: orNull(request.voiceIds),
    element_ids: orNull(request.elementIds),
    motion_level: motion && motion.level,
    character_orientation: motion && motion.orientation,
    keep_original_sound: motion && motion.keepOriginalSound,
    audio: mediaSummary(request.audio),
    storage_mode: retention.mode,
    expire_time: retention.expiresAt === null ? null : new Date(retention.expiresAt).toISOString(),
    media_name: retention.mediaName,
    class_id: retention.classId,
    compliance: Object.keys(request.compliance).length === 0 ? null : withoutBigints(request.compliance),
    extensions: Object.keys(request.extensions).length === 0 ? null : withoutBigints(request.extensions),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

function orNull<Item>(list: Item[]): Item[] | null {
  return list.length === 0 ? null : list;
}

/** What a media item is and where it stood in the request. */
function mediaSummary(media: Media): MediaObject;
function mediaSummary(media: Media | null): MediaObject | null;
function mediaSummary(media: Media | null): MediaObject | null {
  if (media === null) return null;
  const { kind, source } = media;
  if (kind === 'url') return { kind, url: media.url, source };
  if (kind === 'inline') return { kind, characters: media.text.length, source };
  if (kind === 'upload') return { kind, bytes: media.bytes.byteLength, filename: media.filename, source };
  if (kind === 'file') return { kind, file_id: media.fileId, source };
  const { contentType, bytes, width, height } = media;
  return { kind, content_type: contentType, bytes, width, height, source };
}

/** Ids above 2^53 leave as text: an answer holds no bigint. */
function withoutBigints(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? part.toString() : part)),
  );
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
