/** A finished video to a file: whole or not at all. */
import { createWriteStream } from 'node:fs';
import { access, constants, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { header, type Api } from './api.ts';
import { CliError, type Context } from './command.ts';
import { ownName } from './text.ts';

export interface SavedFile {
  path: string;
  bytes: number;
}

/** Where a video will go: the named file, `<id>.mp4` in the named folder, or `<id>.mp4` here. */
export async function targetPath(named: string | undefined, id: string, { cwd }: Context): Promise<string> {
  const path = resolve(cwd, named ?? '.');
  return (await isDirectory(path)) ? join(path, `${id}.mp4`) : path;
}

/** Throws before any money is spent when the file could not be written afterwards. */
export async function checkTarget(named: string | undefined, context: Context): Promise<void> {
  const folder = dirname(await targetPath(named, 'video', context));
  if (!(await isDirectory(folder))) throw new CliError(`There is no folder ${folder} to write to.`);
  try {
    await access(folder, constants.W_OK);
  } catch {
    throw new CliError(`The folder ${folder} cannot be written to.`);
  }
}

/** Streams the video into a file beside the target, then renames it: a broken download leaves nothing behind. */
export async function saveVideo(
  api: Api,
  id: string,
  path: string,
  { signal, env }: Context,
): Promise<SavedFile> {
  const { headers, body } = await api.open(`/v1/videos/${encodeURIComponent(id)}/content`);
  const partial = `${path}.${process.pid}.part`;
  const expectedBytes = Number(header(headers, 'content-length') ?? NaN);
  try {
    await pipeline(body, createWriteStream(partial, { flags: 'wx' }), { signal });
    const { size: bytes } = await stat(partial);
    if (Number.isFinite(expectedBytes) && bytes !== expectedBytes) {
      throw new Error(`${bytes} of ${expectedBytes} bytes arrived`);
    }
    await rename(partial, path);
    return { path, bytes };
  } catch (error) {
    await rm(partial, { force: true });
    if (signal.aborted) throw error;
    throw new CliError(
      `The video could not be saved: ${(error as Error).message}. It is kept: ${ownName(env)} download ${id} -o ${path}`,
    );
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isDirectory() ?? false;
}
