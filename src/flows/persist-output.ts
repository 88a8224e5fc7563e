/**
 * Fetches what the upstream made into our own storage, then completes and charges the task in one transaction.
 * May run any number of times: keys are the task's, and finishing compares before it sets.
 */
import type { Channel, OpenAttempt, UpstreamOutput } from '../core/ports.ts';
import { chargeFor } from '../core/pricing.ts';
import type { StoredOutput, TaskResult } from '../core/task.ts';
import { isFinal } from '../core/task.ts';
import { extractCover } from '../lib/mp4-cover.ts';
import { readMp4Info } from '../lib/mp4-info.ts';
import type { RangeReader } from '../lib/mp4-boxes.ts';
import { sniff, sniffBytes } from '../lib/sniff.ts';
import type { FlowContext } from './context.ts';

/** Rejects when a file could not be fetched: the job runs again later, with fresh source URLs. */
export async function persistOutput(
  ctx: FlowContext,
  input: { taskId: string; attemptId: string },
  isRetry: boolean,
): Promise<void> {
  const open = await ctx.store.getAttempt(input.attemptId);
  if (open === null || isFinal(open.task.state) || open.attempt.state !== 'made') return;
  const row = await ctx.channels.get(open.attempt.channelId);
  if (row === null) throw new Error(`attempt ${input.attemptId} names an unknown channel`);
  const channel = ctx.channels.open(row, () => {});

  ctx.faults('persist:before-download');
  // Source URLs carry tokens that expire: after a failure they are asked for again.
  const outputs = isRetry ? await freshOutputs(ctx, open, channel) : (open.attempt.outputs ?? []);
  const stored: StoredOutput[] = [];
  for (const output of outputs) stored.push(await fetchOutput(ctx, channel, input.taskId, output));
  ctx.faults('persist:after-download');

  const result = await describe(ctx, input.taskId, stored);
  const told = outputs.find((output) => output.role === 'video')?.durationSeconds ?? null;
  const charge = chargeFor(open.task.quote, open.task.request, result.durationSeconds ?? told);
  ctx.faults('persist:before-finish');
  await ctx.store.finishTask({
    taskId: input.taskId,
    attemptId: input.attemptId,
    at: ctx.clock.now(),
    exchanges: [],
    outcome: {
      state: 'completed',
      result,
      chargeMicros: charge.amountMicros,
      quantity: charge.quantity,
    },
  });
  ctx.faults('persist:after-finish');
}

async function freshOutputs(
  ctx: FlowContext,
  open: OpenAttempt,
  channel: Channel,
): Promise<UpstreamOutput[]> {
  const maker = ctx.providers.get(channel.provider)!.video!;
  const observation = await maker.poll(open.attempt.ref, channel, AbortSignal.timeout(30_000));
  return observation.status === 'succeeded' ? observation.outputs : (open.attempt.outputs ?? []);
}

async function fetchOutput(
  ctx: FlowContext,
  channel: Channel,
  taskId: string,
  output: UpstreamOutput,
): Promise<StoredOutput> {
  const extension = output.role === 'cover' ? 'jpg' : output.role === 'audio' ? 'mp3' : 'mp4';
  const key = `outputs/${taskId}/${output.role}.${extension}`;
  const { result, response } = await ctx.guarded.download({
    url: output.url,
    // The operator set this origin; anything else an upstream names is checked like a stranger's URL.
    trustedOrigins: new Set([new URL(channel.baseUrl).origin]),
    timeoutMs: 600_000,
    bytesMax: ctx.settings.outputBytesMax,
    to: (body) => ctx.media.put(key, body),
  });
  const { bytes, sha256 } = result;
  const declared = String(response.headers['content-type'] ?? '').split(';')[0]!;
  const recognised = await recognise(ctx, key);
  // Pages that say "expired" come with any type in the header: a film is what begins like one.
  if (isFilm(output) && !recognised?.startsWith('video/')) {
    await ctx.media.delete(key);
    throw new Error(
      `the source sent ${recognised ?? `no film (${bytes} bytes, ${declared || 'no type'})`} where the ` +
        `${output.role} file of ${taskId} was expected`,
    );
  }
  const contentType = recognised ?? declared;
  return { role: output.role, key, contentType, bytes, sha256, upstreamId: output.upstreamId };
}

function isFilm(output: UpstreamOutput): boolean {
  return output.role === 'video' || output.role === 'watermarked';
}

async function recognise(ctx: FlowContext, key: string): Promise<string | null> {
  return sniff(await bytesOf(ctx, key, 0, sniffBytes - 1))?.contentType ?? null;
}

/** A small range of a stored file, `end` inclusive. */
async function bytesOf(ctx: FlowContext, key: string, start: number, end: number): Promise<Buffer> {
  const part = await ctx.media.open(key, { start, end });
  if (part === null) throw new Error(`${key} is gone`);
  const chunks: Buffer[] = [];
  for await (const chunk of part.stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** Size, length and cover of the real file; a file we cannot read is still the caller's film. */
async function describe(ctx: FlowContext, taskId: string, stored: StoredOutput[]): Promise<TaskResult> {
  const video = stored.find((output) => output.role === 'video');
  if (video === undefined) throw new Error(`the upstream reported success for ${taskId} without a video`);
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
    durationSeconds: info?.durationSeconds ?? null,
    hasSound: info?.hasAudio ?? null,
  };
}
