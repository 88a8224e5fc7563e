/** What a media file says about itself, read with mediabunny: for tests and for the sandbox's own answers. */

export interface MediaFacts {
  /** The container's name, for example `MP4` or `WAVE`. */
  container: string;
  durationSeconds: number;
  /** 0 when there is no picture. */
  width: number;
  height: number;
  hasAudio: boolean;
  /** For example `avc`; null when there is no picture. */
  videoCodec: string | null;
}

/** Reads a file's facts; rejects when the format is not known. */
export async function probeMedia(source: Uint8Array | string): Promise<MediaFacts> {
  // Two megabytes of code: a server that is never asked does without.
  const { ALL_FORMATS, BufferSource, FilePathSource, Input } = await import('mediabunny');
  const input = new Input({
    source: typeof source === 'string' ? new FilePathSource(source) : new BufferSource(source),
    formats: ALL_FORMATS,
  });
  try {
    const format = await input.getFormat();
    const video = await input.getPrimaryVideoTrack();
    const audio = await input.getPrimaryAudioTrack();
    return {
      container: format.name,
      durationSeconds: await input.computeDuration(),
      width: video?.displayWidth ?? 0,
      height: video?.displayHeight ?? 0,
      hasAudio: audio !== null,
      videoCodec: video?.codec ?? null,
    };
  } finally {
    input.dispose();
  }
}
