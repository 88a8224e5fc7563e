import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ErrorCode } from '../../core/errors.ts';
import { GatewayError } from '../../core/errors.ts';
import type { NewTask, RunningAttempt, Store } from '../../core/ports.ts';
import type { Task } from '../../core/task.ts';
import { idFloor } from '../../lib/ids.ts';

export interface StoreHarness {
  store: Store;
  /** Closes in good order and opens again. */
  reopen(): Promise<Store>;
  /** What a start after a SIGKILL at this moment would find; the store in use goes on beside it. */
  crash(): Promise<Store>;
  /** Changes rows behind the store's back, past triggers that forbid it. */
  tamper(statement: string): Promise<void>;
  /** Another program holds the write lock until the answer is called. */
  lock(): Promise<() => Promise<void>>;
  /** Whether one process alone works on the store: leases that it finds at its start belong to the dead. */
  isSingle: boolean;
  /** How long a change waits for that program. */
  lockWaitMs: number;
  close(): Promise<void>;
}

export type PromiseTest = (title: string, body: (harness: StoreHarness) => Promise<void>) => void;

/** Each promise gets a store of its own. */
export function promises(name: string, make: () => Promise<StoreHarness>): PromiseTest {
  return (title, body) =>
    test(`${name}: ${title}`, { timeout: 30_000 }, async () => {
      const harness = await make();
      try {
        await body(harness);
      } finally {
        await harness.close();
      }
    });
}

export const T0 = 1_800_000_000_000;
export const CHANNEL = 'chn_one';
export const ACCOUNT = 'acc_one';

export async function createAccount(store: Store, id: string, amountMicros: bigint): Promise<void> {
  await store.createAccount({ id, name: `Account ${id}`, status: 'active', createdAt: T0 });
  await store.post({ accountId: id, kind: 'top_up', amountMicros, note: 'test credit', at: T0 });
}

export async function createChannel(store: Store, id: string): Promise<void> {
  await store.createChannel({
    id,
    name: id,
    provider: 'kling',
    credentialSealed: 'sealed',
    baseUrl: null,
    priority: 0,
    weight: 1,
    concurrency: 5,
    requestsPerSecond: 2.5,
    enabled: true,
    sandbox: false,
    createdAt: T0,
    updatedAt: T0,
  });
}

/** An account with 1,000 micros, and a channel. */
export async function furnish(store: Store): Promise<void> {
  await createAccount(store, ACCOUNT, 1_000n);
  await createChannel(store, CHANNEL);
}

let tasksMade = 0;

/** Ids sort in the order of making; all of them are of the same time. */
export function taskId(): string {
  return idFloor('task_', T0) + String(++tasksMade).padStart(24, '0');
}

export function newTask(changes: Partial<Task> & { holdMicros?: bigint } = {}): Task {
  const { holdMicros = 100n, ...fields } = changes;
  return {
    id: taskId(),
    accountId: ACCOUNT,
    keyId: 'key_one',
    state: 'queued',
    surface: 'openai.videos',
    requestedModel: 'Kling-V1',
    model: 'kling-v1',
    tier: 'kling-1.0-720p',
    request: {
      family: 'kling',
      operation: 'text-to-video',
      model: 'kling-v1',
      requestedModel: 'Kling-V1',
      prompt: 'a cat — 猫',
      negativePrompt: null,
      seconds: 5,
      resolution: '720P',
      quality: 'std',
      aspectRatio: '16:9',
      sound: false,
      firstFrame: null,
      lastFrame: null,
      references: [],
      referenceVideo: null,
      cfgScale: 0.5,
      cameraControl: null,
      staticMask: null,
      dynamicMasks: [],
      multiShot: null,
      voiceIds: [],
      elementIds: [],
      motion: null,
      audio: null,
      watermark: false,
      retention: { mode: null, expiresAt: null, mediaName: null, classId: null },
      compliance: {},
      extensions: { element_list: [{ element_id: 829_836_802_793_406_551n }] },
    },
    quote: {
      tier: 'kling-1.0-720p',
      unit: 'second',
      quantity: 5,
      quantityMax: 5,
      unitPriceMicros: holdMicros / 5n,
      amountMicros: holdMicros,
      currency: 'USD',
      priceBook: 'test',
    },
    warnings: [{ code: 'ignored', field: 'foo', message: 'foo is ignored.' }],
    externalTaskId: null,
    callbackUrl: null,
    channelId: CHANNEL,
    pool: '',
    priority: 0,
    attemptId: null,
    createdAt: T0,
    startedAt: null,
    endedAt: null,
    updatedAt: T0,
    deadlineAt: T0 + 86_400_000,
    mediaExpiresAt: null,
    error: null,
    result: null,
    chargeMicros: null,
    metadata: { order: 9_007_199_254_740_993n },
    ...fields,
  };
}

/** A waiting task. */
export async function accept(store: Store, task: Task = newTask()): Promise<Task> {
  await store.acceptTask({ task, attempt: null });
  return task;
}

/** A task whose first attempt is `submitting`. */
export async function acceptAndSubmit(
  store: Store,
  task: Task = newTask(),
): Promise<{ task: Task; attemptId: string }> {
  const attemptId = `att_${task.id}`;
  const attempt: NewTask['attempt'] = { id: attemptId, owner: 'node-1', submitDeadlineAt: T0 + 5_000 };
  await store.acceptTask({ task, attempt });
  return { task, attemptId };
}

/** A task that runs at the upstream. */
export async function run(store: Store, task: Task = newTask()): Promise<{ task: Task; attemptId: string }> {
  const submitted = await acceptAndSubmit(store, task);
  const { attemptId } = submitted;
  await store.acceptAttempt({ attemptId, ref: { id: 'up-1' }, at: T0 + 10, exchanges: [] });
  await store.startTask({ taskId: task.id, at: T0 + 20 });
  return submitted;
}

/** The open attempts of the channel, read in pages. */
export async function openOn(store: Store): Promise<RunningAttempt[]> {
  const all: RunningAttempt[] = [];
  for (let isMore = true; isMore;) {
    const some = await store.openAttemptsOf(CHANNEL, all.at(-1)?.attemptId ?? null, 100);
    all.push(...some);
    isMore = some.length === 100;
  }
  return all;
}

export const RESULT: NonNullable<Task['result']> = {
  outputs: [
    { role: 'video', key: 'a/b.mp4', contentType: 'video/mp4', bytes: 10, sha256: 'ff', upstreamId: null },
  ],
  width: 1280,
  height: 720,
  durationSeconds: 5.04,
  hasSound: false,
};

export function complete(
  store: Store,
  id: string,
  attemptId: string | null,
  chargeMicros: bigint,
): Promise<boolean> {
  return store.finishTask({
    taskId: id,
    attemptId,
    at: T0 + 100,
    exchanges: [],
    outcome: { state: 'completed', result: RESULT, chargeMicros, quantity: 5 },
  });
}

export function fail(store: Store, id: string, attemptId: string | null): Promise<boolean> {
  return store.finishTask({
    taskId: id,
    attemptId,
    at: T0 + 100,
    exchanges: [],
    outcome: { state: 'failed', code: 'task_failed', message: 'It failed.', attemptState: 'failed' },
  });
}

export async function refused(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(work, (error) => error instanceof GatewayError && error.code === code);
}

/** The ledger is in order, and the wallet is exactly so. */
export async function assertMoney(
  store: Store,
  available: bigint,
  held: bigint,
  accountId = ACCOUNT,
): Promise<void> {
  assert.deepEqual(await store.getWallet(accountId), {
    accountId,
    availableMicros: available,
    heldMicros: held,
  });
  const verdict = await store.verifyLedger();
  assert.deepEqual(verdict.mismatches, []);
  assert.equal(verdict.ok, true);
  assert.equal(verdict.sumMicros, 0n);
}

export async function eventTypes(store: Store, id: string): Promise<string[]> {
  const { rows } = await store.listEvents({ taskId: id, cursor: null, limit: 100 });
  return rows.map((row) => row.type);
}
