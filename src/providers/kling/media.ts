/** Pictures and sounds as the platform takes them: a URL as it is, everything else as raw base64. */
import type { Channel } from '../../core/ports.ts';
import type { Media } from '../../core/request/types.ts';

/** The upstream refuses a `data:` prefix. */
export async function mediaText(media: Media, channel: Channel): Promise<string> {
  switch (media.kind) {
    case 'url':
      return media.url;
    case 'inline':
      return media.text.replace(/^data:[^,]*,/i, '');
    case 'upload':
      return Buffer.from(media.bytes).toString('base64');
    case 'stored':
    case 'file':
      return (await channel.readMedia(media)).bytes.toString('base64');
  }
}
