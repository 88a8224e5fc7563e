/** Sounds (specs/kling.md §3.11). */
import type { FeatureDescription } from '../../../core/request/feature-field.ts';
import {
  filmSource,
  filmSourceOne,
  flag,
  number,
  required,
  resource,
  text,
  voiceLanguage,
  voiceSpeed,
  withoutModel,
} from './fields.ts';

const effectCharactersMax = 200;
const spokenCharactersMax = 1000;

const perCall = (
  operation: string,
  title: string,
  more: Pick<FeatureDescription, 'parameters' | 'prompt' | 'immediate'>,
): FeatureDescription => ({
  operation,
  title,
  makes: 'audio',
  models: withoutModel,
  bill: () => ({ tier: `kling-${operation}`, quantity: 1 }),
  tiersOf: () => [`kling-${operation}`],
  ...more,
});

export const audioFeatures: FeatureDescription[] = [
  perCall('text-to-audio', 'Sound effect from text', {
    immediate: false,
    parameters: {
      fields: {
        prompt: text(effectCharactersMax, required),
        duration: number(3, 10, { decimals: 1, ...required }),
      },
    },
    prompt: 'prompt',
  }),
  perCall('video-to-audio', 'Sound for a video', {
    immediate: false,
    parameters: {
      fields: {
        ...filmSource,
        sound_effect_prompt: text(effectCharactersMax),
        bgm_prompt: text(effectCharactersMax),
        asmr_mode: flag({ default: false }),
      },
      exactlyOne: [filmSourceOne],
    },
    prompt: 'sound_effect_prompt',
  }),
  perCall('text-to-speech', 'Speech from text', {
    immediate: true,
    parameters: {
      fields: {
        text: text(spokenCharactersMax, required),
        voice_id: resource('voice', required),
        voice_language: voiceLanguage,
        voice_speed: voiceSpeed,
      },
    },
    prompt: 'text',
  }),
];
