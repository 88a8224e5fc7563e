/**
 * A task with its links, ready for a dialect to render.
 */
import type { TaskView } from '../core/ports.ts';
import type { StoredOutput, Task } from '../core/task.ts';
import type { FlowContext } from './context.ts';

/** Adds signed links to our own copies; none until the task is completed, or once the files are gone. */
export function viewOf(ctx: FlowContext, task: Task): TaskView {
  if (task.state !== 'completed' || task.result === null) return { task, links: null };
  const now = ctx.clock.now();
  const outputs = task.result.outputs;
  if (!outputs.some((output) => output.role === 'video') || (task.mediaExpiresAt ?? Infinity) <= now) {
    return { task, links: null };
  }
  const expiresAt = Math.floor(
    Math.min(now + ctx.settings.linkLifetimeSeconds * 1000, task.mediaExpiresAt ?? Infinity) / 1000,
  );
  const link = (file: string) => ctx.signedLink(`/content/${task.id}/${file}`, expiresAt);
  const has = (role: string) => outputs.some((output) => output.role === role);
  return {
    task,
    links: {
      video: link('video.mp4'),
      cover: has('cover') ? link('cover') : null,
      watermarked: has('watermarked') ? link('watermarked.mp4') : null,
      outputs: outputs.map((output) => link(fileNameOf(output))),
      expiresAt,
    },
  };
}

/** The last part of an output's link, e.g. `image-2.png`: role, position, and the extension it is stored with. */
function fileNameOf(output: StoredOutput): string {
  return output.key.slice(output.key.lastIndexOf('/') + 1);
}
