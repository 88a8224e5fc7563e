/** What recognises a repeat: idempotency keys for a day, what SDKs sent for minutes. */
import { GatewayError } from '../core/errors.ts';
import type { Json, RememberAnswer, RememberKey, RememberSending, UsedKey } from '../core/ports.ts';
import { parseJson, writeJson } from '../lib/json.ts';
import type { SendingsTable, UsedKeysTable } from './schema.ts';
import { change, first, statement, type Mutation, type Procedure } from './statement.ts';

const insertKey = statement<UsedKeysTable>()((db, arg) =>
  db
    .insertInto('used_keys')
    .values({
      scope: arg('scope'),
      key: arg('key'),
      request_hash: arg('request_hash'),
      subject_id: arg('subject_id'),
      created_at: arg('created_at'),
      expires_at: arg('expires_at'),
      response: arg('response'),
    })
    .onConflict((conflict) => conflict.columns(['scope', 'key']).doNothing()),
);

const removeKey = statement<{ scope: string; key: string; at: number; replaces: string | null }>()(
  (db, arg) =>
    db
      .deleteFrom('used_keys')
      .where('scope', '=', arg('scope'))
      .where('key', '=', arg('key'))
      .where((eb) => eb.or([eb('expires_at', '<=', arg('at')), eb('subject_id', '=', arg('replaces'))])),
);

const keyOf = statement<{ scope: string; key: string; at: number }>()((db, arg) =>
  db
    .selectFrom('used_keys')
    .select(['request_hash', 'subject_id', 'response'])
    .where('scope', '=', arg('scope'))
    .where('key', '=', arg('key'))
    .where('expires_at', '>', arg('at')),
);

const forgetKeys = statement<{ at: number; limit: number }>()((db, arg) =>
  db
    .deleteFrom('used_keys')
    // One moment's keys may be more than the limit; they go together.
    .where('expires_at', '<=', (eb) =>
      eb
        .selectFrom((inner) =>
          inner
            .selectFrom('used_keys')
            .select('expires_at')
            .where('expires_at', '<=', arg('at'))
            .orderBy('expires_at')
            .limit(arg('limit'))
            .as('oldest'),
        )
        .select(({ fn }) => fn.max('oldest.expires_at').as('latest')),
    ),
);

const insertSending = statement<SendingsTable>()((db, arg) =>
  db.insertInto('sendings').values({
    key_id: arg('key_id'),
    request_hash: arg('request_hash'),
    task_id: arg('task_id'),
    retry_count: arg('retry_count'),
    created_at: arg('created_at'),
  }),
);

type Claim = { key_id: string; request_hash: string; retry_count: number; since: number };

const unclaimed = statement<Claim>()((db, arg) =>
  db
    .selectFrom('sendings')
    .select('task_id')
    .where('key_id', '=', arg('key_id'))
    .where('request_hash', '=', arg('request_hash'))
    .where('retry_count', '<', arg('retry_count'))
    .where('created_at', '>=', arg('since'))
    .orderBy('task_id')
    .limit(1),
);

const claim = statement<Omit<Claim, 'since'> & { task_id: string }>()((db, arg) =>
  db
    .updateTable('sendings')
    .set({ retry_count: arg('retry_count') })
    .where('key_id', '=', arg('key_id'))
    .where('request_hash', '=', arg('request_hash'))
    .where('task_id', '=', arg('task_id'))
    .where('retry_count', '<', arg('retry_count')),
);

const forgetSendings = statement<{ before: number; limit: number }>()((db, arg) =>
  db
    .deleteFrom('sendings')
    .where('created_at', '<=', (eb) =>
      eb
        .selectFrom((inner) =>
          inner
            .selectFrom('sendings')
            .select('created_at')
            .where('created_at', '<', arg('before'))
            .orderBy('created_at')
            .limit(arg('limit'))
            .as('oldest'),
        )
        .select(({ fn }) => fn.max('oldest.created_at').as('latest')),
    ),
);

/** Refuses with `request_in_progress` when somebody else used the key since it was looked up. */
export function* rememberKey(
  remember: RememberKey,
  used: { subjectId: string; response: Json; at: number },
): Procedure<void> {
  const { scope, key, requestHash, expiresAt, replaces } = remember;
  yield* change(removeKey, { scope, key, at: used.at, replaces });
  const written = yield* change(insertKey, {
    scope,
    key,
    request_hash: requestHash,
    subject_id: used.subjectId,
    created_at: used.at,
    expires_at: expiresAt,
    response: writeJson(used.response),
  });
  if (written === 1) return;
  throw new GatewayError('request_in_progress', 'A request with this Idempotency-Key was just accepted.');
}

/** {@link rememberKey} where there is a key, with the answer that came with it. */
export function* rememberGiven(
  remember: RememberKey | RememberAnswer | null | undefined,
  used: { subjectId: string; at: number },
): Procedure<void> {
  if (!remember) return;
  const response = 'response' in remember ? remember.response : null;
  yield* rememberKey(remember, { ...used, response });
}

export const rememberAnswer: Mutation<{ remember: RememberAnswer; subjectId: string; at: number }, void> =
  function* (_tx, { remember, ...used }) {
    yield* rememberGiven(remember, used);
  };

/** What was accepted together with a task. */
export function* rememberTask(
  remember: RememberKey | RememberSending,
  task: { id: string; key_id: string; created_at: number },
): Procedure<void> {
  const at = task.created_at;
  if (remember.kind === 'key') {
    yield* rememberKey(remember, { subjectId: task.id, response: null, at });
    return;
  }
  yield* change(insertSending, {
    key_id: task.key_id,
    request_hash: remember.requestHash,
    task_id: task.id,
    retry_count: remember.retryCount,
    created_at: at,
  });
}

export function* findUsedKey(scope: string, key: string, at: number): Procedure<UsedKey | null> {
  const row = yield* first(keyOf, { scope, key, at });
  return (
    row && {
      requestHash: row.request_hash,
      subjectId: row.subject_id,
      response: parseJson(row.response, { depthMax: 64 }),
    }
  );
}

/** Each task goes to one sending of a count: five equal requests that are all sent again find five tasks. */
export const claimSending: Mutation<
  { keyId: string; requestHash: string; retryCount: number; since: number },
  string | null
> = function* (_tx, { keyId, requestHash, retryCount, since }) {
  const asked = { key_id: keyId, request_hash: requestHash, retry_count: retryCount };
  for (;;) {
    const found = yield* first(unclaimed, { ...asked, since });
    if (!found) return null;
    // Where another node took it in between, the next one is looked for.
    if ((yield* change(claim, { ...asked, task_id: found.task_id })) === 1) return found.task_id;
  }
};

export const forgetRepeats: Mutation<{ at: number; sentBefore: number; limit: number }, number> = function* (
  _tx,
  { at, sentBefore, limit },
) {
  const keys = yield* change(forgetKeys, { at, limit });
  return keys + (yield* change(forgetSendings, { before: sentBefore, limit }));
};
