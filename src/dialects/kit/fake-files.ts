/** The file store of the gateway in memory. */
import { Readable } from 'node:stream';
import { GatewayError } from '../../core/errors.ts';
import type { FileRow, Gateway, Principal } from '../../core/ports.ts';

export interface FakeFiles extends Pick<
  Gateway,
  'createFile' | 'findFile' | 'listFiles' | 'deleteFile' | 'fileContent'
> {
  /** All files, oldest first. */
  files: (FileRow & { content: Buffer })[];
}

/** 2026-06-08T04:05:41Z. */
const createdAt = 1_780_891_541_000;

/** `check` runs before every verb and may refuse it. */
export function createFakeFiles(check: () => void): FakeFiles {
  const files: FakeFiles['files'] = [];

  function filesOf(principal: Principal) {
    return files.filter((file) => file.accountId === principal.accountId);
  }

  function find(principal: Principal, id: string) {
    const file = filesOf(principal).find((each) => each.id === id);
    if (file !== undefined) return file;
    throw new GatewayError('file_not_found', `There is no file ${id} in this account.`);
  }

  return {
    files,
    async createFile(principal, { bytes, filename, purpose, contentType, expiresAt }) {
      check();
      const row: FileRow = {
        id: `file-${files.length + 1}`,
        accountId: principal.accountId,
        filename,
        purpose,
        contentType: contentType ?? 'application/octet-stream',
        bytes: bytes.length,
        width: null,
        height: null,
        mediaKey: `files/${files.length + 1}`,
        createdAt,
        expiresAt,
      };
      files.push({ ...row, content: bytes });
      return row;
    },
    async findFile(principal, id) {
      check();
      return find(principal, id);
    },
    async listFiles(principal, { purpose, order, after, limit }) {
      check();
      const mine = filesOf(principal).filter((file) => (purpose ?? file.purpose) === file.purpose);
      if (order === 'desc') mine.reverse();
      const start = after === undefined ? 0 : mine.findIndex((file) => file.id === after) + 1;
      const page = mine.slice(start, start + limit);
      return { files: page, hasMore: start + page.length < mine.length };
    },
    async deleteFile(principal, id) {
      check();
      files.splice(files.indexOf(find(principal, id)), 1);
    },
    async fileContent(principal, id) {
      check();
      const { content, contentType, filename } = find(principal, id);
      return {
        bytes: content.length,
        contentType,
        etag: '"file"',
        modifiedAt: createdAt,
        filename,
        open: async (range) =>
          Readable.from([
            content.subarray(range?.start ?? 0, range === undefined ? content.length : range.end + 1),
          ]),
      };
    },
  };
}
