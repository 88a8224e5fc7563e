/** What every dialect of video tasks promises, whatever its words: one suite, run by each. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import { ERROR_CODES, type ErrorCode } from '../../core/errors.ts';
import type { Principal } from '../../core/ports.ts';
import type { TaskState } from '../../core/task.ts';
import { createFakeGateway, strictPrincipal, testPrincipal, type FakeGateway } from './fake-gateway.ts';
import type { HttpDialect } from './fastify.ts';
import { assertGolden, readGoldens, setStage } from './golden.ts';
import { createTestApp, testRequestId } from './test-app.ts';

type Body = Record<string, unknown>;

/** What the suite has to know of a dialect. */
export interface DialectTrial {
  dialect: HttpDialect;
  /** Paths that take a create; a task is queried at `<path>/<id>` unless `queryPath` says otherwise. */
  doors: string[];
  /** By the task's id, or the caller's own name for it. */
  queryPath?(door: string, id: string): string;
  /** The warnings of a query's answer; absent: `metadata.warnings`. */
  warningsOf?(body: Body): unknown;
  /** A request every door takes; what a door wants besides is added by `requestAt`. */
  request: Body;
  requestAt?(door: string): Body;
  list?: { path: string; idsOf(body: Body): unknown[] };
  /** Where DELETE is answered. */
  removePath?(id: string): string;
  /** The states as the wire words them. */
  words: Record<TaskState, string>;
  wordOf(body: Body): unknown;
  idOf(body: Body): unknown;
  /** The same of a callback, whose body may be another one than an answer's. */
  callback: { wordOf(body: Body): unknown; idOf(body: Body): unknown };
  urlOf(body: Body): unknown;
  /** Throws unless the answer is this refusal in the dialect's shape. */
  assertError(
    answer: LightMyRequestResponse,
    expected: { code: ErrorCode; message: string; param: string | null },
  ): void;
  /** Folder of golden exchanges. */
  fixtures: URL;
}

const STATES: TaskState[] = ['queued', 'in_progress', 'completed', 'failed', 'cancelled'];

export function testDialect(name: string, trial: DialectTrial): void {
  describe(`dialect ${name}`, () => {
    let gateway: FakeGateway;
    let principal: Principal;
    let app: FastifyInstance;

    const renew = () => {
      gateway = createFakeGateway();
      principal = testPrincipal;
      app = createTestApp(trial.dialect, gateway, () => principal);
    };
    before(renew);
    after(() => app.close());

    const each = (title: string, run: () => Promise<void>) =>
      it(title, async () => {
        await app.close();
        renew();
        await run();
      });
    const post = (url: string, payload: Body = trial.request, headers: Record<string, string> = {}) =>
      app.inject({ method: 'POST', url, payload, headers });
    const get = (url: string) => app.inject({ method: 'GET', url });
    const query = (door: string, id: string) => get(trial.queryPath?.(door, id) ?? `${door}/${id}`);

    each('takes a request at every door, and each door shows every task', async () => {
      for (const door of trial.doors) {
        const created = await post(door, { ...trial.request, ...trial.requestAt?.(door) });
        assert.equal(created.statusCode, 200, created.body);
        const id = trial.idOf(created.json());
        assert.equal(id, gateway.tasks.at(-1)?.id);
        assert.equal(trial.wordOf(created.json()), trial.words.queued);
        // By the first part of the surface's name its dialect is found again, to word a callback.
        assert.ok(gateway.tasks.at(-1)?.surface.startsWith(`${trial.dialect.id}.`));
        for (const other of trial.doors) {
          const found = await query(other, String(id));
          assert.equal(found.statusCode, 200, found.body);
          assert.equal(trial.idOf(found.json()), id);
        }
      }
    });

    each('answers a create as queued, even when the upstream was quicker', async () => {
      for (const state of STATES) {
        gateway.createVideo = (async () => {
          const task = gateway.seed(state);
          return { task, links: null };
        }) as unknown as FakeGateway['createVideo'];
        const created = await post(trial.doors[0]!);
        assert.equal(created.statusCode, 200, created.body);
        assert.equal(trial.wordOf(created.json()), trial.words.queued);
      }
    });

    each('names each state in its own words, with the link once there is a film', async () => {
      for (const state of STATES) {
        const task = gateway.seed(state);
        const found = await query(trial.doors[0]!, task.id);
        assert.equal(found.statusCode, 200, found.body);
        assert.equal(trial.wordOf(found.json()), trial.words[state]);
        const url = trial.urlOf(found.json());
        if (state === 'completed') assert.match(String(url), /^https:\/\/gateway\.test\/content\//);
        else assert.equal(url, undefined);
      }
    });

    each("finds a task by the caller's own name for it", async () => {
      const task = gateway.seed('queued', { externalTaskId: 'order-4711' });
      const found = await query(trial.doors[0]!, 'order-4711');
      assert.equal(trial.idOf(found.json()), task.id);
    });

    each("does not know another account's task", async () => {
      const task = gateway.seed('completed', { accountId: 'acct_2' });
      const found = await query(trial.doors[0]!, task.id);
      trial.assertError(found, {
        code: 'task_not_found',
        message: 'There is no task of this id.',
        param: null,
      });
    });

    each('words every error code', async () => {
      for (const style of [testPrincipal, strictPrincipal]) {
        principal = style;
        for (const code of ERROR_CODES) {
          const message = `refused as ${code}`;
          gateway.refuse(code, message, { param: 'metadata.output_config.duration', retryAfterMs: 1500 });
          const answer = await post(trial.doors[0]!);
          assert.ok(answer.statusCode >= 400 && answer.statusCode < 600, `${code} is ${answer.statusCode}`);
          const isOurs = ['upstream_unavailable', 'unavailable', 'internal_error'].includes(code);
          assert.equal(answer.statusCode >= 500, isOurs, `${code} is ${answer.statusCode}`);
          assert.equal(answer.headers['retry-after-ms'], '1500');
          assert.equal(answer.headers['retry-after'], '2');
          assert.ok(answer.body.includes(testRequestId), 'names the request id');
          trial.assertError(answer, { code, message, param: 'metadata.output_config.duration' });
        }
      }
    });

    each('answers an unknown path in its own shape', async () => {
      const answer = await get(`${trial.doors[0]}/a/b/c`);
      trial.assertError(answer, { code: 'not_found', message: 'There is nothing here.', param: null });
    });

    each('prices a dry run and creates nothing', async () => {
      const byQuery = await post(`${trial.doors[0]}?dry_run=true`);
      const byHeader = await post(trial.doors[0]!, trial.request, { 'reelay-dry-run': 'true' });
      for (const answer of [byQuery, byHeader]) {
        assert.equal(answer.statusCode, 200, answer.body);
        const estimate = answer.json();
        assert.equal(estimate.object, 'estimate');
        assert.equal(estimate.model, 'kling-2.5-720p-mute');
        assert.equal(estimate.amount, '0.14');
        assert.equal(estimate.unit_price, '0.028');
        assert.equal(estimate.balance_after, '9999.86');
        assert.equal(estimate.canonical.sources.aspect_ratio, 'default');
      }
      assert.deepEqual(gateway.tasks, []);
      const created = await post(`${trial.doors[0]}?dry_run=false`);
      assert.equal(trial.wordOf(created.json()), trial.words.queued);
      const unclear = await post(`${trial.doors[0]}?dry_run=perhaps`);
      assert.equal(unclear.statusCode, 400);
      assert.equal(gateway.tasks.length, 1);
    });

    each('passes on the highest cost a caller accepts, from the body and from the header', async () => {
      await post(trial.doors[0]!, { ...trial.request, max_cost: '0.50' });
      await post(trial.doors[0]!, trial.request, { 'reelay-max-cost': '0.70' });
      const claims = gateway.asked.map((loose) => loose.maxCost.map((claim) => claim.value));
      assert.deepEqual(claims, [['0.50'], ['0.70']]);
    });

    each('shows warnings in a header, in a dry run and on the task', async () => {
      const warning = { code: 'mode_raised', field: 'mode', message: 'Sound is made at pro only.' };
      gateway.warnings = [warning, { ...warning, field: 'sound' }, { ...warning, code: 'ratio_dropped' }];
      const dry = await post(`${trial.doors[0]}?dry_run=true`);
      assert.equal(dry.headers['x-reelay-warnings'], 'mode_raised, ratio_dropped');
      assert.deepEqual(dry.json().warnings, gateway.warnings);
      const created = await post(trial.doors[0]!);
      assert.equal(created.headers['x-reelay-warnings'], 'mode_raised, ratio_dropped');
      const found = await query(trial.doors[0]!, String(trial.idOf(created.json())));
      const shown = trial.warningsOf?.(found.json()) ?? found.json().metadata.warnings;
      assert.deepEqual(shown, gateway.warnings);
    });

    each('never fails on fields it does not know or values of the wrong type', async () => {
      const oddities: unknown[] = [null, true, -1, 1e300, '', 'x', [], [[]], [null], {}, { a: { b: [1] } }];
      const fields = [
        ...['model', 'model_name', 'prompt', 'seconds', 'duration', 'size', 'mode', 'image', 'images'],
        ...['input_reference', 'content', 'metadata', 'aspect_ratio', 'cfg_scale', 'camera_control', 'sound'],
        ...['image_list', 'video_list', 'element_list', 'multi_prompt', 'external_task_id', 'max_cost'],
        ...['callback_url', 'nobody_knows_this'],
      ];
      for (const door of trial.doors) {
        for (const field of fields) {
          for (const value of oddities) {
            const answer = await post(door, { ...trial.request, [field]: value });
            assert.ok(answer.statusCode < 500, `${field}: ${JSON.stringify(value)} gives ${answer.body}`);
          }
        }
      }
      for (const body of ['null', '[]', '"text"', '7', '{}']) {
        const headers = { 'content-type': 'application/json' };
        const answer = await app.inject({ method: 'POST', url: trial.doors[0]!, payload: body, headers });
        assert.ok(answer.statusCode < 500, `${body} gives ${answer.body}`);
      }
    });

    each('calls back with a body that names the task and its state', async () => {
      for (const state of STATES) {
        const task = gateway.seed(state);
        const body = trial.dialect.renderCallback?.(await gateway.findTask(principal, task.id)) as Body;
        assert.equal(trial.callback.idOf(body), task.id);
        assert.equal(trial.callback.wordOf(body), trial.words[state]);
      }
    });

    const { list, removePath } = trial;
    if (list) {
      each('lists tasks, newest first', async () => {
        const ids = [];
        for (let count = 0; count < 3; count++) {
          ids.unshift(trial.idOf((await post(list.path)).json()));
        }
        const answer = await get(list.path);
        assert.equal(answer.statusCode, 200, answer.body);
        assert.deepEqual(list.idsOf(answer.json()), ids);
      });
    }
    if (removePath) {
      each('deletes a task, and then it is nowhere', async () => {
        const task = gateway.seed('completed');
        const answer = await app.inject({ method: 'DELETE', url: removePath(task.id) });
        assert.equal(answer.statusCode, 200, answer.body);
        assert.equal((await query(trial.doors[0]!, task.id)).statusCode, 404);
        const again = await app.inject({ method: 'DELETE', url: removePath(task.id) });
        assert.equal(again.statusCode, 404);
      });
      each('does not delete a task that runs', async () => {
        const task = gateway.seed('in_progress');
        const answer = await app.inject({ method: 'DELETE', url: removePath(task.id) });
        trial.assertError(answer, {
          code: 'task_running',
          message: `${task.id} is running.`,
          param: null,
        });
      });
    }

    for (const golden of readGoldens(trial.fixtures)) {
      each(`answers as recorded: ${golden.name}`, async () => {
        principal = golden.style === 'strict' ? strictPrincipal : testPrincipal;
        setStage(gateway, golden);
        await assertGolden(app, golden);
      });
    }
  });
}
