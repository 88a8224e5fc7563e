/** Requests resolved and priced as a door would do it, without a server. */
import assert from 'node:assert/strict';
import { createCatalogue } from '../../src/core/catalogue.ts';
import { GatewayError, type ErrorCode } from '../../src/core/errors.ts';
import type { Quote } from '../../src/core/ports.ts';
import { createPriceBook, quote } from '../../src/core/pricing.ts';
import type { SurfaceDefaults } from '../../src/core/request/types.ts';
import { resolveVideo, type JudgedVideo } from '../../src/core/request/video.ts';
import { looseVideo, videoGenerationRequest } from '../../src/dialects/kit/video-request.ts';
import * as families from '../../src/families/index.ts';

export const catalogue = createCatalogue(Object.values(families));
/** Public names that make films. */
export const filmNames = catalogue.models.filter((model) => model.operations.length > 0).map(({ id }) => id);
export const priceBook = createPriceBook(Object.values(families), 'USD');
/** 2026-11-20. */
export const now = Date.UTC(2026, 10, 20);

const video: SurfaceDefaults = {
  surface: 'openai.videos',
  model: null,
  mode: null,
  operation: null,
  refusesInlineMedia: false,
  requiresAspectRatio: false,
  imagesMax: 3,
};

export const doors = {
  videos: video,
  strictVideos: { ...video, refusesInlineMedia: true },
  text2video: { ...video, surface: 'kling.text2video', model: 'kling-v1', operation: 'text-to-video' },
  image2video: { ...video, surface: 'kling.image2video', model: 'kling-v1', operation: 'image-to-video' },
  omniVideo: {
    ...video,
    surface: 'kling.omni-video',
    model: 'kling-video-o1',
    mode: 'pro',
    requiresAspectRatio: true,
    imagesMax: 7,
    billsOutputLength: true,
  },
  motionControl: {
    ...video,
    surface: 'kling.motion-control',
    model: 'kling-v2-6',
    operation: 'motion-control',
    billsOutputLength: true,
    requires: {
      image: 'image_url',
      referenceVideo: 'video_url',
      characterOrientation: 'character_orientation',
      mode: 'mode',
    },
  },
  avatar: {
    ...video,
    surface: 'kling.avatar',
    model: 'kling-v2-6',
    operation: 'avatar',
    billsOutputLength: true,
    requires: { image: 'image', audio: 'sound_file' },
  },
  multiImage: {
    ...video,
    surface: 'kling.multi-image2video',
    model: 'kling-v1-6',
    operation: 'image-to-video',
    imagesMax: 4,
    requires: { references: 'image_list' },
  },
} satisfies Record<string, SurfaceDefaults>;

export type Body = Record<string, unknown>;
export type Door = keyof typeof doors;
/** Doors where ordinary films are asked for. */
export const filmDoors: Door[] = ['videos', 'strictVideos', 'text2video', 'image2video', 'omniVideo'];

/** Parses, resolves and prices a body at a door. */
export function resolve(body: Body, door: Door = 'videos'): JudgedVideo & { quote: Quote } {
  const parsed = videoGenerationRequest.parse(body);
  const resolution = resolveVideo(looseVideo(parsed, doors[door]), catalogue, { nowMs: now });
  return { ...resolution, quote: quote(resolution.request, resolution.family, priceBook) };
}

export function tierOf(body: Body, door: Door = 'videos'): string {
  return resolve(body, door).quote.tier;
}

export function warningsOf(body: Body, door: Door = 'videos'): string[] {
  return resolve(body, door).warnings.map((warning) => warning.code);
}

/** Asserts that a body is refused with this code, naming this field; answers the message. */
export function refused(body: Body, code: ErrorCode, param: string | null, door: Door = 'videos'): string {
  try {
    resolve(body, door);
  } catch (error) {
    assert.ok(error instanceof GatewayError, String(error));
    assert.equal(error.code, code, error.message);
    assert.equal(error.param, param, error.message);
    return error.publicMessage;
  }
  return assert.fail(`not refused: ${JSON.stringify(body)}`);
}

export const picture = 'https://example.com/first.png';
export const otherPicture = 'https://example.com/second.png';
export const film = 'https://example.com/film.mp4';
