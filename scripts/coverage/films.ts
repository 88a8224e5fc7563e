import type { VideoOperation } from '../../src/core/request/types.ts';

/** What a film of each kind is asked for with, at least. */
export const films: Record<VideoOperation, Record<string, unknown>> = {
  'text-to-video': { prompt: 'a lake' },
  'image-to-video': { prompt: 'a lake', image: 'https://example.com/a.png' },
  'motion-control': {
    image: 'https://example.com/a.png',
    metadata: { scene_type: 'motion_control', video_url: 'https://example.com/a.mp4' },
  },
  avatar: {
    image: 'https://example.com/a.png',
    metadata: { scene_type: 'avatar_i2v', audio_url: 'https://example.com/a.mp3' },
  },
  'lip-sync': {
    metadata: {
      scene_type: 'lip_sync',
      video_url: 'https://example.com/a.mp4',
      audio_url: 'https://example.com/a.mp3',
    },
  },
};
