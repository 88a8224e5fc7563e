/**
 * Links to files: `/_files/<task id>[-watermarked].mp4?token=…` for films, `/_files/<task id>/<name>?token=…` for all
 * else; good for as long as upstreams keep results.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { FilmVariant } from '../providers/kit/simulator.ts';

/** What a link is for: a task's film, or one of its other files. */
export type FileLink = { taskId: string; variant: FilmVariant } | { taskId: string; name: string };

export interface FileLinks {
  path(taskId: string, variant: FilmVariant): string;
  /** `name` is a plain file name. */
  filePath(taskId: string, name: string): string;
  /** Null when the path is none of ours, or the token is not the one it was given out with. */
  read(path: string, token: string | null): FileLink | null;
}

export function createFileLinks(key: Buffer): FileLinks {
  const nameOf = (taskId: string, variant: FilmVariant) =>
    `${taskId}${variant === 'watermarked' ? '-watermarked' : ''}.mp4`;
  const tokenOf = (name: string) => createHmac('sha256', key).update(name).digest('base64url').slice(0, 32);
  const link = (name: string) => `/_files/${name}?token=${tokenOf(name)}`;
  const isGenuine = (name: string, token: string) => {
    const expected = Buffer.from(tokenOf(name));
    const given = Buffer.from(token);
    return given.length === expected.length && timingSafeEqual(given, expected);
  };
  return {
    path: (taskId, variant) => link(nameOf(taskId, variant)),
    filePath: (taskId, name) => link(`${taskId}/${name}`),
    read(path, token) {
      if (token === null) return null;
      const film = /^\/_files\/([\w-]{1,100}?)(-watermarked)?\.mp4$/.exec(path);
      if (film) {
        const variant = film[2] ? 'watermarked' : 'plain';
        return isGenuine(nameOf(film[1]!, variant), token) ? { taskId: film[1]!, variant } : null;
      }
      const file = /^\/_files\/([\w-]{1,100})\/([\w.-]{1,100})$/.exec(path);
      if (!file || !isGenuine(`${file[1]}/${file[2]}`, token)) return null;
      return { taskId: file[1]!, name: file[2]! };
    },
  };
}
