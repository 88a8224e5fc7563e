/** What only one node does at a time, however many share the store. */

/** Work that goes on by itself until it is stopped. */
export interface Ongoing {
  stop(): Promise<void>;
}

/**
 * Duties: the lane of a channel, the sweep. Each is done by one node at a time; a node that dies is replaced. They are
 * for economy: for a moment two nodes may believe they are on duty, so whatever a duty changes is compared first.
 */
export interface Duties {
  /**
   * Stands for a duty from now on. Whenever it falls to this node, `begin` is called; what it answers is stopped
   * before the duty is handed back, or as soon as it is lost. `isOurs` turns false no later than another node may have
   * it. Resolves once it has begun here, or once it stands where others stand for it too.
   */
  want(name: string, begin: (isOurs: () => boolean) => Promise<Ongoing>): Promise<void>;
  /** Stops what has begun and hands everything back, for other nodes to take at once. */
  stop(): Promise<void>;
}
