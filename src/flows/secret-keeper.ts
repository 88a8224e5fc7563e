/**
 * Changes root keys under a running gateway: what is sealed with another key than the current one is opened and sealed
 * anew, a batch at a time, each text with compare-and-set. Where it stands follows from the texts themselves, so a
 * start after a kill goes on where the last one ended.
 */
import { GatewayError } from '../core/errors.ts';
import type {
  Clock,
  RootKeys,
  SealedKind,
  SealedStore,
  SealedValue,
  SecretKeeper,
  SecretsStatus,
} from '../core/ports.ts';
import { Loop } from '../lib/loop.ts';
import { seal, SealError, unseal } from '../lib/seal.ts';
import { secretKeyContext } from './admin/keys.ts';
import { credentialContext } from './open-channel.ts';
import { signingSecretContext } from './webhook-secrets.ts';

/** Sealing one text takes microseconds; a batch is one short transaction. */
const BATCH = 200;
/** No URL of ours lives longer: those that upstreams push to are signed for three days. */
const LINKS_LIVE_MS = 3 * 86_400_000;
/** Every link is tried with every key at hand; nobody needs that many in three days. */
const KEYS_MAX = 20;
/** How often a key that is left over is looked at again. */
const RETIRE_EVERY_MS = 3_600_000;

/** What a text of each kind is bound to, by the id of its row. */
const CONTEXTS: Record<SealedKind, (id: string) => string> = {
  'secret-key': secretKeyContext,
  credential: credentialContext,
  'signing-secret': signingSecretContext,
  'old-signing-secret': signingSecretContext,
};
const KINDS = Object.keys(CONTEXTS) as SealedKind[];

export interface SecretKeeperOptions {
  store: SealedStore;
  rootKeys: RootKeys;
  clock: Clock;
  /** Several nodes work on the same secrets: a key that one of them makes would be unknown to the others. */
  isShared: boolean;
  onError(error: unknown): void;
}

export interface RunningSecretKeeper extends SecretKeeper {
  /** Goes on with what an earlier process began; from then on it works by itself. */
  start(): void;
  /** Lets the batch in hand finish. */
  stop(): Promise<void>;
}

/**
 * Writes down which key is in use, and answers null. Where something is sealed with a key that is not at hand, answers
 * a sentence for the operator instead: secrets made from then on would belong to another installation.
 */
export async function rootKeyFault({
  store,
  rootKeys,
  clock,
}: Pick<SecretKeeperOptions, 'store' | 'rootKeys' | 'clock'>): Promise<string | null> {
  const current = rootKeys.keyring[0]!.id;
  const atHand = new Set(rootKeys.keyring.map(({ id }) => id));
  const known = await store.rootKeys();
  const inUse = known.filter(({ retiredAt }) => retiredAt === null);
  if (inUse.some(({ id }) => id === current) && inUse.every(({ id }) => atHand.has(id))) return null;
  // What was sealed with a key that somebody has given up is lost, and known to be.
  const givenUp = new Set(known.flatMap(({ id, retiredAt }) => (retiredAt === null ? [] : [id])));
  const missing = (await store.counts()).filter(({ keyId }) => !atHand.has(keyId) && !givenUp.has(keyId));
  if (missing.length > 0) {
    const what = missing.map(({ keyId, number }) => `${number} with ${keyId}`).join(', ');
    return (
      `Secrets in the database are sealed with a root key that is not at hand (${what}; here is ${current}). Give it ` +
      'with REELAY_SECRET or REELAY_SECRET_ALSO, or put the file "secret" of that installation into the data ' +
      `directory. If the key is lost for good: reelay secrets forget ${missing[0]!.keyId}.`
    );
  }
  const at = clock.now();
  for (const { id } of inUse) if (!atHand.has(id)) await store.retireRootKey({ id, at });
  await store.noteRootKey({ id: current, at });
  return null;
}

export function createSecretKeeper(options: SecretKeeperOptions): RunningSecretKeeper {
  const { store, rootKeys, clock } = options;
  /** Where the pass under way has come to; null while nothing is to be sealed anew. */
  let pass: { kind: number; after: string; resealed: number; unopened: number } | null = null;
  let unopened = 0;
  let fault: string | null = null;

  const loop = new Loop({
    clock,
    async step() {
      const dueAt = await step();
      fault = null;
      return dueAt;
    },
    onError(error) {
      fault = 'The database could not be changed; it is tried again.';
      options.onError(error);
    },
  });

  async function step(): Promise<number> {
    if (pass === null) return retire();
    const kind = KINDS[pass.kind];
    if (kind === undefined) {
      unopened = pass.unopened;
      // Somebody may have sealed with an older key while we passed: it is over when there was nothing to do.
      pass = pass.resealed > 0 ? newPass() : null;
      return clock.now();
    }
    const keyId = rootKeys.keyring[0]!.id;
    const found = await store.sealedWithOthers({ kind, keyId, after: pass.after, limit: BATCH });
    const anew = found.flatMap((value) => resealed(value) ?? []);
    if (anew.length > 0) pass.resealed += await store.reseal(anew);
    pass.unopened += found.length - anew.length;
    if (found.length === BATCH) pass.after = found.at(-1)!.id;
    else Object.assign(pass, { kind: pass.kind + 1, after: '' });
    return clock.now();
  }

  /** Null for what cannot be opened: it stays as it is, and the key it needs is not ours to judge. */
  function resealed(value: SealedValue): (SealedValue & { resealed: string }) | null {
    const context = CONTEXTS[value.kind](value.id);
    try {
      return {
        ...value,
        resealed: seal(rootKeys.keyring[0]!, unseal(rootKeys.keyring, value.sealed, context), context),
      };
    } catch (error) {
      if (error instanceof SealError) return null;
      throw error;
    }
  }

  /** Forgets keys that nothing is sealed with any more, once the links they signed have ended. */
  async function retire(): Promise<number> {
    const [current, ...others] = rootKeys.keyring;
    if (rootKeys.source !== 'file' || options.isShared || others.length === 0) return Infinity;
    const at = clock.now();
    const since = await sinceWhen(current!.id);
    if (at < since + LINKS_LIVE_MS) return Math.min(since + LINKS_LIVE_MS, at + RETIRE_EVERY_MS);
    const inUse = new Set((await store.counts()).map(({ keyId }) => keyId));
    for (const { id } of others) {
      if (inUse.has(id)) continue;
      rootKeys.forget(id);
      await store.retireRootKey({ id, at });
    }
    return rootKeys.keyring.length > 1 ? at + RETIRE_EVERY_MS : Infinity;
  }

  async function sinceWhen(keyId: string): Promise<number> {
    return (await store.rootKeys()).find(({ id }) => id === keyId)?.firstUsedAt ?? clock.now();
  }

  async function status(): Promise<SecretsStatus> {
    const current = rootKeys.keyring[0]!.id;
    const counts = await store.counts();
    const numberOf = (keyId: string) => counts.find((each) => each.keyId === keyId)?.number ?? 0;
    const atHand = new Set(rootKeys.keyring.map(({ id }) => id));
    const others = new Set([...atHand, ...counts.map(({ keyId }) => keyId)]);
    others.delete(current);
    return {
      source: rootKeys.source,
      currentKeyId: current,
      currentSince: await sinceWhen(current),
      sealed: numberOf(current),
      others: [...others].map((keyId) => ({
        keyId,
        isAtHand: atHand.has(keyId),
        sealed: numberOf(keyId),
      })),
      unopened,
      isResealing: pass !== null,
      fault,
    };
  }

  function begin(): void {
    pass ??= newPass();
    loop.wake();
  }

  /** Whether texts wait that could be sealed anew. */
  function isUnfinished({ others }: SecretsStatus): boolean {
    return others.some(({ isAtHand, sealed }) => isAtHand && sealed > unopened);
  }

  return {
    status,
    async rotate() {
      const before = await status();
      if (pass === null && !isUnfinished(before)) {
        if (rootKeys.source === 'configuration') {
          throw new GatewayError(
            'conflict',
            `The root key is given by the configuration, and everything is sealed with it (${before.currentKeyId}). ` +
              'Put a new key into REELAY_SECRET and this one into REELAY_SECRET_ALSO, start again, then ask again.',
          );
        }
        if (options.isShared) {
          throw new GatewayError(
            'conflict',
            'Nodes that share a database are given their root key by the operator: put the content of the file "secret" ' +
              'into REELAY_SECRET_ALSO and a new key into REELAY_SECRET on every node, then ask again.',
          );
        }
        if (rootKeys.keyring.length > KEYS_MAX) {
          throw new GatewayError(
            'conflict',
            `There are ${KEYS_MAX} older keys whose links have not ended yet: each goes by itself after three days.`,
          );
        }
        rootKeys.renew();
        await store.noteRootKey({ id: rootKeys.keyring[0]!.id, at: clock.now() });
      }
      begin();
      return status();
    },
    start() {
      // Keys of the configuration are changed node by node: the operator says when all of them have the new one.
      if (rootKeys.source === 'file' && !options.isShared && rootKeys.keyring.length > 1) begin();
    },
    stop: () => loop.stop(),
  };
}

function newPass(): { kind: number; after: string; resealed: number; unopened: number } {
  return { kind: 0, after: '', resealed: 0, unopened: 0 };
}
