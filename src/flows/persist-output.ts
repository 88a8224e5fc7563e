/**
 * Fetches what the upstream made into our own storage, then completes and charges the task in one transaction.
 * May run any number of times: keys are the task's, and finishing compares before it sets.
 */
import type { Channel, OpenAttempt, UpstreamOutput } from '../core/ports.ts';
import { isFeature } from '../core/request/feature.ts';
import type { StoredOutput, Task, TaskResult } from '../core/task.ts';
import { isFinal } from '../core/task.ts';
import { extractCover } from '../lib/mp4-cover.ts';
import { readMp4Info } from '../lib/mp4-info.ts';
import type { RangeReader } from '../lib/mp4-boxes.ts';
import { imageSize, sniff, sniffBytes } from '../lib/sniff.ts';
import { completeTask } from './complete-task.ts';
import type { FlowContext } from './context.ts';
import { makerOf } from './maker.ts';

/**
 * Rejects when a file could not be fetched: the job runs again later, with fresh source URLs. `signal` ends the fetching
 * when somebody else may begin with it.
 */
export async function persistOutput(
  ctx: FlowContext,
  input: { taskId: string; attemptId: string },
  isRetry: boolean,
  signal?: AbortSignal,
): Promise<void> {
  const open = await ctx.store.getAttempt(input.attemptId);
  if (open === null || isFinal(open.task.state) || open.attempt.state !== 'made') return;
  const { task, attempt } = open;
  const row = await ctx.channels.get(attempt.channelId);
  if (row === null) throw new Error(`attempt ${input.attemptId} names an unknown channel`);
  const channel = ctx.channels.open(row, null);

  ctx.faults('persist:before-download');
  // Source URLs carry tokens that expire: after a failure they are asked for again.
  const outputs = isRetry ? await freshOutputs(ctx, open, channel) : (attempt.outputs ?? []);
  const stored: StoredOutput[] = [];
  for (const output of outputs) stored.push(await fetchOutput(ctx, channel, task, output, signal));
  ctx.faults('persist:after-download');

  const result = await describe(ctx, task, stored);
  ctx.faults('persist:before-finish');
  await completeTask(ctx, {
    task,
    attemptId: attempt.id,
    channelId: attempt.channelId,
    result,
    outputSeconds: result.durationSeconds,
    found: attempt.found,
    exchanges: [],
  });
  ctx.faults('persist:after-finish');
}

async function freshOutputs(
  ctx: FlowContext,
  { task, attempt }: OpenAttempt,
  channel: Channel,
): Promise<UpstreamOutput[]> {
  const known = attempt.outputs ?? [];
  // What was answered at once cannot be asked for again.
  if (isFeature(task.request) && task.request.immediate) return known;
  const maker = makerOf(ctx.providers.get(channel.provider), task.request)!;
  const observation = await maker.poll(attempt.ref, channel, AbortSignal.timeout(30_000));
  return observation.status === 'succeeded' ? observation.outputs : known;
}

/** Usual file type of a role; pictures and sounds are named by what came. */
const ROLE_TYPES: Record<UpstreamOutput['role'], string> = {
  video: 'video/mp4',
  watermarked: 'video/mp4',
  cover: 'image/jpeg',
  audio: 'audio/mpeg',
  audio_wav: 'audio/wav',
  image: 'image/png',
};

/** A map: the types are an upstream's words, and an object knows words of its own. */
const EXTENSIONS = new Map([
  ['video/mp4', 'mp4'],
  ['video/quicktime', 'mov'],
  ['video/webm', 'webm'],
  ['image/png', 'png'],
  ['image/jpeg', 'jpg'],
  ['image/webp', 'webp'],
  ['audio/mpeg', 'mp3'],
  ['audio/wav', 'wav'],
  ['audio/mp4', 'm4a'],
  ['audio/ogg', 'ogg'],
]);

async function fetchOutput(
  ctx: FlowContext,
  channel: Channel,
  task: Task,
  output: UpstreamOutput,
  signal: AbortSignal | undefined,
): Promise<StoredOutput> {
  const position = output.index === undefined || output.index === 0 ? '' : `-${output.index}`;
  let key = '';
  const { result, response } = await ctx.guarded.download({
    url: output.url,
    // The operator set this origin; anything else an upstream names is checked like a stranger's URL.
    trustedOrigins: new Set([new URL(channel.baseUrl).origin]),
    timeoutMs: 600_000,
    bytesMax: ctx.settings.outputBytesMax,
    ...(signal !== undefined && { signal }),
    to: (body, { headers }) => {
      const extension = EXTENSIONS.get(typeOf(headers)) ?? EXTENSIONS.get(ROLE_TYPES[output.role]);
      key = `outputs/${task.id}/${output.role}${position}.${extension}`;
      return ctx.media.put(key, body);
    },
  });
  const { bytes, sha256 } = result;
  const recognised = sniff(await bytesOf(ctx, key, 0, sniffBytes - 1))?.contentType ?? null;
  const declared = typeOf(response.headers);
  // Pages that say "expired" come with any type in the header: a file is what it begins like.
  if (!suits(output, recognised, task)) {
    await ctx.media.delete(key);
    throw new Error(
      `the source sent ${recognised ?? `nothing known (${bytes} bytes, ${declared || 'no type'})`} where the ` +
        `${output.role} file of ${task.id} was expected`,
    );
  }
  return {
    role: output.role,
    key,
    contentType: typeInRole(output, recognised ?? declared),
    bytes,
    sha256,
    upstreamId: output.upstreamId,
    ...(output.index !== undefined && { index: output.index }),
    ...(output.path !== undefined && { path: output.path }),
    ...(credible(output.durationSeconds) !== null && { durationSeconds: credible(output.durationSeconds) }),
  };
}

/** A month: what claims to last longer does not say how long it is. */
const SECONDS_MAX = 30 * 86_400;

/** A length as the upstream or the file states it; null where nobody can mean it (stored as JSON it would be no number). */
function credible(seconds: number | null | undefined): number | null {
  return typeof seconds === 'number' && seconds >= 0 && seconds <= SECONDS_MAX ? seconds : null;
}

function typeOf(headers: Record<string, string | string[] | undefined>): string {
  return String(headers['content-type'] ?? '')
    .split(';')[0]!
    .trim()
    .toLowerCase();
}

/** Films and sounds share the MP4 container, and its brand need not tell which it is: the role does. */
function typeInRole({ role }: UpstreamOutput, contentType: string): string {
  const isSound = role === 'audio' || role === 'audio_wav';
  return isSound && contentType === 'video/mp4' ? 'audio/mp4' : contentType;
}

/** Whether the bytes are what the role promises; a watermarked file is like what it marks. */
function suits(output: UpstreamOutput, recognised: string | null, task: Task): boolean {
  const makesPictures = isFeature(task.request) && task.request.makes === 'image';
  const group =
    output.role === 'video' || (output.role === 'watermarked' && !makesPictures)
      ? /^video\//
      : output.role === 'audio' || output.role === 'audio_wav'
        ? /^(audio|video)\//
        : /^image\//;
  return recognised !== null && group.test(recognised);
}

/** A small range of a stored file, `end` inclusive. */
async function bytesOf(ctx: FlowContext, key: string, start: number, end: number): Promise<Buffer> {
  const part = await ctx.media.open(key, { start, end });
  if (part === null) throw new Error(`${key} is gone`);
  const chunks: Buffer[] = [];
  for await (const chunk of part.stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Size, length and cover of the real files; a file we cannot read is still the caller's. */
async function describe(
  ctx: FlowContext,
  task: Task,
  stored: StoredOutput[],
): Promise<Omit<TaskResult, 'data'>> {
  const video = stored.find((output) => output.role === 'video');
  if (video !== undefined) return describeFilm(ctx, task.id, stored, video);
  const [first] = stored;
  if (first === undefined || !isFeature(task.request)) {
    throw new Error(`the upstream reported success for ${task.id} without what was asked for`);
  }
  const size = first.contentType.startsWith('image/') ? await pictureSize(ctx, first) : null;
  return {
    outputs: stored,
    width: size?.width ?? null,
    height: size?.height ?? null,
    durationSeconds: first.durationSeconds ?? null,
    hasSound: first.role === 'audio' || first.role === 'audio_wav',
  };
}

/** The size stands near the beginning of a PNG; a JPEG may carry a large preview first. */
async function pictureSize(
  ctx: FlowContext,
  picture: StoredOutput,
): Promise<{ width: number; height: number } | null> {
  const head = await bytesOf(ctx, picture.key, 0, Math.min(picture.bytes, 262_144) - 1);
  return imageSize(head);
}

async function describeFilm(
  ctx: FlowContext,
  taskId: string,
  stored: StoredOutput[],
  video: StoredOutput,
): Promise<Omit<TaskResult, 'data'>> {
  const source: RangeReader = {
    size: video.bytes,
    async read(offset, length) {
      if (length <= 0 || offset >= video.bytes) return Buffer.alloc(0);
      return bytesOf(ctx, video.key, offset, Math.min(offset + length, video.bytes) - 1);
    },
  };
  const info = await readMp4Info(source);
  const outputs = [...stored];
  if (!outputs.some((output) => output.role === 'cover')) {
    const cover = await extractCover(source);
    if (cover !== null) {
      const extension = cover.contentType === 'image/png' ? 'png' : 'jpg';
      const key = `outputs/${taskId}/cover.${extension}`;
      const put = await ctx.media.put(key, Buffer.from(cover.bytes), { contentType: cover.contentType });
      outputs.push({ role: 'cover', key, contentType: cover.contentType, ...put, upstreamId: null });
    }
  }
  return {
    outputs,
    width: info?.width ?? null,
    height: info?.height ?? null,
    durationSeconds: credible(info?.durationSeconds) ?? video.durationSeconds ?? null,
    hasSound: info?.hasAudio ?? null,
  };
}
