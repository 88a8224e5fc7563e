import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Task } from '../../core/task.ts';
import type { Media, VideoRequest } from '../../core/request/types.ts';
import { createFakeGateway } from './fake-gateway.ts';
import { featureTask, requestOf, storedOutput } from './fake-task.ts';
import { taskFrameSize } from './frame-size.ts';
import { pollAfterMs, progressOf } from './progress.ts';
import { failureOf, videoObject } from './video-object.ts';

function taskWith(state: Task['state'], changes: Partial<VideoRequest> = {}): Task {
  const task = createFakeGateway().seed(state);
  return { ...task, request: { ...requestOf('kling-2.5'), ...changes } };
}

describe('progress', () => {
  it('is 0 while queued, 100 when final, and only grows between', () => {
    assert.equal(progressOf(taskWith('queued'), Number.MAX_SAFE_INTEGER), 0);
    for (const state of ['completed', 'failed', 'cancelled'] as const) {
      assert.equal(progressOf(taskWith(state), 0), 100);
    }
    const running = taskWith('in_progress');
    let last = 0;
    for (let second = -10; second < 7_200; second += 7) {
      const progress = progressOf(running, running.startedAt! + second * 1000);
      assert.ok(progress >= Math.max(1, last) && progress <= 99, `${progress} after ${second} s`);
      last = progress;
    }
    assert.equal(last, 99);
  });

  it('asks to be polled between one and five seconds', () => {
    for (const seconds of [3, 5, 10, 300]) {
      const wait = pollAfterMs(taskWith('queued', { seconds, resolution: '4K' }));
      assert.ok(wait >= 1_000 && wait <= 5_000);
    }
  });
});

describe('the size of a film', () => {
  const picture = (width: number | null, height: number | null): Media => ({
    kind: 'stored',
    key: 'inputs/1',
    contentType: 'image/png',
    bytes: 1,
    width,
    height,
    source: 'image',
  });

  it('is that of the grade and ratio, until the file is there', () => {
    assert.deepEqual(taskFrameSize(taskWith('queued', { aspectRatio: '9:16' })), {
      width: 720,
      height: 1280,
    });
    const done = taskWith('completed', { resolution: '4K' });
    assert.deepEqual(taskFrameSize(done), { width: 1280, height: 720 });
  });

  it('follows the first frame where no ratio was asked for', () => {
    const sizes: [Media | null, string][] = [
      [picture(900, 1200), '720x960'],
      [picture(3001, 1999), '1080x720'],
      [picture(null, null), '1280x720'],
      [{ kind: 'url', url: 'https://a.test/a.png', source: 'image' }, '1280x720'],
      [null, '1280x720'],
    ];
    for (const [firstFrame, expected] of sizes) {
      const size = taskFrameSize(taskWith('queued', { aspectRatio: null, firstFrame }));
      assert.equal(`${size?.width}x${size?.height}`, expected);
    }
  });
});

describe('the video object', () => {
  it('gives each failure one of four codes', () => {
    const code = (code: NonNullable<Task['error']>['code']) =>
      failureOf({ ...taskWith('failed'), error: { code, message: 'why' } })?.code;
    assert.deepEqual((['task_failed', 'content_policy', 'expired', 'cancelled', 'lost'] as const).map(code), [
      'task_failed',
      'content_policy',
      'expired',
      'cancelled',
      'task_failed',
    ]);
    assert.equal(failureOf(taskWith('cancelled'))?.code, 'cancelled');
    assert.equal(failureOf(taskWith('completed')), null);
  });

  it('keeps a finished task whose files have expired readable', () => {
    const video = videoObject({ task: taskWith('completed'), links: null }, 0);
    assert.equal(video.status, 'completed');
    assert.equal(video.video_url, undefined);
    assert.deepEqual(video.metadata, { duration: 5.041, width: 1280, height: 720, format: 'mp4' });
  });

  it('shows every file of what is no film, and tells no length or size that there is none of', () => {
    const gateway = createFakeGateway();
    const running = gateway.seed('in_progress', featureTask('text-to-image', 'image'));
    const waiting = videoObject({ task: running, links: null }, 0);
    assert.deepEqual([waiting.object, waiting.seconds, waiting.size], ['video', undefined, undefined]);

    const outputs = [storedOutput('image', 'image/png'), storedOutput('image', 'image/png', { index: 1 })];
    const size = { width: 1024, height: 768, durationSeconds: null, hasSound: null };
    const task = {
      ...gateway.seed('completed', featureTask('text-to-image', 'image')),
      result: { outputs, ...size },
    };
    const urls = ['https://a.test/0.png', 'https://a.test/1.png'];
    const links = { video: '', cover: null, watermarked: null, outputs: urls, expiresAt: 7 };
    const done = videoObject({ task, links }, 0);
    assert.deepEqual([done.size, done.seconds, done.video_url], ['1024x768', undefined, undefined]);
    assert.deepEqual(done.metadata, {
      url: urls[0],
      width: 1024,
      height: 768,
      outputs: urls.map((url) => ({ role: 'image', url, content_type: 'image/png' })),
    });
  });

  it('tells the length of a film that was as long as its source, and never its cover as the film', () => {
    const outputs = [storedOutput('cover', 'image/jpeg'), storedOutput('video', 'video/mp4')];
    const result = { outputs, width: 720, height: 1280, durationSeconds: 10.04, hasSound: true };
    const task = { ...createFakeGateway().seed('completed', featureTask('video-extend', 'video')), result };
    const urls = ['https://a.test/cover.jpg', 'https://a.test/film.mp4'];
    const links = { video: urls[1]!, cover: urls[0]!, watermarked: null, outputs: urls, expiresAt: 7 };
    const done = videoObject({ task, links }, 0);
    assert.deepEqual([done.seconds, done.size, done.video_url], ['10', '720x1280', urls[1]]);
    assert.equal(done.metadata.url, urls[1]);
  });
});
