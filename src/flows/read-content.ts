/**
 * The bytes of a completed task, by variant.
 */
import { GatewayError } from '../core/errors.ts';
import type { Content, Variant } from '../core/ports.ts';
import type { StoredOutput, Task } from '../core/task.ts';
import { coverByFfmpeg } from '../lib/ffmpeg-cover.ts';
import { sniff, sniffBytes } from '../lib/sniff.ts';
import type { FlowContext } from './context.ts';

/** Throws `task_not_completed`, or `variant_not_available` with what there is instead. */
export async function readContent(ctx: FlowContext, task: Task, variant: Variant): Promise<Content> {
  requireFiles(ctx, task);
  const output = pick(task, variant) ?? (variant === 'thumbnail' ? await drawCover(ctx, task) : null);
  if (output === null) throw unavailable(task, variant);
  return contentOf(ctx, task, output);
}

function requireFiles(ctx: FlowContext, task: Task): void {
  if (task.state !== 'completed' || task.result === null) {
    throw new GatewayError(
      'task_not_completed',
      task.state === 'failed' || task.state === 'cancelled'
        ? `${task.id} has ${task.state === 'failed' ? 'failed' : 'been cancelled'}: there is nothing to download.`
        : `${task.id} is not completed yet (it is ${task.state}): poll it until its status is completed.`,
    );
  }
  if ((task.mediaExpiresAt ?? Infinity) <= ctx.clock.now()) {
    throw new GatewayError(
      'variant_not_available',
      `The files of ${task.id} were kept until their expiry and are gone.`,
    );
  }
}

async function contentOf(ctx: FlowContext, task: Task, output: StoredOutput): Promise<Content> {
  const gone = () => new GatewayError('variant_not_available', `The files of ${task.id} are no longer kept.`);
  const stat = await ctx.media.stat(output.key);
  if (stat === null) throw gone();
  return {
    bytes: stat.bytes,
    contentType: output.contentType,
    etag: `"${output.sha256.slice(0, 32)}"`,
    modifiedAt: task.endedAt ?? stat.modifiedAt,
    filename: filenameOf(task, output),
    async open(range) {
      const opened = await ctx.media.open(output.key, range);
      if (opened === null) throw gone();
      return opened.stream;
    },
  };
}

/** The bytes behind a signed link, which names a task, a file of it and no account. */
export async function readLinkedContent(ctx: FlowContext, taskId: string, file: string): Promise<Content> {
  const task = await ctx.store.getTask(taskId);
  if (task === null) throw new GatewayError('task_not_found', `There is no task ${JSON.stringify(taskId)}.`);
  requireFiles(ctx, task);
  const output = task.result!.outputs.find((candidate) => candidate.key.endsWith(`/${file}`));
  if (output === undefined) throw new GatewayError('file_not_found', `${taskId} has no file '${file}'.`);
  return contentOf(ctx, task, output);
}

/** The bytes behind a link that an upstream was given to a caller's picture, film or sound. */
export async function readLinkedInput(ctx: FlowContext, key: string): Promise<Content> {
  const gone = () => new GatewayError('file_not_found', 'The file is no longer kept.');
  if (!/^(inputs|files)\//.test(key)) throw gone();
  const stat = await ctx.media.stat(key);
  const head = await ctx.media.open(key, { start: 0, end: sniffBytes - 1 });
  if (stat === null || head === null) throw gone();
  const chunks: Buffer[] = [];
  for await (const chunk of head.stream) chunks.push(chunk as Buffer);
  return {
    bytes: stat.bytes,
    contentType: sniff(Buffer.concat(chunks))?.contentType ?? 'application/octet-stream',
    etag: `"${stat.modifiedAt}-${stat.bytes}"`,
    modifiedAt: stat.modifiedAt,
    filename: key.slice(key.lastIndexOf('/') + 1),
    async open(range) {
      const opened = await ctx.media.open(key, range);
      if (opened === null) throw gone();
      return opened.stream;
    },
  };
}

function pick(task: Task, variant: Variant): StoredOutput | null {
  const outputs = task.result!.outputs;
  const role = { video: 'video', watermarked: 'watermarked', thumbnail: 'cover', spritesheet: null }[variant];
  const found = outputs.find((output) => output.role === role);
  // Where no film was asked for, the main output is whatever was.
  return found ?? (variant === 'video' ? outputs[0] : undefined) ?? null;
}

/** A film without a cover of its own: one frame by ffmpeg, when the machine has it; kept for the next caller. */
async function drawCover(ctx: FlowContext, task: Task): Promise<StoredOutput | null> {
  const key = `outputs/${task.id}/cover.jpg`;
  const video = pick(task, 'video');
  const path = video && ctx.media.localPath(video.key);
  if (!path) return null;
  if ((await ctx.media.stat(key)) === null) {
    const picture = await coverByFfmpeg(path, video.contentType);
    if (picture === null) return null;
    await ctx.media.put(key, picture, { contentType: 'image/jpeg' });
  }
  return {
    role: 'cover',
    key,
    contentType: 'image/jpeg',
    bytes: 0,
    sha256: `cover-${video.sha256}`,
    upstreamId: null,
  };
}

function unavailable(task: Task, variant: Variant): GatewayError {
  const reason =
    variant === 'thumbnail'
      ? 'the film carries no cover picture, and making one needs ffmpeg on the path of the gateway'
      : variant === 'spritesheet'
        ? 'no system behind this gateway makes one'
        : 'it was not asked for when the task was created';
  return new GatewayError('variant_not_available', `${task.id} has no ${variant}: ${reason}.`, {
    param: 'variant',
  });
}

function filenameOf(task: Task, output: StoredOutput): string {
  const extension = output.key.slice(output.key.lastIndexOf('.') + 1);
  const stem = task.request.retention.mediaName ?? task.id;
  const suffix = output.role === 'video' ? '' : `-${output.role}`;
  return `${stem}${suffix}.${extension}`;
}
