/** The files of a finished task with their links, as far as a caller is shown them. */
import type { Json, TaskView } from '../../core/ports.ts';
import { isFeature } from '../../core/request/feature.ts';
import type { OutputRole, StoredOutput } from '../../core/task.ts';
import { setPath } from '../../lib/json-path.ts';

export interface LinkedOutput extends StoredOutput {
  url: string;
}

/** Every output in its order; none until there is one, or once the files are gone. */
export function outputsOf(view: TaskView): LinkedOutput[] {
  const urls = view.links?.outputs ?? [];
  return (view.task.result?.outputs ?? []).flatMap((output, position) => {
    const url = urls[position];
    return url === undefined ? [] : [{ ...output, url }];
  });
}

/** The outputs of one role by their index. */
export function outputsOfRole(view: TaskView, role: OutputRole): LinkedOutput[] {
  return outputsOf(view)
    .filter((output) => output.role === role)
    .sort((one, other) => (one.index ?? 0) - (other.index ?? 0));
}

/** The link to what was asked for: the film, or a feature's first file. Null until there is one. */
export function mainLink(view: TaskView): string | null {
  if (!isFeature(view.task.request)) return view.links?.video ?? null;
  return outputsOf(view).find(({ role }) => role !== 'cover' && role !== 'watermarked')?.url ?? null;
}

/** What was found or made beside files, with our links where files belong; null where there is nothing. */
export function dataOf(view: TaskView): Json {
  const data = view.task.result?.data;
  if (data === undefined) return null;
  const copy = structuredClone(data);
  for (const { path, url } of outputsOf(view)) if (path !== undefined) setPath(copy, path, url);
  return copy;
}
