/** A binary min-heap by a number: the next due thing first. */
export class MinHeap<Item> {
  #items: Item[] = [];
  readonly #keyOf: (item: Item) => number;

  constructor(keyOf: (item: Item) => number) {
    this.#keyOf = keyOf;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): Item | undefined {
    return this.#items[0];
  }

  push(item: Item): void {
    const items = this.#items;
    let index = items.length;
    items.push(item);
    const key = this.#keyOf(item);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#keyOf(items[parent]!) <= key) break;
      items[index] = items[parent]!;
      index = parent;
    }
    items[index] = item;
  }

  pop(): Item | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (items.length === 0 || last === undefined) return first;
    const key = this.#keyOf(last);
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && this.#keyOf(items[child + 1]!) < this.#keyOf(items[child]!)) child++;
      if (this.#keyOf(items[child]!) >= key) break;
      items[index] = items[child]!;
      index = child;
    }
    items[index] = last;
    return first;
  }
}
