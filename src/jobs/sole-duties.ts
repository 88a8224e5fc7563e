/** Duties where one process owns the store: all of them are its own, from the first moment to the last. */
import type { Duties, Ongoing } from '../core/ports.ts';

export function createSoleDuties(): Duties {
  const begun = new Map<string, Promise<Ongoing>>();
  return {
    async want(name, begin) {
      if (begun.has(name)) return;
      const work = begin(() => true);
      begun.set(name, work);
      // What could not begin may be wanted again.
      work.catch(() => begun.delete(name));
      await work;
    },
    async stop() {
      const all = [...begun.values()];
      begun.clear();
      await Promise.all(all.map(async (work) => (await work).stop()));
    },
  };
}
