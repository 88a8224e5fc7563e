import type { SurfaceDefaults } from '../../core/request/types.ts';

/** One create route of the official platform with its queries. */
export interface KlingSurface {
  /** Last part of the path. */
  feature: string;
  title: string;
  description: string;
  defaults: SurfaceDefaults;
}

const shared = {
  mode: null,
  refusesInlineMedia: false,
  requiresAspectRatio: false,
  imagesMax: 3,
};

/** The official defaults of each route (specs/kling.md §3, §3.4; DECISIONS: `/kling/**` defaults the model). */
export const klingSurfaces: KlingSurface[] = [
  {
    feature: 'text2video',
    title: 'Text to video',
    description: 'A film from words.',
    defaults: { ...shared, surface: 'kling.text2video', model: 'kling-v1', operation: 'text-to-video' },
  },
  {
    feature: 'image2video',
    title: 'Image to video',
    description: 'A film that begins (`image`) or ends (`image_tail`) with a picture.',
    defaults: { ...shared, surface: 'kling.image2video', model: 'kling-v1', operation: 'image-to-video' },
  },
  {
    feature: 'omni-video',
    title: 'Omni video',
    description: 'A film from words, pictures, elements and a film, each named by its place in the prompt.',
    defaults: {
      ...shared,
      surface: 'kling.omni-video',
      model: 'kling-video-o1',
      mode: 'pro',
      operation: null,
      // Required unless a first frame or the film to be edited gives it.
      requiresAspectRatio: true,
      // An edit is as long as the film it edits.
      billsOutputLength: true,
      imagesMax: 7,
    },
  },
];
