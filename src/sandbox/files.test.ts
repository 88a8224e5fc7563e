import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import sharp from 'sharp';
import type { ImagePlan } from '../providers/kit/simulator.ts';
import { createFileLinks } from './file-links.ts';
import { contentTypeOf, createFiles } from './files.ts';
import type { ImageJob, SoundJob } from './render/index.ts';
import { openState } from './state.ts';

const plan: ImagePlan = {
  kind: 'image',
  name: 'image-0.png',
  size: { width: 640, height: 360 },
  prompt: 'a lake',
  title: 'kling-v1',
  source: null,
  watermark: false,
};
const source = { kind: 'picture', pictureId: 'kept' } as const;

/** What the renderer was asked for. */
function drawing(picture: Uint8Array | null = null) {
  const jobs: (ImageJob | SoundJob)[] = [];
  const rendered = { path: '/dev/null', bytes: 0 };
  const files = createFiles(
    {
      image: async (job) => (jobs.push(job), rendered),
      sound: async (job) => (jobs.push(job), rendered),
    },
    { keep: () => 'kept', read: async () => picture },
  );
  return { files, jobs };
}

describe('stills and sounds of a task', () => {
  test('a still has the size of its plan', async () => {
    const { files, jobs } = drawing();
    await files.file(plan);
    assert.deepEqual(jobs, [
      { width: 640, height: 360, prompt: 'a lake', title: 'kling-v1 · 640x360', format: 'png' },
    ]);
  });

  test('or that of its source, stretched', async () => {
    const picture = await sharp({ create: { width: 300, height: 400, channels: 3, background: '#123' } })
      .png()
      .toBuffer();
    const { files, jobs } = drawing(picture);
    await files.file({ ...plan, size: null, source, stretch: { width: 2, height: 1.5 }, watermark: true });
    const [job] = jobs as ImageJob[];
    assert.deepEqual([job?.width, job?.height, job?.watermark], [600, 600, true]);
    assert.equal(job?.sourceImage, picture);
  });

  test('a source that cannot be read is a placeholder of a usual size', async () => {
    for (const picture of [null, new Uint8Array([1, 2, 3])]) {
      const { files, jobs } = drawing(picture);
      await files.file({ ...plan, size: null, source });
      const [job] = jobs as ImageJob[];
      assert.deepEqual([job?.width, job?.height], [1024, 1024]);
      assert.ok(job?.sourceImage);
    }
  });

  test('a sound is as long as its plan, and says what it is', async () => {
    const { files, jobs } = drawing();
    const sound = { kind: 'sound', name: 'a', seconds: 2.5, text: 'hello' } as const;
    await files.file({ ...sound, format: 'wav' });
    assert.deepEqual(jobs, [{ seconds: 2.5, text: 'hello', format: 'wav' }]);
    assert.deepEqual(
      [
        contentTypeOf({ ...sound, format: 'wav' }),
        contentTypeOf({ ...sound, format: 'm4a' }),
        contentTypeOf(plan),
      ],
      ['audio/wav', 'audio/mp4', 'image/png'],
    );
  });

  test('a renderer without stills or sounds says so', async () => {
    const files = createFiles({}, { keep: () => '', read: async () => null });
    await assert.rejects(files.file(plan), /draws no stills/);
    await assert.rejects(
      files.file({ kind: 'sound', name: 'a', seconds: 1, text: '', format: 'm4a' }),
      /makes no sounds/,
    );
  });
});

describe('links to files', () => {
  const links = createFileLinks(randomBytes(32));
  const read = (link: string) => {
    const url = new URL(link, 'http://sandbox');
    return links.read(url.pathname, url.searchParams.get('token'));
  };

  test('lead back to what they were made for', () => {
    assert.deepEqual(read(links.path('17', 'plain')), { taskId: '17', variant: 'plain' });
    assert.deepEqual(read(links.path('17', 'watermarked')), { taskId: '17', variant: 'watermarked' });
    assert.deepEqual(read(links.filePath('17', 'image-0.png')), { taskId: '17', name: 'image-0.png' });
  });

  test('are good for nothing else', () => {
    const link = links.filePath('17', 'image-0.png');
    for (const other of [
      link.replace('image-0', 'image-1'),
      link.replace('/17/', '/18/'),
      link.replace(/token=./, 'token='),
      link.replace(/\?.*/, ''),
      link.replace('image-0.png', '..%2f17.mp4'),
    ]) {
      assert.equal(read(other), null, other);
    }
  });
});

test('what outlives a task is there after a restart, and is replaced by its id', () => {
  const directory = mkdtempSync(join(tmpdir(), 'reelay-records-'));
  const record = {
    upstream: 'kling',
    account: 'sandbox',
    kind: 'voice',
    id: '829836802793406551',
    data: { task_id: '1', long: 829836802793406551n },
    createdAt: 1,
    deletedAt: null,
  };
  let state = openState(directory);
  state.keepRecord(record);
  state.close();
  state = openState(directory);
  assert.deepEqual(state.findRecord('kling', 'sandbox', 'voice', record.id), record);
  state.keepRecord({ ...record, deletedAt: 2 });
  assert.equal(state.findRecord('kling', 'sandbox', 'voice', record.id)?.deletedAt, 2);
  for (const [upstream, account, kind] of [
    ['other', 'sandbox', 'voice'],
    ['kling', 'other', 'voice'],
    ['kling', 'sandbox', 'element'],
  ] as const) {
    assert.equal(state.findRecord(upstream, account, kind, record.id), null);
  }
  state.close();
  rmSync(directory, { recursive: true });
});
