/** Callers of the gateway: creates through every door, each with a name of its own, and what they were told. */
import { setTimeout as sleep } from 'node:timers/promises';
import { call, type Answer } from '../test/helpers/processes.ts';
import type { Account, Installation } from './installation.ts';

/** What a create of five seconds costs in USD: kling-1.6-720p, 5 × 0.056. */
export const PRICE = '0.28';

const DOORS = [
  { path: '/v1/videos', model: 'model' },
  { path: '/kling/v1/videos/text2video', model: 'model_name' },
  { path: '/v1/video/generations', model: 'model' },
] as const;

/** Where a caller reaches the gateway. */
export interface Door {
  readonly url: string;
}

/** One create; the door follows from the name's number. */
export function create(
  world: Door,
  account: Account,
  number: number,
  prompt: string,
  more: Record<string, unknown> = {},
): Promise<Answer> {
  const door = DOORS[number % DOORS.length]!;
  const json = { [door.model]: 'kling-v1-6', prompt, external_task_id: `chaos-${number}`, ...more };
  return call(world.url + door.path, { key: account.key, json });
}

/** A feature that is answered within its request: faces found in a film. */
export function findFaces(world: Door, account: Account, number: number): Promise<Answer> {
  const json = { video_url: `https://example.com/film-${number}.mp4`, external_task_id: `chaos-${number}` };
  return call(`${world.url}/kling/v1/videos/identify-face`, { key: account.key, json });
}

/** The task id of a successful answer, whichever door it came through. */
export function idOf({ body }: Answer): string {
  return body.task_id ?? body.data?.task_id ?? body.id;
}

const REFUSALS_KEPT = 1_000;

/** Callers that go on creating, however often the gateway dies under them, so that a number of tasks stays open. */
export class Crowd {
  readonly told = new Set<string>();
  /** Creates that were cut off: the task may or may not exist. */
  unanswered = 0;
  /** Answers other than 2xx, by status. */
  readonly refused = new Map<number, number>();
  /** Some of them, whole. */
  readonly refusals: Answer[] = [];
  readonly #world: Pick<Installation, 'openTasks'>;
  readonly #send: (number: number) => Promise<Answer>;
  #next = 0;
  #open = 0;
  #wanted = 0;
  #isOver = false;
  readonly #work: Promise<unknown>;

  /** `send` makes the create of this number. */
  constructor(options: {
    world: Pick<Installation, 'openTasks'>;
    send: (number: number) => Promise<Answer>;
    connections: number;
  }) {
    this.#world = options.world;
    this.#send = options.send;
    this.#work = Promise.all([
      this.#count(),
      ...Array.from({ length: options.connections }, () => this.#create()),
    ]);
  }

  get open(): number {
    return this.#open;
  }

  /** Creates until so many tasks are open, and again whenever there are fewer. */
  keep(wanted: number): void {
    this.#wanted = wanted;
  }

  /** No further create; resolves when those under way are answered or cut off. */
  async leave(): Promise<void> {
    this.#isOver = true;
    await this.#work;
  }

  async #count(): Promise<void> {
    while (!this.#isOver) {
      this.#open = await this.#world.openTasks().catch(() => this.#open);
      await sleep(100);
    }
  }

  async #create(): Promise<void> {
    while (!this.#isOver) {
      if (this.#open >= this.#wanted) {
        await sleep(20);
        continue;
      }
      const number = this.#next++;
      try {
        const answer = await this.#send(number);
        if (answer.status < 300) {
          this.told.add(idOf(answer));
          this.#open++;
        } else {
          if (this.refusals.length < REFUSALS_KEPT) this.refusals.push(answer);
          this.refused.set(answer.status, (this.refused.get(answer.status) ?? 0) + 1);
        }
      } catch {
        this.unanswered++;
        await sleep(50);
      }
    }
  }
}
