/** The simulator on a state of its own, asked without HTTP. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestClock } from '../../lib/clock.ts';
import type { TestClock } from '../../lib/clock.ts';
import { parseJson, writeJson } from '../../lib/json.ts';
import { HONEST_BEHAVIOUR } from '../../sandbox/behaviour.ts';
import type { Behaviour } from '../../sandbox/behaviour.ts';
import { createFileLinks } from '../../sandbox/file-links.ts';
import { createHost } from '../../sandbox/host.ts';
import { openState } from '../../sandbox/state.ts';
import type { SimulatedTask, Simulator, SimulatorHost } from '../kit/simulator.ts';
import { createSimulator } from './simulator.ts';

export interface Answer {
  status: number;
  code: number;
  message: string;
  data: Wire & Wire[];
}

/** What tests read of answers, wherever it stands; anything missing is a failed assertion. */
export interface Wire {
  id: string;
  task_id: string;
  status: string;
  task_status: string;
  task_status_msg: string;
  updated_at: number;
  watermark_info: object;
  url: string;
  watermark_url: string;
  code: number;
  task_info: { parent_video: { id: string; duration: string } };
  task_result: { videos: Wire[]; audios: Wire[]; voices: Wire[]; elements: Wire[] };
  final_unit_deduction: string;
  duration: string;
  session_id: string;
  face_data: { start_time: number; end_time: number }[];
  res: { rle_mask_list: { rle_mask: { size: number[] }; png_mask: { base64: string } }[] };
  width: number;
  height: number;
  fps: number;
  total_frame: number;
  original_duration: number;
  voice_id: string;
  owned_by: string;
  element_id: unknown;
  outputs: { type: string }[];
  billing: object[];
  external_id: string;
  count: number;
  has_more: boolean;
  next_cursor: string;
  result: Wire[] & { detail: Wire[]; count: number };
  product_type: string;
  product_function: string;
  deduction_amount: string;
  resolution: string;
  resource_pack_subscribe_infos: { remaining_quantity: number }[];
}

export interface TestSimulator {
  clock: TestClock;
  accepted: SimulatedTask[];
  simulator: Simulator;
  host: SimulatorHost;
  behave(change: Partial<Behaviour>): void;
  /** A body that is text goes as it is. */
  ask(method: string, target: string, body?: unknown, authorization?: string): Answer;
  /** How often each task's name was accepted, oldest first. */
  submits(): number[];
  /** A process ended and another one began: only what was written down is left. */
  restart(): void;
  /** A finished film's id. */
  film(changes?: object): Promise<string>;
  close(): void;
}

const apiKey = 'api-key-kling-sandbox';

export function startTestSimulator(): TestSimulator {
  const directory = mkdtempSync(join(tmpdir(), 'reelay-simulator-'));
  const clock = createTestClock(Date.UTC(2026, 10, 20));
  let state = openState(directory);
  let behaviour = HONEST_BEHAVIOUR;
  const accepted: SimulatedTask[] = [];
  const open = () => {
    const host = createHost({
      state,
      clock,
      speed: 1,
      behaviour: () => behaviour,
      pictures: { keep: () => 'kept', read: async () => null },
      links: createFileLinks(state.fileKey),
      onAccepted: (task) => accepted.push(task),
    });
    return { host, simulator: createSimulator() };
  };
  let running = open();
  const it: TestSimulator = {
    clock,
    accepted,
    get simulator() {
      return running.simulator;
    },
    get host() {
      return running.host;
    },
    behave: (change) => void (behaviour = { ...behaviour, ...change }),
    ask(method, target, body, authorization = `Bearer ${apiKey}`) {
      const url = new URL(target, 'http://sandbox');
      const answer = running.simulator.handle(
        {
          method,
          path: url.pathname,
          query: url.searchParams,
          headers: authorization ? { authorization } : {},
          body: body === undefined ? '' : typeof body === 'string' ? body : writeJson(body),
          origin: 'http://127.0.0.1:8788',
        },
        running.host,
      );
      return { ...(parseJson(answer.body) as unknown as Answer), status: answer.status };
    },
    submits: () => Array.from(state.allTasks(), ({ submits }) => submits),
    restart() {
      state.close();
      state = openState(directory);
      running = open();
    },
    async film(changes = {}) {
      const film = { model_name: 'kling-v1-6', prompt: 'a cat', ...changes };
      const { data } = it.ask('POST', '/v1/videos/text2video', film);
      await clock.advance(60_000);
      return it.ask('GET', `/v1/videos/text2video/${data.task_id}`).data.task_result.videos[0]!.id;
    },
    close() {
      state.close();
      rmSync(directory, { recursive: true });
    },
  };
  return it;
}
