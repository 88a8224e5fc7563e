/** Pictures and sounds as far gateways take them: a URL as it is, everything else inline. */
import type { Channel } from '../../core/ports.ts';
import type { Media } from '../../core/request/types.ts';

/** `raw`: bare base64, as Kling's doors want it; `uri`: with a `data:` prefix, as the others do. */
export type InlineForm = 'raw' | 'uri';

export async function mediaText(media: Media, channel: Channel, form: InlineForm): Promise<string> {
  switch (media.kind) {
    case 'url':
      return media.url;
    case 'inline':
      return form === 'raw' ? media.text.replace(/^data:[^,]*,/i, '') : media.text;
    case 'upload':
      return inForm(Buffer.from(media.bytes), 'application/octet-stream', form);
    case 'stored':
    case 'file': {
      const { bytes, contentType } = await channel.readMedia(media);
      return inForm(bytes, contentType, form);
    }
  }
}

function inForm(bytes: Buffer, contentType: string, form: InlineForm): string {
  const base64 = bytes.toString('base64');
  return form === 'raw' ? base64 : `data:${contentType};base64,${base64}`;
}
