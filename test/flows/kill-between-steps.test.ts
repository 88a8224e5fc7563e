/**
 * The story of one task whose gateway is killed (SIGKILL) at a named step and started again over the same data: it is
 * finished all the same, made once at the upstream, and charged once.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import type { FaultStep } from '../../src/flows/context.ts';
import {
  call,
  eventually,
  firstRunOf,
  startProcess,
  temporaryDirectory,
  type Running,
} from '../helpers/processes.ts';

const STEPS: FaultStep[] = [
  'submit:before-accept',
  'submit:after-accept',
  'attempt:before-upstream',
  'attempt:after-upstream',
  'attempt:after-record',
  'advance:after-start',
  'advance:before-made',
  'advance:after-made',
  'persist:before-download',
  'persist:after-download',
  'persist:before-finish',
  'persist:after-finish',
];
/** Where a caller is told of it. */
const DELIVERY_STEPS: FaultStep[] = ['deliver:before-post', 'deliver:after-post'];
/** Of a feature that is answered within its request: what is settled without waiting for a job. */
const IMMEDIATE_STEPS: FaultStep[] = [
  'submit:before-accept',
  'submit:after-accept',
  'attempt:before-upstream',
  'attempt:after-upstream',
];
/** Steps before anything is committed: the caller got no answer and there is no task. */
const NOTHING_YET = new Set<FaultStep>(['submit:before-accept']);

describe('a gateway killed between two steps', { concurrency: 4 }, () => {
  const sandboxData = temporaryDirectory();
  let sandbox: Running;
  before(async () => {
    sandbox = await startProcess('src/sandbox/main.ts', [], {
      PORT: '0',
      REELAY_DATA: sandboxData.path,
      REELAY_SANDBOX_SPEED: '20',
      REELAY_SANDBOX_RENDER: 'tiny',
    });
  });
  after(async () => {
    await sandbox.stop();
    sandboxData.dispose();
  });

  for (const step of STEPS) {
    test(`at ${step} loses nothing and charges once`, async () => {
      const data = temporaryDirectory();
      const env = {
        PORT: '0',
        REELAY_DATA: data.path,
        REELAY_SANDBOX: sandbox.url,
        REELAY_SANDBOX_SPEED: '20',
      };
      let gateway = await startProcess('test/helpers/gateway-process.ts', [step], env);
      try {
        const { api_key: key, admin_token: admin, account_id: account } = firstRunOf(data.path);
        const body = { model_name: 'kling-v1-6', prompt: `killed at ${step}`, external_task_id: 'story' };
        await call(`${gateway.url}/kling/v1/videos/text2video`, { key, json: body }).catch(() => null);
        assert.equal(await gateway.ended, 'SIGKILL', 'the gateway died at the step');

        gateway = await startProcess('test/helpers/gateway-process.ts', ['-'], env);
        const wallet = async () =>
          (await call(`${gateway.url}/admin/v1/accounts/${account}/wallet`, { key: admin })).body;
        if (NOTHING_YET.has(step)) {
          assert.equal((await call(`${gateway.url}/v1/videos/story`, { key })).status, 404);
          assert.equal((await wallet()).held, '0.00');
        } else {
          const done = await eventually('the task', 40_000, async () => {
            const answer = await call(`${gateway.url}/v1/videos/story`, { key });
            return answer.body.status === 'completed' ? answer.body : null;
          });
          const tasks: { dedup_handle: string; submits: number }[] = (
            await call(`${sandbox.url}/_control/tasks`)
          ).body.tasks;
          const upstream = tasks.filter((task) => task.dedup_handle === done.id);
          assert.deepEqual(
            upstream.map((task) => task.submits),
            [1],
            'made once at the upstream',
          );
          // 5 s of kling-1.6-720p: 5 × 0.056 USD.
          const { available, held } = await wallet();
          assert.deepEqual({ available, held }, { available: '9999.72', held: '0.00' });
        }
        const verdict = (await call(`${gateway.url}/admin/v1/ledger/verify`, { key: admin })).body;
        assert.deepEqual({ ok: verdict.ok, mismatches: verdict.mismatches }, { ok: true, mismatches: [] });
      } finally {
        await gateway.kill();
        data.dispose();
      }
    });
  }

  for (const step of DELIVERY_STEPS) {
    test(`at ${step} tells its caller all the same, in the same words`, async () => {
      const data = temporaryDirectory();
      const heard = new Map<string, { bodies: Set<string>; status: string }>();
      const receiver = createServer(async (request, response) => {
        const body = await text(request);
        const { task_status: status } = JSON.parse(body) as { task_status: string };
        const id = String(request.headers['webhook-id']);
        const message = heard.get(id) ?? { bodies: new Set(), status };
        heard.set(id, message);
        message.bodies.add(body);
        response.end();
      });
      await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
      const env = {
        PORT: '0',
        REELAY_DATA: data.path,
        REELAY_SANDBOX: sandbox.url,
        REELAY_SANDBOX_SPEED: '20',
        REELAY_ALLOW_PRIVATE: '127.0.0.1',
      };
      let gateway = await startProcess('test/helpers/gateway-process.ts', [step], env);
      try {
        const { api_key: key } = firstRunOf(data.path);
        const callback_url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
        const body = { model_name: 'kling-v1-6', prompt: `killed at ${step}`, callback_url };
        await call(`${gateway.url}/kling/v1/videos/text2video`, { key, json: body }).catch(() => null);
        assert.equal(await gateway.ended, 'SIGKILL', 'the gateway died at the step');
        gateway = await startProcess('test/helpers/gateway-process.ts', ['-'], env);
        await eventually('the end is told', 40_000, async () =>
          [...heard.values()].some(({ status }) => status === 'succeed'),
        );
        const words = [...heard.values()].map(({ status }) => status);
        assert.deepEqual(
          words.filter((word) => word === 'submitted'),
          ['submitted'],
        );
        assert.deepEqual(
          words.filter((word) => word === 'succeed'),
          ['succeed'],
        );
        for (const { bodies } of heard.values()) assert.equal(bodies.size, 1);
      } finally {
        await gateway.kill();
        receiver.closeAllConnections();
        receiver.close();
        data.dispose();
      }
    });
  }

  for (const step of IMMEDIATE_STEPS) {
    test(`at ${step} of what is answered at once charges for one answer, whoever asks again`, async () => {
      const data = temporaryDirectory();
      const env = {
        PORT: '0',
        REELAY_DATA: data.path,
        REELAY_SANDBOX: sandbox.url,
        REELAY_SANDBOX_SPEED: '20',
      };
      let gateway = await startProcess('test/helpers/gateway-process.ts', [step], env);
      try {
        const { api_key: key, admin_token: admin, account_id: account } = firstRunOf(data.path);
        const ask = () =>
          call(`${gateway.url}/kling/v1/videos/identify-face`, {
            key,
            json: { video_url: 'https://example.com/film.mp4' },
            headers: { 'idempotency-key': 'once' },
          });
        await ask().catch(() => null);
        assert.equal(await gateway.ended, 'SIGKILL', 'the gateway died at the step');
        gateway = await startProcess('test/helpers/gateway-process.ts', ['-'], env);
        const answer = await eventually('an answer', 40_000, async () => {
          const given = await ask();
          assert.ok(given.status === 200 || given.status === 409, given.text);
          return given.status === 200 ? given : null;
        });
        assert.equal((await ask()).body.data.session_id, answer.body.data.session_id);
        const wallet = await call(`${gateway.url}/admin/v1/accounts/${account}/wallet`, { key: admin });
        // 0.05 units of 0.14 USD, once.
        assert.deepEqual([wallet.body.available, wallet.body.held], ['9999.993', '0.00']);
        const verdict = (await call(`${gateway.url}/admin/v1/ledger/verify`, { key: admin })).body;
        assert.deepEqual({ ok: verdict.ok, mismatches: verdict.mismatches }, { ok: true, mismatches: [] });
      } finally {
        await gateway.kill();
        data.dispose();
      }
    });
  }
});
