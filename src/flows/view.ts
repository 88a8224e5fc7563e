/**
 * A task with its links, ready for a dialect to render.
 */
import type { Json, TaskView } from '../core/ports.ts';
import type { OutputRole, StoredOutput, Task } from '../core/task.ts';
import { setPath } from '../lib/json-path.ts';
import type { FlowContext } from './context.ts';

/** Adds signed links to our own copies; none until the task is completed, or once the files are gone. */
export function viewOf(ctx: FlowContext, task: Task): TaskView {
  if (task.state !== 'completed' || task.result === null) return { task, links: null };
  const now = ctx.clock.now();
  const { outputs, data } = task.result;
  if (outputs.length === 0 || (task.mediaExpiresAt ?? Infinity) <= now) return { task, links: null };
  const expiresAt = Math.floor(
    Math.min(now + ctx.settings.linkLifetimeSeconds * 1000, task.mediaExpiresAt ?? Infinity) / 1000,
  );
  const signed: string[] = [];
  // Signed when somebody reads it: a list shows one link of each task and has hundreds.
  const linkAt = (index: number): string =>
    (signed[index] ??= ctx.signedLink(`/content/${task.id}/${fileNameOf(outputs[index]!)}`, expiresAt));
  const linkOf = (role: OutputRole): string | null => {
    const index = outputs.findIndex((candidate) => candidate.role === role);
    return index < 0 ? null : linkAt(index);
  };
  const link = (output: StoredOutput): string => linkAt(outputs.indexOf(output));
  return {
    task:
      data === undefined
        ? task
        : { ...task, result: { ...task.result, data: withLinks(data, outputs, link) } },
    links: {
      get video() {
        return linkOf('video') ?? linkAt(0);
      },
      get cover() {
        return linkOf('cover');
      },
      get watermarked() {
        return linkOf('watermarked');
      },
      get outputs() {
        return outputs.map((_, index) => linkAt(index));
      },
      expiresAt,
    },
  };
}

/** What was found names its pictures by links to our copies. */
function withLinks(data: Json, outputs: StoredOutput[], link: (output: StoredOutput) => string): Json {
  const placed = outputs.filter((output) => output.path !== undefined);
  if (placed.length === 0) return data;
  const copy = structuredClone(data);
  for (const output of placed) setPath(copy, output.path!, link(output));
  return copy;
}

/** The last part of an output's link, e.g. `image-2.png`: role, position, and the extension it is stored with. */
function fileNameOf(output: StoredOutput): string {
  return output.key.slice(output.key.lastIndexOf('/') + 1);
}
