/** Pictures, films and sounds of a request as VOD takes them: by URL, or as base64 without a prefix. */
import type { Channel } from '../../core/ports.ts';
import type { Media } from '../../core/request/types.ts';
import { UpstreamError } from '../../core/errors.ts';
import { inlineBytesMax, inlineSentence } from './missing.ts';
import type { WireObject } from './wire.ts';

/** Reads the media of one request, and keeps count of what goes inline. */
export interface FileReader {
  /** An entry of `FileInfos`; `more` lies on top. Throws UpstreamError `rejected` beyond 7 MB in all. */
  entry(media: Media, category: 'Image' | 'Video', more?: WireObject): Promise<WireObject>;
  /** The same for CreateAigcImageTask, whose files have no category. */
  picture(media: Media): Promise<WireObject>;
  /** A URL or base64, for Kling's own fields (`sound_file`). */
  text(media: Media): Promise<string>;
  /** Whether any of them is a URL, which the upstream fetches from the region it is told. */
  hasUrls(): boolean;
}

export function createFileReader(channel: Channel): FileReader {
  let bytesTotal = 0;
  let urls = 0;

  async function base64Of(media: Exclude<Media, { kind: 'url' }>): Promise<string> {
    const text = await inlineOf(media, channel);
    bytesTotal += Math.floor((text.length * 3) / 4);
    if (bytesTotal > inlineBytesMax) {
      throw new UpstreamError('rejected', `This cannot be made here: ${inlineSentence}.`);
    }
    return text;
  }

  async function sourceOf(media: Media): Promise<WireObject> {
    if (media.kind !== 'url') return { Type: 'Base64', Base64: await base64Of(media) };
    urls++;
    return { Type: 'Url', Url: media.url };
  }

  return {
    entry: async (media, category, more = {}) => ({
      ...(await sourceOf(media)),
      Category: category,
      ...more,
    }),
    picture: sourceOf,
    async text(media) {
      if (media.kind !== 'url') return base64Of(media);
      urls++;
      return media.url;
    },
    hasUrls: () => urls > 0,
  };
}

async function inlineOf(media: Exclude<Media, { kind: 'url' }>, channel: Channel): Promise<string> {
  switch (media.kind) {
    case 'inline':
      return media.text.replace(/^data:[^,]*,/i, '');
    case 'upload':
      return Buffer.from(media.bytes).toString('base64');
    case 'stored':
    case 'file':
      return (await channel.readMedia(media)).bytes.toString('base64');
  }
}
