import assert from 'node:assert/strict';
import type { SealedKind, Store } from '../../core/ports.ts';
import { ACCOUNT, CHANNEL, T0, furnish, type PromiseTest } from './harness.ts';

const OLD = 'v1.aaaaaaaa.nonce.body';
const NEW = 'v1.bbbbbbbb.nonce.body';

async function furnishSealed(store: Store): Promise<void> {
  await furnish(store);
  await store.updateChannel(CHANNEL, { credentialSealed: OLD });
  for (const number of [1, 2, 3]) {
    await store.createKey({
      id: `key_${number}`,
      accountId: ACCOUNT,
      name: 'main',
      hint: 'sk-…1234',
      keyHash: `hash-${number}`,
      accessKey: `AK${number}`,
      secretKeySealed: number === 3 ? NEW : OLD,
      responseStyle: 'strict',
      createdAt: T0,
      revokedAt: null,
    });
  }
  await store.webhooks.createEndpoint({
    id: 'whe_1',
    accountId: ACCOUNT,
    kind: 'endpoint',
    name: 'mine',
    url: 'https://example.com',
    eventTypes: [],
    enabled: true,
    disabledReason: null,
    secretSealed: OLD,
    secretHint: 'whsec_…',
    oldSecretSealed: OLD,
    oldSecretUntil: T0,
    createdAt: T0,
    updatedAt: T0,
  });
}

const others = (store: Store, kind: SealedKind, after = '', limit = 10) =>
  store.sealed.sealedWithOthers({ kind, keyId: 'bbbbbbbb', after, limit });

export function testSealed(promise: PromiseTest): void {
  promise(
    'sealed texts are counted by key, and those of other keys are found in steps',
    async ({ store }) => {
      await furnishSealed(store);
      const counts = await store.sealed.counts();
      assert.deepEqual(
        counts.sort((a, b) => (a.keyId < b.keyId ? -1 : 1)),
        [
          { keyId: 'aaaaaaaa', number: 5 },
          { keyId: 'bbbbbbbb', number: 1 },
        ],
      );
      assert.deepEqual(await others(store, 'secret-key', '', 1), [
        { kind: 'secret-key', id: 'key_1', sealed: OLD },
      ]);
      assert.deepEqual(await others(store, 'secret-key', 'key_1'), [
        { kind: 'secret-key', id: 'key_2', sealed: OLD },
      ]);
      for (const [kind, id] of [
        ['credential', CHANNEL],
        ['signing-secret', 'whe_1'],
        ['old-signing-secret', 'whe_1'],
      ] as const) {
        assert.deepEqual(await others(store, kind), [{ kind, id, sealed: OLD }]);
      }
    },
  );

  promise('a text is put in place of exactly the one that was read', async ({ store }) => {
    await furnishSealed(store);
    let heard = 0;
    store.onCommit('keys', () => heard++);
    const value = { kind: 'secret-key' as const, id: 'key_1', sealed: OLD, resealed: NEW };
    assert.equal(await store.sealed.reseal([value, { ...value, id: 'key_2', sealed: 'read before' }]), 1);
    assert.equal(heard, 1, 'whoever keeps opened texts is told');
    assert.deepEqual(
      (await others(store, 'secret-key')).map(({ id }) => id),
      ['key_2'],
    );
    assert.equal(await store.sealed.reseal([value]), 0, 'not twice');
    for (const kind of ['credential', 'signing-secret', 'old-signing-secret'] as const) {
      const id = kind === 'credential' ? CHANNEL : 'whe_1';
      assert.equal(await store.sealed.reseal([{ kind, id, sealed: OLD, resealed: NEW }]), 1);
      assert.deepEqual(await others(store, kind), []);
    }
  });

  promise('root keys are known by name from their first use on', async ({ store }) => {
    assert.deepEqual(await store.sealed.rootKeys(), []);
    await store.sealed.noteRootKey({ id: 'aaaaaaaa', at: T0 });
    await store.sealed.noteRootKey({ id: 'bbbbbbbb', at: T0 + 1 });
    await store.sealed.noteRootKey({ id: 'aaaaaaaa', at: T0 + 2 });
    await store.sealed.retireRootKey({ id: 'aaaaaaaa', at: T0 + 3 });
    assert.deepEqual(await store.sealed.rootKeys(), [
      { id: 'aaaaaaaa', firstUsedAt: T0, retiredAt: T0 + 3 },
      { id: 'bbbbbbbb', firstUsedAt: T0 + 1, retiredAt: null },
    ]);
    await store.sealed.noteRootKey({ id: 'aaaaaaaa', at: T0 + 4 });
    assert.equal((await store.sealed.rootKeys())[0]?.retiredAt, null, 'in use again');
  });
}
