/** How the simulated gateway refuses: in Kling's words and OpenAI's at once, or in new-api's. */
import { randomUUID } from 'node:crypto';
import { writeJson } from '../../lib/json.ts';
import type { SimulatorAnswer } from '../kit/simulator.ts';

const table = {
  missing_api_key: [401, 1001, 'No API key was given.'],
  invalid_api_key: [401, 1002, 'The API key is not valid.'],
  insufficient_quota: [429, 1102, 'The account has no credit left.'],
  invalid_request: [400, 1200, 'The request cannot be read.'],
  invalid_value: [400, 1201, 'A field holds what it may not.'],
  missing_required_parameter: [400, 1201, 'A field is missing.'],
  duplicate_external_task_id: [400, 1201, 'external_task_id is used by another task already.'],
  not_found: [404, 1202, 'There is no such path.'],
  video_not_found: [404, 1203, 'There is no such task.'],
  content_policy: [400, 1301, 'The content policy refuses this.'],
  rate_limit_exceeded: [429, 1302, 'Too many requests.'],
  concurrency_limit_exceeded: [429, 1303, 'Too many tasks at once.'],
  internal_error: [500, 5000, 'Something broke.'],
  unavailable: [503, 5001, 'Under maintenance.'],
  upstream_timeout: [504, 5002, 'Something took too long.'],
} satisfies Record<string, [status: number, number: number, message: string]>;

export type RefusalWord = keyof typeof table;

/** new-api's own words where they differ (controller/task.go, middleware/auth.go). */
const newApiWords: Partial<Record<RefusalWord, string>> = {
  video_not_found: 'task_not_exist',
  insufficient_quota: 'insufficient_user_quota',
};

/** Ends the handling of a request. */
export class Refusal extends Error {
  readonly word: RefusalWord;

  constructor(word: RefusalWord, message?: string) {
    super(message ?? table[word][2]);
    this.name = 'Refusal';
    this.word = word;
  }
}

/** By word or by Kling's number, as prompt switches name it; null when it is neither. */
export function wordOf(code: string): RefusalWord | null {
  const words = Object.keys(table) as RefusalWord[];
  return words.find((word) => word === code || String(table[word][1]) === code) ?? null;
}

export function answerRefusal(refusal: Refusal, speaksNewApi: boolean): SimulatorAnswer {
  const { word, message } = refusal;
  const [status, number] = table[word];
  if (speaksNewApi) {
    // Its unknown tasks are a plain 400.
    const shown = word === 'video_not_found' ? 400 : status;
    return answer(shown, { code: newApiWords[word] ?? word, message, data: null });
  }
  return answer(status, {
    code: number,
    message,
    request_id: randomUUID(),
    error: { message, type: 'invalid_request_error', param: null, code: word },
  });
}

export function answer(status: number, body: object): SimulatorAnswer {
  return { status, headers: { 'content-type': 'application/json' }, body: writeJson(body) };
}
