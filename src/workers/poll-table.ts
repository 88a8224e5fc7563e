/**
 * What is watched, packed: some 180 bytes for an attempt instead of a kilobyte of objects, and nothing in it that the
 * garbage collector would have to walk through. Found by task, ordered by when the next poll is due.
 */
import { parseJson, writeJson, type Json } from '../lib/json.ts';

/** A running attempt as it is handed out: a copy, brought back with {@link PollTable.keep}. */
export interface Watched {
  taskId: string;
  attemptId: string;
  /** The provider's handle. */
  ref: Json;
  /** Who reads the ref, and what it counts: a small number of the owner's. */
  kind: number;
  acceptedAt: number;
  /** Kept to the second. */
  deadlineAt: number;
  /** The task was seen running already. */
  started: boolean;
  /** In [0, 1), kept to the 256th part. */
  jitter: number;
  /** Polls in a row that broke; more than 255 count as 255. */
  failures: number;
}

/** Slots that are made at once: 84 KiB. */
const CHUNK_SLOTS = 512;
/**
 * Text of one attempt: a task id of 37 characters, an attempt id of 28, and a ref of up to 71 bytes, which is a path
 * with an id of 18 digits and a little more. Whatever is longer lies beside the table.
 */
const TEXT_BYTES = 136;
const NOWHERE = -1;

interface Chunk {
  text: Uint8Array;
  dueAt: Float64Array;
  acceptedAt: Float64Array;
  /** In seconds: it takes half the room. */
  deadline: Uint32Array;
  /** Position in the order of due times, or NOWHERE. */
  place: Int32Array;
  taskLength: Uint8Array;
  attemptLength: Uint8Array;
  refLength: Uint8Array;
  kind: Uint16Array;
  started: Uint8Array;
  jitter: Uint8Array;
  failures: Uint8Array;
}

export class PollTable {
  #chunks: Chunk[] = [];
  #free: number[] = [];
  #size = 0;
  /** Texts of attempts that do not fit, by slot. */
  readonly #long = new Map<number, { taskId: string; attemptId: string; ref: string }>();
  /** Slots by task, open addressing; NOWHERE is empty. Its length is a power of two. */
  #index = new Int32Array(64).fill(NOWHERE);
  /** Slots as a binary heap, the first due at 0. */
  #heap = new Int32Array(64);
  #due = 0;

  /** Attempts that are watched, those taken for a poll included. */
  get size(): number {
    return this.#size;
  }

  /** When the first poll is due (Unix ms); Infinity when none is. */
  get nextAt(): number {
    return this.#due === 0 ? Infinity : this.#dueAt(this.#heap[0]!);
  }

  /** Watches an attempt, in place of an earlier one of the same task. */
  add(watched: Watched, dueAt: number): void {
    this.remove(watched.taskId);
    const slot = this.#newSlot();
    const { chunk, at } = this.#find(slot);
    this.#writeText(chunk, at, slot, watched);
    chunk.kind[at] = watched.kind;
    chunk.acceptedAt[at] = watched.acceptedAt;
    chunk.deadline[at] = Math.ceil(watched.deadlineAt / 1000);
    chunk.jitter[at] = Math.floor(watched.jitter * 256);
    chunk.place[at] = NOWHERE;
    chunk.started[at] = watched.started ? 1 : 0;
    chunk.failures[at] = Math.min(255, watched.failures);
    this.#size++;
    if (this.#size * 4 > this.#index.length * 3) this.#growIndex();
    this.#enter(slot, hashOf(watched.taskId));
    this.#place(slot, dueAt);
  }

  has(taskId: string): boolean {
    return this.#slotOf(taskId) !== NOWHERE;
  }

  /** The attempt that is watched for a task; null when none is. */
  find(taskId: string): Watched | null {
    const slot = this.#slotOf(taskId);
    return slot === NOWHERE ? null : this.#read(slot);
  }

  /** Whether it is this attempt that is watched for the task. */
  watches({ taskId, attemptId }: Pick<Watched, 'taskId' | 'attemptId'>): boolean {
    const slot = this.#slotOf(taskId);
    if (slot === NOWHERE) return false;
    const { chunk, at } = this.#find(slot);
    return this.#readText(chunk, at, slot).attemptId === attemptId;
  }

  /** Whether a poll of this task is appointed: not while it is taken, nor when it is not watched. */
  isAppointed(taskId: string): boolean {
    const slot = this.#slotOf(taskId);
    return slot !== NOWHERE && this.#placeOf(slot) !== NOWHERE;
  }

  /** Appoints the next poll of a task, earlier or later than it was; false when it is not watched. */
  appoint(taskId: string, at: number): boolean {
    const slot = this.#slotOf(taskId);
    if (slot === NOWHERE) return false;
    this.#place(slot, at);
    return true;
  }

  /** Keeps what a poll has changed: `started` and `failures`. Nothing happens when it is not watched any more. */
  keep(watched: Watched): void {
    const slot = this.#slotOf(watched.taskId);
    if (slot === NOWHERE) return;
    const { chunk, at } = this.#find(slot);
    chunk.started[at] = watched.started ? 1 : 0;
    chunk.failures[at] = Math.min(255, watched.failures);
  }

  /** False when it was not watched. */
  remove(taskId: string): boolean {
    const position = this.#positionOf(taskId);
    const slot = this.#index[position]!;
    if (slot === NOWHERE) return false;
    this.#unplace(slot);
    this.#leave(position);
    this.#long.delete(slot);
    this.#free.push(slot);
    this.#size--;
    return true;
  }

  /** How many polls are due at this time; counts no further than `enough`. */
  dueAt(time: number, enough: number): number {
    let count = 0;
    const below = [0];
    for (let place = below.pop(); place !== undefined && count < enough; place = below.pop()) {
      if (place >= this.#due || this.#dueAt(this.#heap[place]!) > time) continue;
      count++;
      below.push(2 * place + 1, 2 * place + 2);
    }
    return count;
  }

  /** Takes up to `limit` attempts whose poll is due at this time: still watched, but no poll is appointed. */
  takeDue(time: number, limit: number): Watched[] {
    const taken: Watched[] = [];
    while (taken.length < limit && this.nextAt <= time) {
      const slot = this.#heap[0]!;
      this.#unplace(slot);
      taken.push(this.#read(slot));
    }
    return taken;
  }

  /** After the clock was put back: everything was accepted so much earlier, and is appointed anew. */
  shiftBack(
    byMs: number,
    nextAt: (watched: Pick<Watched, 'acceptedAt' | 'jitter' | 'failures'>) => number,
  ): void {
    for (const slot of this.#index) {
      if (slot === NOWHERE) continue;
      const { chunk, at } = this.#find(slot);
      chunk.acceptedAt[at]! -= byMs;
      const acceptedAt = chunk.acceptedAt[at]!;
      this.#place(
        slot,
        nextAt({ acceptedAt, jitter: chunk.jitter[at]! / 256, failures: chunk.failures[at]! }),
      );
    }
  }

  #read(slot: number): Watched {
    const { chunk, at } = this.#find(slot);
    const { taskId, attemptId, ref } = this.#readText(chunk, at, slot);
    return {
      taskId,
      attemptId,
      ref: parseJson(ref),
      kind: chunk.kind[at]!,
      acceptedAt: chunk.acceptedAt[at]!,
      deadlineAt: chunk.deadline[at]! * 1000,
      started: chunk.started[at] === 1,
      jitter: chunk.jitter[at]! / 256,
      failures: chunk.failures[at]!,
    };
  }

  #writeText(chunk: Chunk, at: number, slot: number, { taskId, attemptId, ref }: Watched): void {
    const texts = [taskId, attemptId, writeJson(ref)] as const;
    const all = Buffer.from(texts.join(''), 'latin1');
    // What is no Latin-1 comes back different; such ids and refs are as welcome as long ones.
    if (all.length > TEXT_BYTES || all.toString('latin1') !== texts.join('')) {
      this.#long.set(slot, { taskId, attemptId, ref: texts[2] });
      chunk.taskLength[at] = 0;
      return;
    }
    chunk.text.set(all, at * TEXT_BYTES);
    chunk.taskLength[at] = taskId.length;
    chunk.attemptLength[at] = attemptId.length;
    chunk.refLength[at] = texts[2].length;
  }

  #readText(chunk: Chunk, at: number, slot: number): { taskId: string; attemptId: string; ref: string } {
    const long = this.#long.get(slot);
    if (long !== undefined) return long;
    const start = at * TEXT_BYTES;
    const attemptStart = start + chunk.taskLength[at]!;
    const refStart = attemptStart + chunk.attemptLength[at]!;
    return {
      taskId: textOf(chunk.text, start, attemptStart),
      attemptId: textOf(chunk.text, attemptStart, refStart),
      ref: textOf(chunk.text, refStart, refStart + chunk.refLength[at]!),
    };
  }

  #newSlot(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    // Slots are given out in order: the chunks hold exactly those that are taken or free.
    if (this.#size === this.#chunks.length * CHUNK_SLOTS) this.#chunks.push(newChunk());
    return this.#size;
  }

  #find(slot: number): { chunk: Chunk; at: number } {
    return { chunk: this.#chunks[Math.floor(slot / CHUNK_SLOTS)]!, at: slot % CHUNK_SLOTS };
  }

  // The index by task.

  #slotOf(taskId: string): number {
    return this.#index[this.#positionOf(taskId)]!;
  }

  /** Where the task stands in the index, or the empty position where it would. */
  #positionOf(taskId: string): number {
    const mask = this.#index.length - 1;
    let position = hashOf(taskId) & mask;
    for (;;) {
      const slot = this.#index[position]!;
      if (slot === NOWHERE || this.#isTask(slot, taskId)) return position;
      position = (position + 1) & mask;
    }
  }

  #isTask(slot: number, taskId: string): boolean {
    const { chunk, at } = this.#find(slot);
    const length = chunk.taskLength[at]!;
    if (length === 0) return this.#long.get(slot)?.taskId === taskId;
    if (length !== taskId.length) return false;
    const start = at * TEXT_BYTES;
    // The end differs sooner: an id begins with its time.
    for (let index = length - 1; index >= 0; index--) {
      if (chunk.text[start + index] !== taskId.charCodeAt(index)) return false;
    }
    return true;
  }

  #enter(slot: number, hash: number): void {
    const mask = this.#index.length - 1;
    let position = hash & mask;
    while (this.#index[position] !== NOWHERE) position = (position + 1) & mask;
    this.#index[position] = slot;
  }

  /** Empties a position and moves up whoever stood behind it only because it was taken. */
  #leave(position: number): void {
    const index = this.#index;
    const mask = index.length - 1;
    let hole = position;
    for (let next = (hole + 1) & mask; index[next] !== NOWHERE; next = (next + 1) & mask) {
      const home = this.#hashAt(index[next]!) & mask;
      // Its home lies at or before the hole, seen around the ring.
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      index[hole] = index[next]!;
      hole = next;
    }
    index[hole] = NOWHERE;
  }

  #growIndex(): void {
    const old = this.#index;
    this.#index = new Int32Array(old.length * 2).fill(NOWHERE);
    for (const slot of old) if (slot !== NOWHERE) this.#enter(slot, this.#hashAt(slot));
  }

  #hashAt(slot: number): number {
    const { chunk, at } = this.#find(slot);
    return hashOf(this.#readText(chunk, at, slot).taskId);
  }

  // The order of due times.

  #dueAt(slot: number): number {
    return this.#chunks[Math.floor(slot / CHUNK_SLOTS)]!.dueAt[slot % CHUNK_SLOTS]!;
  }

  #placeOf(slot: number): number {
    return this.#chunks[Math.floor(slot / CHUNK_SLOTS)]!.place[slot % CHUNK_SLOTS]!;
  }

  #settle(slot: number, place: number): void {
    this.#heap[place] = slot;
    this.#chunks[Math.floor(slot / CHUNK_SLOTS)]!.place[slot % CHUNK_SLOTS] = place;
  }

  #place(slot: number, at: number): void {
    const { chunk, at: position } = this.#find(slot);
    chunk.dueAt[position] = at;
    let place = chunk.place[position]!;
    if (place === NOWHERE) {
      place = this.#due++;
      if (this.#due > this.#heap.length) {
        const grown = new Int32Array(Math.ceil(this.#heap.length * 1.5));
        grown.set(this.#heap);
        this.#heap = grown;
      }
    }
    this.#sink(slot, this.#rise(slot, place));
  }

  #unplace(slot: number): void {
    const place = this.#placeOf(slot);
    if (place === NOWHERE) return;
    const { chunk, at } = this.#find(slot);
    chunk.place[at] = NOWHERE;
    const last = this.#heap[--this.#due]!;
    if (last === slot) return;
    this.#sink(last, this.#rise(last, place));
  }

  /** Moves towards the root; answers where it may stand. */
  #rise(slot: number, from: number): number {
    const dueAt = this.#dueAt(slot);
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (this.#dueAt(this.#heap[parent]!) <= dueAt) break;
      this.#settle(this.#heap[parent]!, place);
      place = parent;
    }
    return place;
  }

  /** Moves away from the root, and stays. */
  #sink(slot: number, from: number): void {
    const dueAt = this.#dueAt(slot);
    let place = from;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.#due) break;
      const right = child + 1;
      if (right < this.#due && this.#dueAt(this.#heap[right]!) < this.#dueAt(this.#heap[child]!))
        child = right;
      if (this.#dueAt(this.#heap[child]!) >= dueAt) break;
      this.#settle(this.#heap[child]!, place);
      place = child;
    }
    this.#settle(slot, place);
  }
}

function newChunk(): Chunk {
  return {
    text: new Uint8Array(CHUNK_SLOTS * TEXT_BYTES),
    dueAt: new Float64Array(CHUNK_SLOTS),
    acceptedAt: new Float64Array(CHUNK_SLOTS),
    deadline: new Uint32Array(CHUNK_SLOTS),
    place: new Int32Array(CHUNK_SLOTS),
    taskLength: new Uint8Array(CHUNK_SLOTS),
    attemptLength: new Uint8Array(CHUNK_SLOTS),
    refLength: new Uint8Array(CHUNK_SLOTS),
    kind: new Uint16Array(CHUNK_SLOTS),
    started: new Uint8Array(CHUNK_SLOTS),
    jitter: new Uint8Array(CHUNK_SLOTS),
    failures: new Uint8Array(CHUNK_SLOTS),
  };
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1', start, end);
}

/** FNV-1a, with the high bits folded into the low ones that the index looks at. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash ^ (hash >>> 15);
}
