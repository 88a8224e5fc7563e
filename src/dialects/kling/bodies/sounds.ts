/** Bodies of sounds and voices (specs/kling.md §3.11, §3.13). */
import { flag, id, media, text, textOrNumber } from '../../kit/fields.ts';
import { plainBody, prompt, taskBody, videoId, videoUrl } from './body.ts';

export const textToAudioBody = taskBody(
  'KlingTextToAudioRequest',
  'A sound from words.',
  {
    prompt: prompt('What is heard', 200),
    duration: textOrNumber('Seconds, 3 to 10, with at most one decimal.', [5]),
  },
  { prompt: 'Rain on a tin roof', duration: 5 },
);

export const videoToAudioBody = taskBody(
  'KlingVideoToAudioRequest',
  'Sound for a film that has none.',
  {
    video_id: videoId,
    video_url: videoUrl,
    sound_effect_prompt: prompt('What is heard', 200),
    bgm_prompt: prompt('What music plays', 200),
    asmr_mode: flag('Close and detailed sounds.'),
  },
  { video_url: 'https://example.com/rain.mp4', sound_effect_prompt: 'Rain on a tin roof' },
);

export const ttsBody = taskBody(
  'KlingTtsRequest',
  'A text is spoken.',
  {
    text: prompt('What is spoken', 1000),
    voice_id: text('Who speaks.', ['genshin_vindi2']),
    voice_language: text('zh or en.', ['en']),
    voice_speed: textOrNumber('0.8 to 2 (1).', [1]),
  },
  { text: 'Good morning!', voice_id: 'genshin_vindi2', voice_language: 'en' },
);

export const customVoiceBody = taskBody(
  'KlingCustomVoiceRequest',
  'A voice of your own, from a recording.',
  {
    voice_name: prompt('Its name', 20),
    voice_url: media('The recording: mp3, wav, mp4 or mov, 5 to 30 seconds, one voice.'),
    video_id: videoId,
  },
  { voice_name: 'Anna', voice_url: 'https://example.com/anna.mp3' },
);

export const deleteVoiceBody = plainBody(
  'KlingDeleteVoiceRequest',
  'The voice that goes.',
  { voice_id: id('The voice.') },
  { voice_id: '829836802793406551' },
);
