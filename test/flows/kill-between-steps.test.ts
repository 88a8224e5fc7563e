/**
 * The story of one task whose gateway is killed (SIGKILL) at a named step and started again over the same data: it is
 * finished all the same, made once at the upstream, and charged once.
 */
import assert from 'node:assert/strict';
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
});
