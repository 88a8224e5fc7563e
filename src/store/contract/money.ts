import assert from 'node:assert/strict';
import {
  ACCOUNT,
  T0,
  accept,
  assertMoney,
  complete,
  createAccount,
  fail,
  furnish,
  newTask,
  refused,
  run,
  type PromiseTest,
} from './harness.ts';

export function testMoney(promise: PromiseTest): void {
  promise('of 200 parallel acceptances on a balance for 50, exactly 50 are accepted', async ({ store }) => {
    await createAccount(store, ACCOUNT, 5_000n);
    const outcomes = await Promise.allSettled(Array.from({ length: 200 }, () => accept(store)));
    const lost = outcomes.filter((outcome) => outcome.status === 'rejected');
    assert.equal(outcomes.length - lost.length, 50);
    for (const { reason } of lost) await refused(Promise.reject(reason), 'insufficient_quota');
    assert.deepEqual(await store.taskCounts(), { queued: 50 });
    await assertMoney(store, 0n, 5_000n);
  });

  promise('a refusal leaves nothing behind, and its neighbours in the batch are kept', async ({ store }) => {
    await createAccount(store, ACCOUNT, 250n);
    const dear = newTask({ holdMicros: 500n, callbackUrl: 'https://example.com/hook' });
    const cheap = [newTask(), newTask()];
    const outcomes = await Promise.allSettled([cheap[0], dear, cheap[1]].map((task) => accept(store, task)));
    assert.deepEqual(
      outcomes.map((outcome) => outcome.status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    assert.equal(await store.getTask(dear.id), null);
    assert.deepEqual((await store.listEvents({ taskId: dear.id, cursor: null, limit: 5 })).rows, []);
    assert.deepEqual(await store.webhooks.lanes('', 1), []);
    await assertMoney(store, 50n, 200n);
  });

  promise('an account without a wallet has nothing and can spend nothing', async ({ store }) => {
    assert.deepEqual(await store.getWallet('acc_none'), {
      accountId: 'acc_none',
      availableMicros: 0n,
      heldMicros: 0n,
    });
    const top = { accountId: 'acc_none', kind: 'top_up' as const, amountMicros: 5n, note: null, at: T0 };
    await refused(store.post(top), 'not_found');
  });

  promise('a correction cannot take more than is available, held money included', async ({ store }) => {
    await furnish(store);
    await accept(store, newTask({ holdMicros: 600n }));
    const correction = { accountId: ACCOUNT, kind: 'adjustment' as const, note: 'by mistake', at: T0 };
    await refused(store.post({ ...correction, amountMicros: -401n }), 'insufficient_quota');
    const rows = await store.post({ ...correction, amountMicros: -400n });
    assert.deepEqual(
      rows.map((row) => [row.kind, row.book, row.amountMicros, row.note]),
      [
        ['adjustment', 'funding', 400n, 'by mistake'],
        ['adjustment', 'available', -400n, 'by mistake'],
      ],
    );
    await refused(store.post({ ...correction, kind: 'top_up', amountMicros: -1n }), 'invalid_value');
    await refused(store.post({ ...correction, kind: 'top_up', amountMicros: 0n }), 'invalid_value');
    await assertMoney(store, 0n, 600n);
  });

  promise('amounts above 2^53 micros stay exact', async ({ store }) => {
    const large = 9_007_199_254_740_993n;
    await createAccount(store, ACCOUNT, large);
    const { task, attemptId } = await run(store, newTask({ holdMicros: large - 3n }));
    await complete(store, task.id, attemptId, large - 5n);
    assert.equal((await store.getTask(task.id))?.chargeMicros, large - 5n);
    await assertMoney(store, 5n, 0n);
  });

  promise('the ledger shows every posting as two rows, newest first, page by page', async ({ store }) => {
    await furnish(store);
    const { task, attemptId } = await run(store);
    await complete(store, task.id, attemptId, 60n);
    const all = (await store.listLedger(ACCOUNT, { cursor: null, limit: 50 })).rows;
    assert.deepEqual(all.map((row) => `${row.kind} ${row.book} ${row.amountMicros}`).reverse(), [
      'top_up funding -1000',
      'top_up available 1000',
      'hold available -100',
      'hold held 100',
      'settle held -60',
      'settle revenue 60',
      'release held -40',
      'release available 40',
    ]);
    const paged = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof store.listLedger>> = await store.listLedger(ACCOUNT, {
        cursor,
        limit: 3,
      });
      paged.push(...page.rows);
      cursor = page.nextCursor;
    } while (cursor !== null);
    assert.deepEqual(paged, all);
    assert.deepEqual((await store.taskRecord(task.id))?.ledger, all.slice(0, 6).reverse());
  });

  promise('a ledger row can neither be changed nor deleted', async ({ store, tamper }) => {
    await furnish(store);
    assert.equal((await store.verifyLedger()).entries, 2);
    await assert.rejects(tamper('delete from ledger_entries'), /final/);
    await assert.rejects(tamper('update ledger_entries set amount_micros = 1'), /final/);
    await assertMoney(store, 1_000n, 0n);
  });

  promise(
    'verification finds a changed amount, and names account and task with both figures',
    async ({ store, tamper }) => {
      await furnish(store);
      const { task, attemptId } = await run(store);
      await complete(store, task.id, attemptId, 60n);
      await tamper('drop trigger ledger_entries_no_update');
      await tamper("update ledger_entries set amount_micros = 61 where kind = 'settle' and book = 'revenue'");
      const verdict = await store.verifyLedger();
      assert.equal(verdict.ok, false);
      assert.equal(verdict.sumMicros, 1n);
      const text = verdict.mismatches.join('\n');
      assert.match(text, /All ledger entries sum to 1 micros instead of 0/);
      assert.match(text, /posting pst_\w+ sum to 1 micros/);
      assert.match(text, new RegExp(`Task ${task.id} .*100 micros, but charge 61 \\+ release 40 is 101`));
      assert.match(text, new RegExp(`Task ${task.id} shows a charge of 60 micros, its entries settle 61`));
    },
  );

  promise(
    'verification finds a changed wallet, a lost hold and a changed charge',
    async ({ store, tamper }) => {
      await furnish(store);
      const waiting = await accept(store);
      const { task, attemptId } = await run(store);
      await complete(store, task.id, attemptId, 60n);
      await tamper('update wallets set available_micros = available_micros + 7');
      await tamper(`update tasks set charge_micros = 59 where id = '${task.id}'`);
      await tamper(`update tasks set hold_micros = 90 where id = '${waiting.id}'`);
      const text = (await store.verifyLedger()).mismatches.join('\n');
      assert.match(text, /account acc_one shows 847 micros available, its entries sum to 840/);
      assert.match(text, /account acc_one sums to 100 micros, its unfinished tasks reserved 90/);
      assert.match(text, new RegExp(`Task ${waiting.id} was to hold 90 micros, its entries hold 100`));
      assert.match(text, new RegExp(`Task ${task.id} shows a charge of 59 micros, its usage record 60`));
    },
  );

  promise('any order of acceptances, ends and corrections leaves the books in order', async ({ store }) => {
    await createAccount(store, ACCOUNT, 2_000n);
    let seed = 7;
    const random = (below: number) => (seed = (seed * 16_807) % 2_147_483_647) % below;
    const open: { id: string; attemptId: string; hold: number }[] = [];
    for (let step = 0; step < 120; step++) {
      const kind = random(4);
      if (kind < 2) {
        const hold = random(300);
        const { task, attemptId } = await run(store, newTask({ holdMicros: BigInt(hold) })).catch(() => ({
          task: null,
          attemptId: '',
        }));
        if (task) open.push({ id: task.id, attemptId, hold });
      } else if (kind === 2 && open.length > 0) {
        const [ended] = open.splice(random(open.length), 1);
        if (!ended) continue;
        const charge = BigInt(random(ended.hold + 1));
        assert.equal(
          random(2) === 0
            ? await fail(store, ended.id, ended.attemptId)
            : await complete(store, ended.id, ended.attemptId, charge),
          true,
        );
      } else {
        const amountMicros = BigInt(random(200) - 100);
        const correction = {
          accountId: ACCOUNT,
          kind: 'adjustment' as const,
          amountMicros,
          note: null,
          at: T0,
        };
        await store.post(correction).catch(() => {});
      }
    }
    const wallet = await store.getWallet(ACCOUNT);
    const outstanding = open.reduce((total, task) => total + task.hold, 0);
    await assertMoney(store, wallet.availableMicros, BigInt(outstanding));
  });
}
