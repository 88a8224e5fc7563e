/**
 * Every way a table is read goes through an index that fits it: the plans do not depend on how many rows there are,
 * because no statistics are ever gathered.
 */
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { listAccounts } from '../accounts.ts';
import { adminTasksBefore, chooseWalk } from '../admin-tasks.ts';
import { channelsWithWork } from '../channels.ts';
import { listConsumption } from '../consumption.ts';
import { announce, claimDeliveries } from '../deliveries.ts';
import { deliveryLanes, listDeliveries, nextDeliveryAfter, pruneMessages } from '../delivery-log.ts';
import { doubtWaiting } from '../doubt-waiting.ts';
import { sqliteEngine } from '../engine.ts';
import { eventsOfTask, listEvents } from '../events.ts';
import { exchangesOfTask } from '../exchanges.ts';
import { expiredFiles, listFiles } from '../files.ts';
import { claimJobs, nextRunAt } from '../jobs.ts';
import { findKeyByAccessKey, findKeyByHash, listKeys } from '../keys.ts';
import * as queue from '../lane-queue.ts';
import * as lanes from '../lane-reads.ts';
import { getWallet, ledgerOfTask, listLedger, toppedUp } from '../ledger.ts';
import { applyLimits, countIn, countOut } from '../limits.ts';
import { migrate } from '../migrate.ts';
import { attentionCounts } from '../operator-actions.ts';
import { claimSending, findUsedKey, forgetRepeats } from '../repeats.ts';
import { pastTasks, pruneEvents, pruneExchanges } from '../retention.ts';
import { isOwnedUpstream, isResourceId, pageResources } from '../resources.ts';
import type { Procedure } from '../statement.ts';
import * as tasks from '../task-reads.ts';
import { listEndpoints } from '../webhook-endpoints.ts';
import { createExecutor } from './executor.ts';

const database = new DatabaseSync(':memory:');
const execute = createExecutor(database);
execute(migrate(sqliteEngine, 0));

/** The plan of every statement a procedure executes, answers being real. */
function plansOf(procedure: Procedure<unknown>): string[] {
  const plans: string[] = [];
  execute(
    (function* () {
      let step = procedure.next();
      while (!step.done) {
        const { sql } = step.value.statement.compile(sqliteEngine);
        plans.push(
          ...database
            .prepare(`explain query plan ${sql}`)
            .all()
            .map((row) => String(row.detail)),
        );
        step = procedure.next(yield step.value);
      }
    })(),
  );
  return plans;
}

const webhook = { accountId: 'a', endpointId: 'e' };
const page = { cursor: null, limit: 10 };
const tx = { newId: () => 'x', notify: () => {} };
const list = { accountId: 'a', order: 'desc' as const, limit: 10 };

function* adminTasks(filters: Partial<Parameters<typeof chooseWalk>[0]>): Procedure<unknown> {
  const walk = yield* chooseWalk({ ...page, ...filters });
  return yield* adminTasksBefore(walk, walk.before, { stepRows: 9, limit: 9 });
}

const paths: Record<string, { read: Procedure<unknown>; uses: RegExp[] }> = {
  getTask: { read: tasks.getTask('x'), uses: [/SEARCH tasks .*\(id=\?\)/] },
  findTask: {
    read: tasks.findTask('a', 'x'),
    uses: [/\(id=\?\)/, /tasks_external \(account_id=\? AND external_task_id=\?\)/],
  },
  listTasks: {
    read: tasks.listTasks(list),
    uses: [/COVERING INDEX tasks_account \(\(account_id,id\)>\(\?,\?\) AND \(account_id,id\)</],
  },
  'listTasks of a surface': {
    read: tasks.listTasks({ ...list, order: 'asc', surface: 's' }),
    uses: [/COVERING INDEX tasks_surface \(account_id=\? AND surface=\? AND id>\? AND id<\?\)/],
  },
  pageTasks: {
    read: tasks.pageTasks({ accountId: 'a', surface: 's', offset: 5, limit: 5 }),
    uses: [/SEARCH tasks .*\(id=\?\)/, /USING COVERING INDEX tasks_surface \(account_id=\? AND surface=\?\)/],
  },
  adminTasks: { read: adminTasks({}), uses: [/SEARCH tasks USING INDEX \S+ \(id>\? AND id<\?\)/] },
  'adminTasks of an account': {
    read: adminTasks({ accountId: 'a', states: ['completed'] }),
    uses: [/COVERING INDEX tasks_account \(\(account_id,id\)>\(\?,\?\) AND \(account_id,id\)</],
  },
  'adminTasks of a model': {
    read: adminTasks({ model: 'm', createdFrom: 1, createdTo: 2 }),
    uses: [/COVERING INDEX tasks_model \(\(model,id\)>\(\?,\?\) AND \(model,id\)</],
  },
  'adminTasks of a tier': {
    read: adminTasks({ tier: 't' }),
    uses: [/COVERING INDEX tasks_tier \(\(tier,id\)>\(\?,\?\) AND \(tier,id\)</],
  },
  'adminTasks of a channel': {
    read: adminTasks({ channelId: 'c' }),
    uses: [/COVERING INDEX tasks_channel \(\(channel_id,id\)>\(\?,\?\) AND \(channel_id,id\)</],
  },
  'adminTasks by two indexes': {
    read: adminTasks({ accountId: 'a', model: 'm' }),
    uses: [
      /COVERING INDEX tasks_model \(\(model,id\)>\(\?,\?\) AND \(model,id\)</,
      /SEARCH same .*COVERING INDEX tasks_account \(account_id=\? AND id>\? AND id<\?\)/,
    ],
  },
  'adminTasks that failed': {
    read: adminTasks({ states: ['failed'] }),
    uses: [/INDEX tasks_ended_badly \(id>\? AND id<\?\)/],
  },
  'adminTasks of an account that failed': {
    read: adminTasks({ accountId: 'a', states: ['failed'] }),
    uses: [/INDEX tasks_ended_badly_account_id \(account_id=\? AND state=\? AND id>\? AND id<\?\)/],
  },
  'adminTasks that are open': {
    read: adminTasks({ states: ['queued'] }),
    uses: [/MATERIALIZE led\nSEARCH tasks USING INDEX tasks_deadline \(deadline_at>\?\)/],
  },
  'adminTasks that call for an operator': {
    read: adminTasks({ attention: 'lost' }),
    uses: [/INDEX tasks_attention \(id>\? AND id<\?\)/],
  },
  searchTasks: {
    read: adminTasks({ accountId: 'a', states: ['failed', 'cancelled'], onlyShown: true }),
    uses: [/INDEX tasks_ended_badly_account_id \(account_id=\? AND state=\? AND id>\? AND id<\?\)/],
  },
  waitingPage: {
    read: queue.waitingPage('c', 'p', null, 5),
    uses: [/tasks_waiting \(channel_id=\? AND pool=\? AND \(account_id,queue_rank,id\)>\(\?,\?,\?\)\)/],
  },
  waitingPlaces: {
    read: queue.waitingPlaces('c', 'p', null, 5),
    uses: [/COVERING INDEX tasks_waiting \(channel_id=\? AND pool=\? AND \(account_id,queue_rank,id\)>/],
  },
  accountsWaiting: {
    read: queue.accountsWaiting('c', 'p'),
    uses: [
      /COVERING INDEX tasks_waiting \(channel_id=\? AND pool=\? AND account_id>\?\)/,
      /last USING PRIMARY KEY \(channel_id=\? AND pool=\? AND account_id=\?\)/,
    ],
  },
  waitingPools: {
    read: queue.waitingPools('c'),
    uses: [/COVERING INDEX tasks_waiting \(channel_id=\?\)/, /tasks_waiting \(channel_id=\? AND pool>\?\)/],
  },
  refusalsOf: { read: lanes.refusalsOf('t', 'c'), uses: [/attempts_task \(task_id=\?\)/] },
  waitingCount: { read: lanes.waitingCount('c'), uses: [/COVERING INDEX tasks_waiting \(channel_id=\?\)/] },
  openAttemptsOf: {
    read: lanes.openAttemptsAfter('c', null, 5),
    uses: [/attempts_open \(channel_id=\? AND id>\?\)/],
  },
  currentAttempt: { read: lanes.currentAttempt('x'), uses: [/SEARCH tasks/, /SEARCH attempts/] },
  overdueTasks: { read: lanes.overdueTasks(1, 5), uses: [/tasks_deadline \(deadline_at<\?\)/] },
  expiredMedia: { read: lanes.expiredMedia(1, 5), uses: [/tasks_media_expiry \(media_expires_at>?.*<\?\)/] },
  taskCounts: { read: lanes.taskCounts(), uses: [/COVERING INDEX tasks_deadline/] },
  attentionCounts: { read: attentionCounts(), uses: [/COVERING INDEX tasks_attention/] },
  channelsWithWork: { read: channelsWithWork(), uses: [/attempts_open/, /tasks_waiting/] },
  listAccounts: { read: listAccounts(page), uses: [/SEARCH accounts/] },
  listKeys: { read: listKeys('a'), uses: [/api_keys_account \(account_id=\?\)/] },
  findKeyByHash: { read: findKeyByHash('h'), uses: [/api_keys .*\(key_hash=\?\)/] },
  findKeyByAccessKey: { read: findKeyByAccessKey('h'), uses: [/api_keys .*\(access_key=\?\)/] },
  getWallet: { read: getWallet('a'), uses: [/SEARCH wallets/] },
  listLedger: { read: listLedger('a', page), uses: [/PRIMARY KEY \(account_id=\? AND id<\?\)/] },
  ledgerOfTask: { read: ledgerOfTask('x'), uses: [/ledger_entries_task \(task_id=\?\)/] },
  listEvents: { read: listEvents(page), uses: [/\(id>\?\)/] },
  'listEvents of an account': {
    read: listEvents({ ...page, accountId: 'a' }),
    uses: [/events_account \(account_id=\? AND id>\?\)/],
  },
  eventsOfTask: { read: eventsOfTask('x'), uses: [/events_task \(task_id=\?\)/] },
  exchangesOfTask: {
    read: exchangesOfTask('x'),
    uses: [/attempts_task \(task_id=\?\)/, /\(attempt_id=\?\)/],
  },
  toppedUp: { read: toppedUp('a'), uses: [/COVERING INDEX ledger_entries_funding \(account_id=\?/] },
  isResourceId: {
    read: isResourceId('voice', 'x'),
    uses: [/SEARCH resources .*\(id=\?\)/],
  },
  isOwnedUpstream: {
    read: isOwnedUpstream('voice', 'u'),
    uses: [/resources_upstream \(kind=\? AND upstream_id=\?\)/],
  },
  pageResources: {
    read: pageResources({ accountId: 'a', kind: 'voice', at: 1, offset: 0, limit: 5 }),
    uses: [/resources_account \(account_id=\? AND kind=\?\)/],
  },
  listFiles: {
    read: listFiles({ accountId: 'a', order: 'desc', limit: 5, at: 1 }),
    uses: [/files_account \(account_id=\? AND id<\?\)/],
  },
  findUsedKey: {
    read: findUsedKey('a', 'k', 1),
    uses: [/used_keys_key|used_keys .*\(scope=\? AND key=\?\)/],
  },
  claimSending: {
    read: claimSending(tx, { keyId: 'k', requestHash: 'h', retryCount: 1, since: 1 }),
    uses: [/sendings USING PRIMARY KEY \(key_id=\? AND request_hash=\?\)/],
  },
  forgetRepeats: {
    read: forgetRepeats(tx, { at: 1, sentBefore: 1, limit: 5 }),
    uses: [/used_keys_expiry \(expires_at<\?\)/, /sendings_age \(created_at<\?\)/],
  },
  countIn: {
    read: countIn({ account_id: 'a', key_id: 'k', created_at: 1, hold_micros: 1n }),
    uses: [/limit_counters USING PRIMARY KEY \(owner_id=\?\)/],
  },
  countOut: {
    read: countOut({ account_id: 'a', key_id: 'k', created_at: 1 }, 1n),
    uses: [/limit_counters USING PRIMARY KEY \(owner_id=\?\)/],
  },
  applyLimits: {
    read: applyLimits({ accountId: 'a', keyId: 'k' }, { concurrentTasks: 1 }, 1),
    uses: [/tasks_deadline \(deadline_at>\?\)/, /tasks_account \(account_id=\? AND id<\?\)/],
  },
  expiredFiles: { read: expiredFiles(1, 5), uses: [/files_expiry \(expires_at>?.*<\?\)/] },
  'announce to nobody': {
    read: announce(
      tx,
      { accountId: 'a', taskId: 't', callbackUrl: null },
      { eventId: 'e', type: 'task.completed', sequence: null },
      1,
    ),
    uses: [/webhook_subscriptions|subscription USING PRIMARY KEY \(account_id=\? AND event_type=\?\)/],
  },
  'announce to a callback': {
    read: announce(
      tx,
      { accountId: 'a', taskId: 't', callbackUrl: 'https://x' },
      { eventId: 'e', type: 'task.completed', sequence: null },
      1,
    ),
    uses: [/webhook_deliveries_(task|due) \((task_id|lane)=\?/],
  },
  claimDeliveries: {
    read: claimDeliveries(tx, { lanes: [{ lane: 'l', limit: 4 }], at: 1, leaseUntil: 2 }),
    uses: [/delivery USING INDEX webhook_deliveries_due \(lane=\? AND next_at<\?\)/, /earlier USING/],
  },
  deliveryLanes: { read: deliveryLanes('', 5), uses: [/INDEX webhook_deliveries_due \(lane>\?\)/] },
  nextDeliveryAfter: { read: nextDeliveryAfter(1), uses: [/webhook_deliveries_next \(next_at>\?\)/] },
  listDeliveries: {
    read: listDeliveries({ ...webhook, ...page, state: 'dead' }),
    uses: [/webhook_deliveries_endpoint \(endpoint_id=\? AND id<\?\)/],
  },
  listEndpoints: {
    read: listEndpoints({ accountId: 'a', limit: 5 }),
    uses: [/webhook_endpoints_account \(account_id=\? AND kind=\? AND id<\?\)/],
  },
  listConsumption: {
    read: listConsumption({ accountId: 'a', afterSequence: 1, limit: 5 }),
    uses: [/event USING PRIMARY KEY \(account_id=\? AND sequence>\?\)/],
  },
  pruneMessages: {
    read: pruneMessages(tx, { before: 1, limit: 5 }),
    uses: [/webhook_messages_age|message USING INDEX webhook_messages_age/, /webhook_deliveries_message/],
  },
  pruneExchanges: {
    read: pruneExchanges(tx, { before: 1, limit: 5 }),
    uses: [/COVERING INDEX \S*exchanges\S* \(attempt_id>\?\)/, /SEARCH attempts .*\(id=\?\)/],
  },
  pruneEvents: { read: pruneEvents(tx, { before: 1, limit: 5 }), uses: [/SEARCH events .*\(id>\?\)/] },
  pastTasks: { read: pastTasks({ before: 1, after: '', limit: 5 }), uses: [/SEARCH tasks .*\(id>\?\)/] },
  doubtWaiting: {
    read: doubtWaiting(tx, { after: '', limit: 5, owner: 'o', at: 1 }),
    uses: [/SEARCH tasks .*\(id>\?\)/],
  },
  nextRunAt: { read: nextRunAt('q'), uses: [/jobs_due \(queue=\?\)/] },
  claimJobs: {
    read: claimJobs(tx, { queue: 'q', limit: 1, leaseUntil: 2, at: 1 }),
    uses: [/jobs_due \(queue=\? AND run_at<\?\)/],
  },
};

/**
 * Small by nature: channels an operator configured, lanes, accounts or ids just found, the indexes of open tasks and of those
 * that call for an operator, and no table at all.
 */
const SCANS_ALLOWED =
  /^SCAN (channels|found$|led$|oldest$|waiting$|CONSTANT ROW$|tasks USING COVERING INDEX tasks_(deadline|attention))/;

/** A count by state, and accounts in the order of their turns: as many as there are states, or accounts that wait. */
const SORTED = new Set(['taskCounts', 'attentionCounts', 'accountsWaiting']);

for (const [name, { read, uses }] of Object.entries(paths)) {
  test(`${name} is served by an index`, () => {
    const plans = plansOf(read);
    const text = plans.join('\n');
    for (const pattern of uses) assert.match(text, pattern);
    for (const plan of plans) {
      if (plan.startsWith('SCAN')) assert.match(plan, SCANS_ALLOWED, text);
    }
    if (!SORTED.has(name)) assert.doesNotMatch(text, /TEMP B-TREE/);
  });
}
