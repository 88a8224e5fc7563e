/** The thread's entry: takes one order at a time, writes the file, answers. */
import { writeFile } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { createFontShelf } from './fonts.ts';
import { render } from './render.ts';
import type { RenderOrder, RenderReply } from './worker-host.ts';

const { fontDirectory } = workerData as { fontDirectory: string };
const shelf = createFontShelf(fontDirectory);
const port = parentPort;

port?.on('message', async ({ job, path }: RenderOrder) => {
  let reply: RenderReply;
  try {
    await writeFile(path, await render(shelf, job));
    reply = { done: true };
  } catch (error) {
    reply = { done: false, message: error instanceof Error ? error.message : String(error) };
  }
  port.postMessage(reply);
});
