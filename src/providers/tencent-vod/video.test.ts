import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Json } from '../../core/ports.ts';
import { errorAnswer, fakeUpstream, fixture } from './fake-upstream.ts';
import { filmMedia, urlMedia, videoRequest } from '../kit/request-sample.ts';
import { video } from './video.ts';

const signal = new AbortController().signal;
const ref = { task_id: '1500000001-AigcVideoTask-0af36a1e7a8b4c0f9d2c5b7e6a1d3f84t' };
const answers = (name: string) => fakeUpstream(() => ({ body: fixture(name) }));
const detail = (status: string, task: object) =>
  fakeUpstream(() => ({
    body: { Response: { Status: status, AigcVideoTask: { Status: status, ...task } } },
  }));

describe('a create', () => {
  test('answers a ref', async () => {
    const { channel, asked } = answers('created');
    assert.deepEqual(await video.submit(videoRequest(), 'task_0Vx1', channel, signal), { ref });
    assert.equal(asked[0]?.action, 'CreateAigcVideoTask');
    assert.equal(asked[0]?.body['SubAppId'], 1500000001);
  });

  test('without an id is a doubt, never a second try', async () => {
    const { channel } = fakeUpstream(() => ({ body: { Response: { RequestId: 'r' } } }));
    await assert.rejects(video.submit(videoRequest(), 'task_1', channel, signal), { kind: 'ambiguous' });
  });

  test('over the account’s one slot is busy, and waits for as long as the lane thinks fit', async () => {
    const { channel } = answers('error-busy');
    await assert.rejects(video.submit(videoRequest(), 'task_1', channel, signal), {
      kind: 'busy',
      retryAfterMs: null,
    });
  });

  test('of what VOD cannot make is refused without asking', async () => {
    const { channel, asked } = answers('created');
    await assert.rejects(video.submit(videoRequest({ model: 'kling-v1' }), 'task_1', channel, signal), {
      kind: 'rejected',
    });
    assert.equal(asked.length, 0);
  });

  test('of lip-sync with a film looks for the face first', async () => {
    const { channel, asked } = fakeUpstream(({ action }) => ({
      body: fixture(action === 'DescribeAigcFaceInfo' ? 'faces' : 'created'),
    }));
    const request = videoRequest({
      operation: 'lip-sync',
      model: 'kling-v2-6',
      referenceVideo: filmMedia(),
      audio: urlMedia('https://media.example/a.mp3'),
    });
    await video.submit(request, 'task_1', channel, signal);
    assert.deepEqual(
      asked.map(({ action }) => action),
      ['DescribeAigcFaceInfo', 'CreateAigcVideoTask'],
    );
    assert.match(asked[1]?.body['ExtInfo'] as string, /838292389483/);
  });

  test('a look for faces that broke off leaves no doubt about a task', async () => {
    const { channel, asked } = fakeUpstream(() => errorAnswer('InternalError'));
    const request = videoRequest({
      operation: 'lip-sync',
      model: 'kling-v2-6',
      referenceVideo: filmMedia(),
      audio: urlMedia('https://media.example/a.mp3'),
    });
    await assert.rejects(video.submit(request, 'task_1', channel, signal), { kind: 'unavailable' });
    assert.equal(asked.length, 1);
  });
});

describe('a poll', () => {
  test('names the film and what it costs', async () => {
    const { channel } = answers('detail-finished');
    assert.deepEqual(await video.poll(ref, channel, signal), {
      status: 'succeeded',
      outputs: [
        { role: 'video', url: 'http://media.example/film.mp4', upstreamId: null, durationSeconds: 5.041 },
      ],
      cost: { amount: '5', unit: 'second' },
    });
  });

  test('finished with an error is a failure', async () => {
    const { channel } = answers('detail-failed');
    assert.deepEqual(await video.poll(ref, channel, signal), {
      status: 'failed',
      code: 'content_policy',
      message: 'The prompt violates the content safety policy.',
      upstreamCode: 'InvalidParameter.VoilationContent',
    });
  });

  test('finished, without error and without a film, is not over yet', async () => {
    const { channel } = detail('FINISH', { ErrCode: 0, ErrCodeExt: '', Output: { FileInfos: [] } });
    assert.deepEqual(await video.poll(ref, channel, signal), { status: 'processing' });
  });

  test('reads the words of its relatives, too', async () => {
    for (const [word, status] of [
      ['WAITING', 'submitted'],
      ['PROCESSING', 'processing'],
      ['SOMETHING', 'processing'],
      ['ABORTED', 'failed'],
      ['FAIL', 'failed'],
      ['FAILED', 'failed'],
    ]) {
      const { channel } = detail(word!, { ErrCode: 0 });
      assert.equal((await video.poll(ref, channel, signal)).status, status, word);
    }
  });

  test('of a task older than three days is unknown, of anything else no news', async () => {
    const gone = fakeUpstream(() => errorAnswer('ResourceNotFound'));
    assert.deepEqual(await video.poll(ref, gone.channel, signal), { status: 'unknown' });
    const broken = fakeUpstream(() => errorAnswer('InternalError'));
    await assert.rejects(video.poll(ref, broken.channel, signal), { kind: 'ambiguous' });
    const empty = fakeUpstream(() => ({ body: { Response: { Status: 'FINISH', AigcVideoTask: null } } }));
    await assert.rejects(video.poll(ref, empty.channel, signal), { kind: 'ambiguous' });
  });

  test('with a ref of another provider is a fault of ours', async () => {
    const { channel } = answers('created');
    for (const wrong of [null, 'x', {}, { task_id: 1 }, []] as Json[]) {
      await assert.rejects(video.poll(wrong, channel, signal), TypeError);
    }
  });
});

describe('a look-up', () => {
  test('reads the list of three days, newest first, for our SessionId', async () => {
    const { channel, asked } = answers('tasks');
    assert.deepEqual(await video.lookup!(videoRequest(), 'task_0Vx3', channel, signal), {
      ref: { task_id: '1500000001-AigcVideoTask-0af36a1e7a8b4c0f9d2c5b7e6a1d3f86t' },
    });
    assert.deepEqual(asked, [
      {
        action: 'DescribeTasks',
        body: {
          SubAppId: 1500000001,
          CreateTime: { After: '2026-11-17T00:00:00.000Z' },
          Sort: { Field: 'CreateTime', Order: 'Desc' },
          Limit: 100,
        },
      },
    ]);
  });

  test('goes on to the end before it says that there is nothing', async () => {
    const { channel, asked } = fakeUpstream(({ body }) => ({
      body: body['ScrollToken'] ? { Response: { TaskSet: [], ScrollToken: '' } } : fixture('tasks'),
    }));
    assert.equal(await video.lookup!(videoRequest(), 'task_unknown', channel, signal), null);
    assert.equal(asked.length, 2);
    assert.equal(asked[1]?.body['ScrollToken'], 'next');
  });

  test('a list that breaks off or never ends is an error, never "nothing"', async () => {
    const broken = fakeUpstream(() => ({ body: { Response: {} } }));
    await assert.rejects(video.lookup!(videoRequest(), 'task_1', broken.channel, signal), {
      kind: 'ambiguous',
    });
    const endless = answers('tasks');
    await assert.rejects(video.lookup!(videoRequest(), 'task_1', endless.channel, signal), {
      kind: 'ambiguous',
    });
    assert.ok(endless.asked.length <= 200);
  });
});
