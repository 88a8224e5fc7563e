/** What an account makes to use again: voices and elements (specs/kling.md §3.13). */
import { invalid } from '../../../core/request/read.ts';
import type { FeatureDescription } from '../../../core/request/feature-field.ts';
import {
  film,
  list,
  object,
  picture,
  pictures,
  required,
  resource,
  sound,
  text,
  withoutModel,
  word,
} from './fields.ts';

const nameCharactersMax = 20;
const descriptionCharactersMax = 100;
const tags = Array.from({ length: 8 }, (_, index) => `o_10${index + 1}`);

const voice: FeatureDescription = {
  operation: 'custom-voice',
  title: 'Voice of your own',
  makes: 'voice',
  immediate: false,
  models: withoutModel,
  parameters: {
    fields: {
      voice_name: text(nameCharactersMax, required),
      voice_url: sound({ urlOnly: true }),
      video_id: resource('video'),
    },
    exactlyOne: [['voice_url', 'video_id']],
  },
  bill: () => ({ tier: 'kling-custom-voice', quantity: 1 }),
  tiersOf: () => ['kling-custom-voice'],
};

const element: FeatureDescription = {
  operation: 'custom-element',
  title: 'Element of your own',
  makes: 'element',
  immediate: false,
  models: withoutModel,
  parameters: {
    fields: {
      element_name: text(nameCharactersMax, required),
      element_description: text(descriptionCharactersMax, required),
      reference_type: word(['video_refer', 'image_refer'], required),
      element_image_list: object(
        { frontal_image: picture(required), refer_images: pictures('image_url', 1, 3, required) },
        { requiredWhen: { field: 'reference_type', is: ['image_refer'] } },
      ),
      element_video_list: object(
        {
          refer_videos: list(1, 1, object({ video_url: film(required) }, { bare: 'video_url' }), required),
        },
        { requiredWhen: { field: 'reference_type', is: ['video_refer'] } },
      ),
      element_voice_id: resource('voice'),
      tag_list: list(1, tags.length, object({ tag_id: word(tags, required) }, { bare: 'tag_id' })),
    },
  },
  prompt: 'element_description',
  check(asked) {
    const [other, type] =
      asked.parameters['reference_type'] === 'image_refer'
        ? ['element_video_list', 'video_refer']
        : ['element_image_list', 'image_refer'];
    if (asked.isGiven(other)) throw invalid(other, `goes with reference_type ${type} only: leave it out.`);
  },
  bill: () => ({ tier: 'kling-custom-element', quantity: 1 }),
  tiersOf: () => ['kling-custom-element'],
};

export const voiceAndElementFeatures: FeatureDescription[] = [voice, element];
