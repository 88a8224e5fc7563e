import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { Clock, MediaStore } from '../core/ports.ts';
import { openLocalDisk } from '../media/local-disk.ts';

/** Opens the media of an installation as its gateway does. */
export async function openMedia(
  config: Config,
  clock: Clock,
): Promise<{ media: MediaStore; close(): Promise<void> }> {
  if (config.s3 === null) {
    return { media: await openLocalDisk(join(config.dataDir, 'media')), close: async () => {} };
  }
  const { openS3 } = await import('../media/s3.ts');
  const media = await openS3({ ...config.s3, clock });
  return { media, close: () => media.close() };
}
