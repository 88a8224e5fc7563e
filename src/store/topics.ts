/** Is given what was told beside the topic: null when nothing was, or when something may have been missed. */
export type Listener = (detail: string | null) => void;

/** Who wants to know after a commit of what. */
export interface Topics {
  /** Answers the function that ends the subscription. */
  subscribe(topic: string, listener: Listener): () => void;
  /** What follows a topic after a space is its detail. */
  publish(topics: string[]): void;
  /** Tells every listener there is: nobody knows what was missed. */
  publishAll(): void;
}

export function createTopics(): Topics {
  const listeners = new Map<string, Set<Listener>>();
  return {
    subscribe(topic, listener) {
      const known = listeners.get(topic) ?? new Set();
      listeners.set(topic, known);
      // A wrapper of its own, so that the same function can listen twice and leave once.
      const entry: Listener = (detail) => listener(detail);
      known.add(entry);
      return () => {
        known.delete(entry);
        if (known.size === 0 && listeners.get(topic) === known) listeners.delete(topic);
      };
    },
    publish(topics) {
      for (const told of topics) {
        const end = told.indexOf(' ');
        const [topic, detail] = end < 0 ? [told, null] : [told.slice(0, end), told.slice(end + 1)];
        for (const entry of [...(listeners.get(topic) ?? [])]) entry(detail);
      }
    },
    publishAll() {
      for (const entries of [...listeners.values()]) {
        for (const entry of [...entries]) entry(null);
      }
    },
  };
}
