import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { Channel, Observation } from '../../core/ports.ts';
import { observe, readTask } from './answer.ts';
import type { WireObject } from './wire.ts';

interface Answer {
  name: string;
  body: WireObject;
  task: { taskId: string; handle: string | null };
  observation: Observation;
}

const answers = JSON.parse(
  readFileSync(new URL('fixtures/answers.json', import.meta.url), 'utf8'),
) as Answer[];
const channel = {
  baseUrl: 'https://far.example',
  credential: { api_key: 'sk-0123456789' },
} as unknown as Channel;

describe('an answer is read in whatever shape it comes', () => {
  for (const { name, body, task, observation } of answers) {
    test(name, () => {
      const read = readTask(body);
      assert.ok(read);
      assert.deepEqual({ taskId: read.taskId, handle: read.handle }, task);
      assert.deepEqual(observe(read, channel), observation);
    });
  }

  test('what names no task is none', () => {
    const bodies: WireObject[] = [{}, { data: null }, { data: [] }, { task_id: '' }];
    for (const body of bodies) assert.equal(readTask(body), null);
  });
});

describe('status words of all dialects mean the same', () => {
  const words: Record<Observation['status'], string[]> = {
    submitted: ['submitted', 'queued', 'pending', 'NOT_START', 'SUBMITTED', 'QUEUED', 'created'],
    processing: ['processing', 'in_progress', 'IN_PROGRESS', 'running', 'generating', 'something new'],
    succeeded: ['succeed', 'succeeded', 'success', 'SUCCESS', 'completed'],
    failed: ['failed', 'FAILURE', 'error', 'cancelled', 'canceled', 'expired'],
    unknown: [],
  };
  for (const [status, spellings] of Object.entries(words)) {
    for (const word of spellings) {
      test(`${word} is ${status}`, () => {
        const task = readTask({ id: 'x', status: word, url: 'https://far.example/f.mp4' })!;
        assert.equal(observe(task, channel).status, status);
      });
    }
  }
});
