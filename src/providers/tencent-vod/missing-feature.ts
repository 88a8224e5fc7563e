/** What VOD cannot do of a feature, as a sentence. Pure: routing asks it for every candidate. */
import type { FeatureRequest } from '../../core/request/feature.ts';
import { missingRoom } from './missing.ts';
import { vodImageModels } from './models.ts';

const selection = 'this upstream has no multi-element editing';
const sounds = 'this upstream makes no sounds with Kling';

/** Features that VOD has no action for. */
const absent: Readonly<Record<string, string>> = {
  'video-extend': 'this upstream does not extend films',
  'lip-sync-classic':
    'this upstream has no lip-sync in one step; identify-face and then lip-sync-advanced do the same',
  effects: 'this upstream has no effects of Kling',
  'multi-elements-init': selection,
  'multi-elements-add-selection': selection,
  'multi-elements-delete-selection': selection,
  'multi-elements-clear-selection': selection,
  'multi-elements-preview-selection': selection,
  'multi-elements': selection,
  'image-recognize': 'this upstream does not take pictures apart',
  'text-to-audio': sounds,
  'video-to-audio': sounds,
  'text-to-speech': 'this upstream speaks no words with Kling',
  'virtual-try-on': 'the try-on of this upstream is another model than Kolors',
  'ai-multi-shot': 'this upstream makes no further views of a subject',
};

/** The default of the platform: what an upstream does that is not told. */
const imageFidelityDefault = 0.5;

/** Null when it can. */
export function missingForFeature(request: FeatureRequest): string | null {
  const { operation } = request;
  if (Object.hasOwn(absent, operation)) return absent[operation]!;
  const media = missingMedia(request);
  if (media !== null) return media;
  if (request.watermark) return 'this upstream makes no watermarked copy';
  switch (operation) {
    case 'text-to-image':
    case 'multi-image-to-image':
    case 'omni-image':
      return missingImage(request);
    case 'identify-face':
    case 'custom-voice':
      return request.resources.some(({ kind }) => kind === 'video')
        ? 'this upstream gives its films no ids; send the film or sound by URL'
        : null;
    case 'lip-sync-advanced':
      return request.resources.some(({ kind }) => kind === 'audio')
        ? 'this upstream makes no sounds, so it knows none by audio_id; send a sound_file'
        : null;
    case 'image-expand':
    case 'custom-element':
      return null;
    default:
      return `${operation} is not offered by this upstream`;
  }
}

function missingImage({ operation, model, parameters }: FeatureRequest): string | null {
  const known = Object.hasOwn(vodImageModels, model) ? vodImageModels[model]! : null;
  if (!known?.operations.includes(operation)) {
    const able = Object.keys(vodImageModels).filter((id) =>
      vodImageModels[id]!.operations.includes(operation),
    );
    return `${model} makes no ${operation} at this upstream; ${able.join(' and ')} ${able.length > 1 ? 'do' : 'does'}`;
  }
  for (const name of ['scene_image', 'style_image']) {
    if (name in parameters) return `this upstream takes no ${name} beside the subjects`;
  }
  if (parameters['result_type'] === 'series') {
    return 'this upstream makes single pictures, no series; n asks for several';
  }
  const fidelity = parameters['image_fidelity'];
  if (fidelity !== undefined && fidelity !== imageFidelityDefault) {
    return `this upstream takes no image_fidelity; it works at the default of ${imageFidelityDefault}`;
  }
  return null;
}

/** Actions that take links and no data. */
const byUrlOnly = new Set(['identify-face', 'custom-voice', 'custom-element']);

function missingMedia({ operation, media }: FeatureRequest): string | null {
  const held = byUrlOnly.has(operation) ? media.find((use) => use.media.kind !== 'url') : undefined;
  if (held) return `this upstream takes ${held.path} by URL only`;
  return missingRoom(media.map((use) => use.media));
}
