/** Golden exchanges: what was asked, what stood in the gateway, and the answer to the byte of its JSON. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import type { FastifyInstance, InjectOptions } from 'fastify';
import type { Task, TaskState } from '../../core/task.ts';

type Body = Record<string, unknown>;

export interface Golden {
  name: string;
  /** Tasks that exist before, oldest first. */
  given?: { state: TaskState; changes?: Partial<Task> }[];
  style?: 'strict';
  request: {
    method: 'GET' | 'POST' | 'DELETE' | 'HEAD';
    url: string;
    headers?: Record<string, string>;
    body?: Body;
  };
  response: { status: number; headers?: Record<string, string>; body: unknown };
}

/** All exchanges of a folder's JSON files. */
export function readGoldens(folder: URL): Golden[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .flatMap((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Golden[]);
}

/** Asks again and compares; the tasks it presumes must be there. */
export async function assertGolden(app: FastifyInstance, golden: Golden): Promise<void> {
  const { method, url, headers, body } = golden.request;
  const injected: InjectOptions = {
    method,
    url,
    ...(headers && { headers }),
    ...(body && { payload: body }),
  };
  const answer = await app.inject(injected);
  assert.equal(answer.statusCode, golden.response.status, answer.body);
  assert.deepEqual(answer.body === '' ? null : answer.json(), golden.response.body);
  for (const [header, value] of Object.entries(golden.response.headers ?? {})) {
    assert.equal(answer.headers[header], value, header);
  }
}
