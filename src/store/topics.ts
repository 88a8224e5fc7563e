/** Who wants to know after a commit of what. */
export interface Topics {
  /** Answers the function that ends the subscription. */
  subscribe(topic: string, listener: () => void): () => void;
  publish(topics: string[]): void;
}

export function createTopics(): Topics {
  const listeners = new Map<string, Set<() => void>>();
  return {
    subscribe(topic, listener) {
      const known = listeners.get(topic) ?? new Set();
      listeners.set(topic, known);
      // A wrapper of its own, so that the same function can listen twice and leave once.
      const entry = () => listener();
      known.add(entry);
      return () => {
        known.delete(entry);
        if (known.size === 0 && listeners.get(topic) === known) listeners.delete(topic);
      };
    },
    publish(topics) {
      for (const topic of topics) {
        for (const entry of [...(listeners.get(topic) ?? [])]) entry();
      }
    },
  };
}
