/**
 * Everything else of the legacy standard (specs/kling.md §3): which operation each path asks for, with which body. A
 * new endpoint is one more row.
 */
import type { z } from 'zod';
import {
  addSelectionBody,
  clearSelectionBody,
  deleteSelectionBody,
  initSelectionBody,
  multiElementsBody,
  previewSelectionBody,
} from './bodies/multi-elements.ts';
import {
  customElementBody,
  expandBody,
  generationsBody,
  multiImageToImageBody,
  multiShotBody,
  omniImageBody,
  tryOnBody,
} from './bodies/images.ts';
import { customVoiceBody, textToAudioBody, ttsBody, videoToAudioBody } from './bodies/sounds.ts';
import {
  advancedLipSyncBody,
  effectsBody,
  extendBody,
  identifyFaceBody,
  imageRecognizeBody,
  lipSyncBody,
} from './bodies/videos.ts';

export interface KlingFeature {
  operation: string;
  /** Below `/kling/v1`. Its last part names the surface. */
  path: string;
  /** Other spellings of the path that clients use. */
  alsoAt?: string[];
  title: string;
  description: string;
  tag: keyof typeof tags;
  body: z.ZodType;
  /** `task`: a task with its queries; `data`: the answer itself, at once. */
  answers: 'task' | 'data';
  /** Its results tell whether what was made is still there. */
  makesElements?: true;
}

export const tags = {
  videos: 'Videos (Kling)',
  sounds: 'Sounds (Kling)',
  images: 'Images (Kling)',
  belongings: 'Voices and elements (Kling)',
} as const;

const selection = '/videos/multi-elements';

export const klingFeatures: KlingFeature[] = [
  {
    operation: 'video-extend',
    path: '/videos/video-extend',
    title: 'Extend a video',
    description: 'A film of yours goes on for four to five seconds more.',
    tag: 'videos',
    body: extendBody,
    answers: 'task',
  },
  {
    operation: 'lip-sync-classic',
    path: '/videos/lip-sync',
    title: 'Lip-sync in one step',
    description: 'A face in a film speaks a text or a sound.',
    tag: 'videos',
    body: lipSyncBody,
    answers: 'task',
  },
  {
    operation: 'identify-face',
    path: '/videos/identify-face',
    // The documentation prints it once with a capital letter; paths are otherwise told apart by case.
    alsoAt: ['/videos/Identify-face', '/videos/Identify-Face', '/videos/identify-Face'],
    title: 'Identify faces',
    description: 'Finds the faces of a film, for advanced-lip-sync. Answered at once.',
    tag: 'videos',
    body: identifyFaceBody,
    answers: 'data',
  },
  {
    operation: 'lip-sync-advanced',
    path: '/videos/advanced-lip-sync',
    title: 'Lip-sync of a chosen face',
    description: 'A face that identify-face found speaks a sound.',
    tag: 'videos',
    body: advancedLipSyncBody,
    answers: 'task',
  },
  {
    operation: 'effects',
    path: '/videos/effects',
    title: 'Effects',
    description: 'A ready-made effect on one picture, or on two people.',
    tag: 'videos',
    body: effectsBody,
    answers: 'task',
  },
  {
    operation: 'multi-elements-init',
    path: `${selection}/init-selection`,
    title: 'Multi-elements: open a film',
    description: 'Opens a film to be marked and answers the session. Answered at once.',
    tag: 'videos',
    body: initSelectionBody,
    answers: 'data',
  },
  {
    operation: 'multi-elements-add-selection',
    path: `${selection}/add-selection`,
    title: 'Multi-elements: mark',
    description: 'Marks a thing in a frame and answers its outline. Answered at once.',
    tag: 'videos',
    body: addSelectionBody,
    answers: 'data',
  },
  {
    operation: 'multi-elements-delete-selection',
    path: `${selection}/delete-selection`,
    title: 'Multi-elements: unmark',
    description: 'Takes points of a mark back. Answered at once.',
    tag: 'videos',
    body: deleteSelectionBody,
    answers: 'data',
  },
  {
    operation: 'multi-elements-clear-selection',
    path: `${selection}/clear-selection`,
    title: 'Multi-elements: clear',
    description: 'Takes all marks of a session back. Answered at once.',
    tag: 'videos',
    body: clearSelectionBody,
    answers: 'data',
  },
  {
    operation: 'multi-elements-preview-selection',
    path: `${selection}/preview-selection`,
    title: 'Multi-elements: preview',
    description: 'Shows the marks through the whole film. Answered at once.',
    tag: 'videos',
    body: previewSelectionBody,
    answers: 'data',
  },
  {
    operation: 'multi-elements',
    path: selection,
    title: 'Multi-elements',
    description: 'Replaces or removes what was marked, or adds something.',
    tag: 'videos',
    body: multiElementsBody,
    answers: 'task',
  },
  {
    operation: 'image-recognize',
    path: '/videos/image-recognize',
    title: 'Recognise a picture',
    description: 'Cuts out what a picture shows. Answered at once.',
    tag: 'images',
    body: imageRecognizeBody,
    answers: 'task',
  },
  {
    operation: 'text-to-audio',
    path: '/audio/text-to-audio',
    title: 'Text to audio',
    description: 'A sound from words.',
    tag: 'sounds',
    body: textToAudioBody,
    answers: 'task',
  },
  {
    operation: 'video-to-audio',
    path: '/audio/video-to-audio',
    title: 'Video to audio',
    description: 'Sound for a film; answers the film with it, and the sound alone.',
    tag: 'sounds',
    body: videoToAudioBody,
    answers: 'task',
  },
  {
    operation: 'text-to-speech',
    path: '/audio/tts',
    title: 'Text to speech',
    description: 'A text is spoken. Answered at once.',
    tag: 'sounds',
    body: ttsBody,
    answers: 'task',
  },
  {
    operation: 'text-to-image',
    path: '/images/generations',
    title: 'Images',
    description: 'Pictures from words, or from a picture.',
    tag: 'images',
    body: generationsBody,
    answers: 'task',
  },
  {
    operation: 'multi-image-to-image',
    path: '/images/multi-image2image',
    title: 'Multi-image to image',
    description: 'Pictures from pictures of things, a scene and a style.',
    tag: 'images',
    body: multiImageToImageBody,
    answers: 'task',
  },
  {
    operation: 'omni-image',
    path: '/images/omni-image',
    title: 'Omni image',
    description: 'Pictures from words, pictures and elements, also as a series.',
    tag: 'images',
    body: omniImageBody,
    answers: 'task',
  },
  {
    operation: 'image-expand',
    path: '/images/editing/expand',
    title: 'Expand an image',
    description: 'A picture is continued beyond its edges.',
    tag: 'images',
    body: expandBody,
    answers: 'task',
  },
  {
    operation: 'virtual-try-on',
    path: '/images/kolors-virtual-try-on',
    title: 'Virtual try-on',
    description: 'A person in other clothes.',
    tag: 'images',
    body: tryOnBody,
    answers: 'task',
  },
  {
    operation: 'ai-multi-shot',
    path: '/general/ai-multi-shot',
    title: 'AI multi-shot',
    description: 'Further views of a thing, for an element.',
    tag: 'images',
    body: multiShotBody,
    answers: 'task',
  },
  {
    operation: 'custom-voice',
    path: '/general/custom-voices',
    title: 'Custom voices',
    description: 'A voice of your own. It belongs to your account and goes wherever a voice_id is taken.',
    tag: 'belongings',
    body: customVoiceBody,
    answers: 'task',
  },
  {
    operation: 'custom-element',
    path: '/general/advanced-custom-elements',
    alsoAt: ['/general/custom-elements'],
    title: 'Custom elements',
    description:
      'An element of your own. It belongs to your account and goes wherever an element_id is taken.',
    tag: 'belongings',
    body: customElementBody,
    answers: 'task',
    makesElements: true,
  },
];

/** `kling.video-extend`: lists filter by it. */
export function surfaceOf(feature: KlingFeature): string {
  return `kling.${feature.path.slice(feature.path.lastIndexOf('/') + 1)}`;
}
