/** Faces that speak: the old way in one step, the new one in two (specs/kling.md §3.8). */
import { invalid, isObject } from '../../../core/request/read.ts';
import type { Bill, FeatureDescription } from '../../../core/request/feature-field.ts';
import { lipSyncSecondsMax, lipSyncSecondsMin } from '../limits.ts';
import {
  filmSource,
  filmSourceOne,
  integer,
  list,
  number,
  object,
  required,
  resource,
  sound,
  text,
  voiceLanguage,
  voiceSpeed,
  withoutModel,
  word,
} from './fields.ts';

/** As long as the film is that speaks, which is only known when it is made. */
const byOutput = (tier: string): Bill => ({
  tier,
  quantity: lipSyncSecondsMin,
  quantityMax: lipSyncSecondsMax,
  billsOutputLength: true,
});

/** §3.8; older clients' limit. */
const spokenCharactersMax = 120;
const speaks = { field: 'mode', is: ['text2video'] };

const classic: FeatureDescription = {
  operation: 'lip-sync-classic',
  title: 'Lip-sync in one step',
  makes: 'video',
  immediate: false,
  models: withoutModel,
  parameters: {
    fields: {
      input: object(
        {
          ...filmSource,
          mode: word(['text2video', 'audio2video'], required),
          text: text(spokenCharactersMax, { requiredWhen: speaks }),
          voice_id: resource('voice', { requiredWhen: speaks }),
          voice_language: voiceLanguage,
          voice_speed: voiceSpeed,
          audio_type: word(['url', 'file'], { requiredWhen: { field: 'mode', is: ['audio2video'] } }),
          audio_url: sound({ urlOnly: true, requiredWhen: { field: 'audio_type', is: ['url'] } }),
          audio_file: sound({ requiredWhen: { field: 'audio_type', is: ['file'] } }),
        },
        { ...required, exactlyOne: [filmSourceOne] },
      ),
    },
  },
  bill: () => byOutput('kling-lip-sync-classic'),
  tiersOf: () => ['kling-lip-sync-classic'],
};

const identify: FeatureDescription = {
  operation: 'identify-face',
  title: 'Find the faces of a video',
  makes: 'data',
  immediate: true,
  models: withoutModel,
  parameters: { fields: filmSource, exactlyOne: [filmSourceOne] },
  // `kling-identify-face` is what seed 003 bills a whole lip-sync by.
  bill: () => ({ tier: 'kling-identify-face-call', quantity: 1 }),
  tiersOf: () => ['kling-identify-face-call'],
};

/** §3.8, milliseconds: what is left of the sound after trimming, and the longest sound and film. */
const soundMsMin = 2000;
const filmMsMax = lipSyncSecondsMax * 1000;
const time = integer(0, filmMsMax, required);
const volume = number(0, 2, { default: 1 });

const advanced: FeatureDescription = {
  operation: 'lip-sync-advanced',
  title: 'Lip-sync of a chosen face',
  makes: 'video',
  immediate: false,
  models: withoutModel,
  parameters: {
    fields: {
      session_id: resource('session', required),
      face_choose: list(
        1,
        1,
        object(
          {
            face_id: { kind: 'id', ...required },
            audio_id: resource('audio'),
            sound_file: sound(),
            sound_start_time: time,
            sound_end_time: time,
            sound_insert_time: time,
            sound_volume: volume,
            original_audio_volume: volume,
          },
          { exactlyOne: [['audio_id', 'sound_file']] },
        ),
        required,
      ),
    },
  },
  check({ parameters }) {
    const [face] = Array.isArray(parameters['face_choose']) ? parameters['face_choose'] : [];
    if (!isObject(face)) return;
    const kept = Number(face['sound_end_time']) - Number(face['sound_start_time']);
    if (kept < soundMsMin) {
      throw invalid(
        'face_choose[0].sound_end_time',
        `must lie at least ${soundMsMin} ms after sound_start_time, not ${kept} ms.`,
      );
    }
    if (Number(face['sound_insert_time']) + kept > filmMsMax) {
      throw invalid(
        'face_choose[0].sound_insert_time',
        `puts the end of the sound behind ${filmMsMax} ms, where the longest film ends.`,
      );
    }
  },
  bill: () => byOutput('kling-lip-sync-advanced'),
  tiersOf: () => ['kling-lip-sync-advanced'],
};

export const lipSyncFeatures: FeatureDescription[] = [classic, identify, advanced];
