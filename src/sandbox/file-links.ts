/** Links to films: `/_files/<task id>[-watermarked].mp4?token=…`, good for as long as upstreams keep results. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { FilmVariant } from '../providers/kit/simulator.ts';

export interface FileLinks {
  path(taskId: string, variant: FilmVariant): string;
  /** Null when the path is none of ours, or the token is not the one it was given out with. */
  read(path: string, token: string | null): { taskId: string; variant: FilmVariant } | null;
}

export function createFileLinks(key: Buffer): FileLinks {
  const nameOf = (taskId: string, variant: FilmVariant) =>
    `${taskId}${variant === 'watermarked' ? '-watermarked' : ''}.mp4`;
  const tokenOf = (name: string) => createHmac('sha256', key).update(name).digest('base64url').slice(0, 32);
  return {
    path(taskId, variant) {
      const name = nameOf(taskId, variant);
      return `/_files/${name}?token=${tokenOf(name)}`;
    },
    read(path, token) {
      const match = /^\/_files\/([\w-]{1,100}?)(-watermarked)?\.mp4$/.exec(path);
      if (!match || token === null) return null;
      const variant = match[2] ? 'watermarked' : 'plain';
      const expected = Buffer.from(tokenOf(nameOf(match[1]!, variant)));
      const given = Buffer.from(token);
      const matches = given.length === expected.length && timingSafeEqual(given, expected);
      return matches ? { taskId: match[1]!, variant } : null;
    },
  };
}
