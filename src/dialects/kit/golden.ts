/** Golden exchanges: what was asked, what stood in the gateway, and the answer to the byte of its JSON. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import type { FastifyInstance, InjectOptions } from 'fastify';
import type { FeatureMakes, FeatureRequest } from '../../core/request/feature.ts';
import type { Task, TaskState } from '../../core/task.ts';
import { parseJson, writeJson } from '../../lib/json.ts';
import type { FakeGateway } from './fake-gateway.ts';
import { featureTask } from './fake-task.ts';

type Body = Record<string, unknown>;

export interface Golden {
  name: string;
  /** Tasks that exist before, oldest first. */
  given?: {
    state: TaskState;
    /** Of a feature instead of a film. */
    feature?: { operation: string; makes: FeatureMakes; changes?: Partial<FeatureRequest> };
    changes?: Partial<Task>;
  }[];
  /** What the gateway of the tests holds or does besides. */
  gateway?: Partial<Pick<FakeGateway, 'nextFeature' | 'resources' | 'presets' | 'models'>>;
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
    .flatMap((file) => parseJson(readFileSync(new URL(file, folder), 'utf8')) as unknown as Golden[]);
}

/** Puts the gateway where the exchange begins. */
export function setStage(gateway: FakeGateway, golden: Golden): void {
  Object.assign(gateway, golden.gateway);
  for (const { state, feature, changes } of golden.given ?? []) {
    const of = feature && featureTask(feature.operation, feature.makes, feature.changes);
    gateway.seed(state, { ...of, ...changes });
  }
}

/** Asks again and compares; the stage must be set. */
export async function assertGolden(app: FastifyInstance, golden: Golden): Promise<void> {
  const { method, url, headers, body } = golden.request;
  const injected: InjectOptions = {
    method,
    url,
    ...(headers && { headers }),
    ...(body && {
      payload: writeJson(body),
      headers: { 'content-type': 'application/json', ...headers },
    }),
  };
  const answer = await app.inject(injected);
  assert.equal(answer.statusCode, golden.response.status, answer.body);
  assert.deepEqual(answer.body === '' ? null : parseJson(answer.body), golden.response.body);
  for (const [header, value] of Object.entries(golden.response.headers ?? {})) {
    assert.equal(answer.headers[header], value, header);
  }
}
