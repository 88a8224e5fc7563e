/** Who polled what, and when: a task that two nodes poll at once is polled by one too many. */

/** A node that left a list alone for so long may come back to it: its lane was given back in between. */
const RETURN_MS = 5_000;

interface Tenure {
  node: string;
  at: number;
  /** Who had it before, and when that one was last seen. */
  before: { node: string; at: number } | null;
}

export class PollBook {
  polls = 0;
  /** Whoever asked for a task or a list last. */
  lastPoller: string | null = null;
  /** All that have asked the upstream for anything. */
  readonly askers = new Set<string>();
  /** The nodes that asked for a list, one after the other, by list. */
  readonly turns = new Map<string, string[]>();
  /** Two nodes asked for the same task or list in the same moment. */
  readonly overlaps: string[] = [];
  /** A node asked for a list again that another had taken over, although both lived. */
  readonly returns: string[] = [];
  readonly #active = new Map<string, Map<string, number>>();
  readonly #tenures = new Map<string, Tenure>();
  readonly #dead = new Set<string>();
  #onPoll: ((node: string, at: number) => void)[] = [];

  /** A request to the upstream begins; call what is answered when it is over. Null when it asks for no task. */
  begin(node: string, method: string, target: string): (() => void) | null {
    this.askers.add(node);
    const keys = keysOf(method, target);
    if (keys.length === 0) return null;
    const at = performance.now();
    this.polls++;
    this.lastPoller = node;
    for (const key of keys) this.#enter(node, key, at);
    for (const listener of this.#onPoll) listener(node, at);
    return () => {
      for (const key of keys) this.#leave(node, key);
    };
  }

  /** The node's process is gone. */
  died(node: string): void {
    this.#dead.add(node);
    for (const nodes of this.#active.values()) nodes.delete(node);
  }

  /** The node that asked for a list last. */
  holder(): string | null {
    const latest = [...this.#tenures].filter(([key]) => key.startsWith('list ')).map(([, tenure]) => tenure);
    return latest.sort((a, b) => b.at - a.at)[0]?.node ?? null;
  }

  /** Resolves with the time (performance.now) of the next poll by a node other than this one. */
  nextByOther(node: string): Promise<number> {
    return new Promise((resolve) => {
      const listener = (by: string, at: number): void => {
        if (by === node) return;
        this.#onPoll = this.#onPoll.filter((one) => one !== listener);
        resolve(at);
      };
      this.#onPoll.push(listener);
    });
  }

  #enter(node: string, key: string, at: number): void {
    const nodes = this.#active.get(key) ?? new Map<string, number>();
    this.#active.set(key, nodes);
    const others = [...nodes.keys()].filter((other) => other !== node);
    if (others.length > 0) this.overlaps.push(`${key}: ${node} while ${others.join()} waited`);
    nodes.set(node, (nodes.get(node) ?? 0) + 1);
    if (key.startsWith('list ')) this.#hold(node, key, at);
  }

  #leave(node: string, key: string): void {
    const nodes = this.#active.get(key);
    const count = nodes?.get(node);
    if (nodes === undefined || count === undefined) return;
    if (count > 1) nodes.set(node, count - 1);
    else nodes.delete(node);
    if (nodes.size === 0) this.#active.delete(key);
  }

  #hold(node: string, key: string, at: number): void {
    const tenure = this.#tenures.get(key);
    if (tenure?.node !== node) this.turns.set(key, [...(this.turns.get(key) ?? []), node]);
    if (tenure === undefined || tenure.node === node) {
      this.#tenures.set(key, { node, at, before: tenure?.before ?? null });
      return;
    }
    const { before } = tenure;
    if (before?.node === node && at - before.at < RETURN_MS && !this.#dead.has(tenure.node)) {
      this.returns.push(
        `${key}: ${node}, ${Math.round(at - before.at)} ms after ${tenure.node} had taken over`,
      );
    }
    this.#tenures.set(key, { node, at, before: { node: tenure.node, at: tenure.at } });
  }
}

/** Lists are asked for page by page; a task by its id in the path, or with others in the query. */
function keysOf(method: string, target: string): string[] {
  if (method !== 'GET') return [];
  const { pathname, searchParams } = new URL(target, 'http://upstream.invalid');
  const [, channel = '', ...path] = pathname.split('/');
  if (channel.startsWith('_')) return [];
  const ids = searchParams.get('task_ids');
  if (ids !== null) return ids.split(',').map((id) => `task ${id}`);
  if (searchParams.has('pageNum')) {
    // A page of one entry is how a channel is asked whether it is there.
    return searchParams.get('pageSize') === '1' ? [] : [`list ${channel} ${path.join('/')}`];
  }
  const id = path.at(-1) ?? '';
  return /^\d{15,}$|^task_/.test(id) ? [`task ${id}`] : [];
}
