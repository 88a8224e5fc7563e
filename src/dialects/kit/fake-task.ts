/** Tasks as the engine would keep them, for the tests of dialects. */
import type { Principal, Quote } from '../../core/ports.ts';
import type { FeatureMakes, FeatureRequest } from '../../core/request/feature.ts';
import type { VideoRequest } from '../../core/request/types.ts';
import type { StoredOutput, Task } from '../../core/task.ts';

export const testPrincipal: Principal = { accountId: 'acct_1', keyId: 'key_1', responseStyle: 'superset' };
export const strictPrincipal: Principal = { ...testPrincipal, keyId: 'key_2', responseStyle: 'strict' };

/** 2026-06-08T04:05:41Z. Long past, so that the progress of a running task stands still at 99. */
const createdAt = 1_780_891_541_000;

/** A task of a film in the given state. */
export function taskIn(state: Task['state'], number: number): Task {
  const request = requestOf('kling-2.5');
  const hasStarted = state !== 'queued' && state !== 'cancelled';
  const endedAt =
    state === 'completed' || state === 'failed' || state === 'cancelled' ? createdAt + 59_000 : null;
  return {
    id: `task_${String(number).padStart(32, '0')}`,
    accountId: testPrincipal.accountId,
    keyId: testPrincipal.keyId,
    state,
    surface: 'openai.videos',
    requestedModel: 'kling-2.5',
    model: 'kling-v2-5-turbo',
    tier: 'kling-2.5-720p-mute',
    request,
    quote,
    warnings: [],
    externalTaskId: null,
    callbackUrl: null,
    channelId: 'channel_1',
    pool: '',
    priority: 0,
    attemptId: hasStarted ? 'att_1' : null,
    createdAt,
    startedAt: hasStarted ? createdAt + 3_000 : null,
    endedAt,
    updatedAt: endedAt ?? createdAt + (hasStarted ? 3_000 : 0),
    deadlineAt: createdAt + 86_400_000,
    mediaExpiresAt: null,
    error: state === 'failed' ? { code: 'task_failed', message: 'The reference cannot be reached.' } : null,
    result:
      state === 'completed'
        ? { outputs: [], width: 1280, height: 720, durationSeconds: 5.041, hasSound: false }
        : null,
    chargeMicros: state === 'completed' ? quote.amountMicros : null,
    metadata: {},
  };
}

export const quote: Quote = {
  tier: 'kling-2.5-720p-mute',
  unit: 'second',
  quantity: 5,
  quantityMax: 5,
  unitPriceMicros: 28_000n,
  amountMicros: 140_000n,
  currency: 'USD',
  priceBook: 'default',
};

/** What a task of a feature has instead of a film's request. */
export function featureTask(
  operation: string,
  makes: FeatureMakes,
  changes: Partial<FeatureRequest> = {},
): { request: FeatureRequest; model: string; requestedModel: string; tier: string } {
  const request = { ...featureRequestOf(operation, makes), ...changes };
  return {
    request,
    model: request.model,
    requestedModel: request.requestedModel,
    tier: `kling-${operation}`,
  };
}

/** An output as it lies in our storage. */
export function storedOutput(
  role: StoredOutput['role'],
  contentType: string,
  more: Partial<StoredOutput> = {},
): StoredOutput {
  const file = `${role}-${more.index ?? 0}`;
  return { role, key: `outputs/${file}`, contentType, bytes: 20, sha256: '', upstreamId: null, ...more };
}

function featureRequestOf(operation: string, makes: FeatureMakes): FeatureRequest {
  return {
    kind: 'feature',
    family: 'kling',
    operation,
    model: 'kling-v1',
    requestedModel: 'kling-v1',
    makes,
    immediate: false,
    prompt: '',
    seconds: null,
    count: 1,
    parameters: {},
    media: [],
    resources: [],
    watermark: false,
    retention: { mode: null, expiresAt: null, mediaName: null, classId: null },
  };
}

/** The request of a plain film. */
export function requestOf(requestedModel: string): VideoRequest {
  return {
    family: 'kling',
    operation: 'text-to-video',
    model: 'kling-v2-5-turbo',
    requestedModel,
    prompt: 'a cat with a ball of yarn',
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
    cfgScale: null,
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
    extensions: {},
  };
}
