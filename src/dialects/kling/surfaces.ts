/** Routes of films that are made from text and pictures: what each assumes, and what its body is. */
import type { z } from 'zod';
import { GatewayError } from '../../core/errors.ts';
import { isGiven } from '../../core/request/read.ts';
import type { Claim, LooseVideo, SurfaceDefaults } from '../../core/request/types.ts';
import { klingVideoBody } from '../kit/request-examples.ts';
import { looseVideo, type VideoRequestBody } from '../kit/video-request.ts';
import { avatarBody, motionBody, multiImageBody } from './bodies/videos.ts';

/** One create route of the official platform with its queries. */
export interface KlingSurface {
  /** Last part of the path, below `/kling/v1/videos`. */
  feature: string;
  title: string;
  description: string;
  body: z.ZodType;
  defaults: SurfaceDefaults;
  /** Reads a body that has fields of this route alone. */
  read?(body: VideoRequestBody, defaults: SurfaceDefaults): LooseVideo;
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
    body: klingVideoBody,
    defaults: { ...shared, surface: 'kling.text2video', model: 'kling-v1', operation: 'text-to-video' },
  },
  {
    feature: 'image2video',
    title: 'Image to video',
    description: 'A film that begins (`image`) or ends (`image_tail`) with a picture.',
    body: klingVideoBody,
    defaults: { ...shared, surface: 'kling.image2video', model: 'kling-v1', operation: 'image-to-video' },
  },
  {
    feature: 'omni-video',
    title: 'Omni video',
    description: 'A film from words, pictures, elements and a film, each named by its place in the prompt.',
    body: klingVideoBody,
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
  {
    feature: 'multi-image2video',
    title: 'Multi-image to video',
    description: 'A film from one to four pictures of things that are to appear in it.',
    body: multiImageBody,
    defaults: {
      ...shared,
      surface: 'kling.multi-image2video',
      model: 'kling-v1-6',
      operation: 'image-to-video',
      imagesMax: 4,
    },
    read: looseMultiImage,
  },
  {
    feature: 'motion-control',
    title: 'Motion control',
    description: 'A person in a picture moves as a person in a film does; as long as that film.',
    body: motionBody,
    defaults: {
      ...shared,
      surface: 'kling.motion-control',
      model: 'kling-v2-6',
      operation: 'motion-control',
      billsOutputLength: true,
      // §3.5; the other doors take seed 003's shorter forms.
      requires: {
        image: 'image_url',
        referenceVideo: 'video_url',
        characterOrientation: 'character_orientation',
        mode: 'mode',
      },
    },
    read: looseMotion,
  },
  {
    feature: 'avatar/image2video',
    title: 'Avatar',
    description: 'A person in a picture speaks; as long as the sound.',
    body: avatarBody,
    defaults: {
      ...shared,
      surface: 'kling.avatar',
      model: 'kling-v2-6',
      operation: 'avatar',
      billsOutputLength: true,
      // §3.9: one of sound_file and audio_id.
      requires: { image: 'image', audio: 'sound_file' },
    },
  },
];

/** Pictures that came by any other name will do, but what is missing here is the list (§3.3). */
function looseMultiImage(body: VideoRequestBody, defaults: SurfaceDefaults): LooseVideo {
  const loose = looseVideo(body, defaults);
  if (loose.image.length > 0 || loose.images.length > 0 || loose.files.length > 0) return loose;
  throw new GatewayError('missing_required_parameter', 'image_list is required: one to four {image}.', {
    param: 'image_list',
  });
}

/** Motion control has its picture and its film on the top level (§3.5). */
function looseMotion(body: VideoRequestBody, defaults: SurfaceDefaults): LooseVideo {
  const loose = looseVideo(body, defaults);
  const own = (source: string): Claim[] => (isGiven(body[source]) ? [{ source, value: body[source] }] : []);
  const referenceVideo = [...own('video_url'), ...loose.referenceVideo];
  if (referenceVideo.length === 0 && !loose.files.some(({ category }) => category === 'video')) {
    throw new GatewayError(
      'missing_required_parameter',
      'video_url is required for motion control: a public https URL.',
      { param: 'video_url' },
    );
  }
  return { ...loose, image: [...own('image_url'), ...loose.image], referenceVideo };
}
