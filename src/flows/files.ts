/**
 * Files an account keeps with us, usable wherever a picture, sound or film is wanted.
 */
import { GatewayError } from '../core/errors.ts';
import type { Content, FileRow, Principal, RememberKey, UsedKey } from '../core/ports.ts';
import { imageSize, sniff } from '../lib/sniff.ts';
import type { FlowContext } from './context.ts';
import type { Pending } from './once.ts';

export interface NewFile {
  bytes: Buffer;
  filename: string;
  purpose: string;
  contentType: string | null;
  /** Unix ms; null: kept until deleted. */
  expiresAt: number | null;
}

/** RFC 6838 §4.2, without parameters: what is claimed becomes a header of an answer of ours one day. */
const TYPE = /^[A-Za-z0-9][\w!#$&^.+-]{0,126}\/[A-Za-z0-9][\w!#$&^.+-]{0,126}$/;

/** Keeps the bytes, then the row: a row never names bytes that are not there. */
export async function createFile(
  ctx: FlowContext,
  principal: Principal,
  input: NewFile,
  pending: Pending<RememberKey> | null,
): Promise<FileRow> {
  if (input.bytes.length === 0) {
    throw new GatewayError('invalid_value', 'file is empty: send the bytes of the file.', { param: 'file' });
  }
  const now = ctx.clock.now();
  const id = ctx.newId('file_');
  // What the bytes are decides; the caller's word counts only where they say nothing.
  const known = sniff(input.bytes);
  const claimed = TYPE.test(input.contentType ?? '') ? input.contentType : null;
  const contentType = known?.contentType ?? claimed ?? 'application/octet-stream';
  const size = contentType.startsWith('image/') ? imageSize(input.bytes) : null;
  const mediaKey = `files/${principal.accountId}/${id}.${known?.extension ?? 'bin'}`;
  await ctx.media.put(mediaKey, input.bytes, { contentType });
  const row: FileRow = {
    id,
    accountId: principal.accountId,
    filename: input.filename,
    purpose: input.purpose,
    contentType,
    bytes: input.bytes.length,
    width: size?.width ?? null,
    height: size?.height ?? null,
    mediaKey,
    createdAt: now,
    expiresAt: input.expiresAt,
  };
  await ctx.store.createFile(row, pending?.remember ?? null);
  return row;
}

/** The answer to an upload with a key, as it was given: the file itself may be gone by now. */
export function replayFile({ response }: UsedKey): FileRow & { replayed: true } {
  return { ...(response as unknown as FileRow), replayed: true };
}

export async function findFile(ctx: FlowContext, principal: Principal, id: string): Promise<FileRow> {
  const row = await ctx.store.findFile(principal.accountId, id, ctx.clock.now());
  if (row !== null) return row;
  throw new GatewayError('file_not_found', `There is no file ${JSON.stringify(id)} in this account.`);
}

/** The row first: bytes without a row are swept, a row without bytes would lie. */
export async function deleteFile(ctx: FlowContext, principal: Principal, id: string): Promise<void> {
  const row = await ctx.store.deleteFile(principal.accountId, id);
  if (row === null) {
    throw new GatewayError('file_not_found', `There is no file ${JSON.stringify(id)} in this account.`);
  }
  await ctx.media.delete(row.mediaKey);
}

export async function readFile(ctx: FlowContext, principal: Principal, id: string): Promise<Content> {
  const row = await findFile(ctx, principal, id);
  return {
    bytes: row.bytes,
    contentType: row.contentType,
    etag: `"${row.id}"`,
    modifiedAt: row.createdAt,
    filename: row.filename,
    async open(range) {
      const opened = await ctx.media.open(row.mediaKey, range);
      if (opened === null) throw new GatewayError('file_not_found', `The bytes of ${id} are no longer kept.`);
      return opened.stream;
    },
  };
}
