/** The Store port, put together from an engine's backend and the procedures. */
import { setImmediate as turn } from 'node:timers/promises';
import { GatewayError } from '../core/errors.ts';
import type { OpenAttemptKey, Store } from '../core/ports.ts';
import { idFloor } from '../lib/ids.ts';
import { getAccount, listAccounts } from './accounts.ts';
import { adminTasks, searchTasks } from './admin-tasks.ts';
import type { Backend } from './backend.ts';
import { channelHealth } from './channel-health.ts';
import { openAttemptCount, openAttemptKeys } from './cluster.ts';
import { channelsWithWork, getChannel, listChannels } from './channels.ts';
import { getEvent, listEvents } from './events.ts';
import { expiredFiles, findFile, listFiles } from './files.ts';
import { jobCounts, nextRunAt } from './jobs.ts';
import { findKeyByAccessKey, findKeyByHash, listKeys } from './keys.ts';
import { getWallet, listLedger, toppedUp } from './ledger.ts';
import {
  currentAttempt,
  expiredMedia,
  getAttempt,
  openAttemptsAfter,
  overdueTasks,
  refusalsOf,
  taskCounts,
  waitingCount,
} from './lane-reads.ts';
import {
  accountsWaiting,
  lanePaces,
  waitingPage,
  waitingPlaces,
  waitingPools,
  waitingTasks,
} from './lane-queue.ts';
import { attentionCounts } from './operator-actions.ts';
import { findUsedKey } from './repeats.ts';
import { findResource, isOwnedUpstream, isResourceId, pageResources } from './resources.ts';
import { retentionStore } from './retention.ts';
import { sealedStore } from './sealed.ts';
import { taskRecord } from './task-record.ts';
import { findTask, getTask, listTasks, pageTasks } from './task-reads.ts';
import { toTaskRow } from './task-row.ts';
import { webhookStore } from './webhook-store.ts';

/** Keys are small: many at once. */
const OPEN_KEYS_STEP = 2_000;

export function createStore(backend: Backend): Store {
  const { read, write } = backend;

  async function openKeys(channelId: string, since: number): Promise<OpenAttemptKey[]> {
    const all: OpenAttemptKey[] = [];
    for (let after: string | undefined = idFloor('att_', since); after !== undefined; await turn()) {
      const step: OpenAttemptKey[] = await read(openAttemptKeys(channelId, after, OPEN_KEYS_STEP));
      for (const key of step) all.push(key);
      after = step.length === OPEN_KEYS_STEP ? step.at(-1)?.attemptId : undefined;
    }
    return all;
  }

  return {
    createAccount: (row, remember = null) => write('createAccount', { row, remember }),
    updateAccount: (id, patch, at) => write('updateAccount', { id, patch, at }),
    getAccount: (id) => read(getAccount(id)),
    listAccounts: (query) => read(listAccounts(query)),
    createKey: (row, remember = null) => write('createKey', { row, remember }),
    listKeys: (accountId) => read(listKeys(accountId)),
    updateKey: (key, patch) => write('updateKey', { ...key, patch }),
    revokeKey: (accountId, id, at) => write('revokeKey', { accountId, id, at }),
    findKeyByHash: (keyHash) => read(findKeyByHash(keyHash)),
    findKeyByAccessKey: (accessKey) => read(findKeyByAccessKey(accessKey)),
    createChannel: (row, remember = null) => write('createChannel', { row, remember }),
    updateChannel: (id, patch) => write('updateChannel', { id, patch }),
    deleteChannel: (id, at) => write('deleteChannel', { id, at }),
    getChannel: (id) => read(getChannel(id)),
    listChannels: () => read(listChannels()),
    channelsWithWork: () => read(channelsWithWork()),

    // The row is made here: strings cross to a writer more cheaply than nested objects.
    acceptTask: async ({ task, attempt, remember = null }) =>
      write('acceptTask', { task: toTaskRow(task, attempt?.id ?? null), attempt, remember }),
    openAttempts: (attempts) => write('openAttempts', attempts),
    acceptAttempt: (input) => write('acceptAttempt', input),
    refuseAttempt: (input) => write('refuseAttempt', input),
    reopenAttempt: (input) => write('reopenAttempt', input),
    returnAttempt: (input) => write('returnAttempt', input),
    moveWaiting: (input) => write('moveWaiting', input),
    startTask: (input) => write('startTask', input),
    madeAttempt: (input) => write('madeAttempt', input),
    finishTask: (input) => write('finishTask', input),
    cancelTask: (input) => write('cancelTask', input),
    retryTask: (input) => write('retryTask', input),
    refundTask: (input) => write('refundTask', input),
    failTask: (input) => write('failTask', input),
    hideTask: (input) => write('hideTask', input),
    getTask: (id) => read(getTask(id)),
    async findTask(accountId, idOrExternalId) {
      const recent = backend.recentTasks?.find(idOrExternalId);
      if (recent?.accountId === accountId) return recent;
      const task = await read(findTask(accountId, idOrExternalId));
      // No change can have been heard of since: such a read is over within its turn.
      if (task !== null) backend.recentTasks?.keep(task);
      return task;
    },
    listTasks: (query) => read(listTasks(query)),
    pageTasks: (query) => read(pageTasks(query)),
    searchTasks: (query) => searchTasks(read, query),
    adminTasks: (query) => adminTasks(read, query),
    waitingTasks: (channelId, pool, limit) => read(waitingTasks(channelId, pool, limit)),
    waitingPage: (channelId, pool, after, limit) => read(waitingPage(channelId, pool, after, limit)),
    waitingPlaces: (channelId, pool, after, limit) => read(waitingPlaces(channelId, pool, after, limit)),
    accountsWaiting: (channelId, pool) => read(accountsWaiting(channelId, pool)),
    waitingPools: (channelId) => read(waitingPools(channelId)),
    refusalsOf: (taskId, channelId) => read(refusalsOf(taskId, channelId)),
    lanePaces: (channelId) => read(lanePaces(channelId)),
    notePace: (pace) => write('notePace', pace),
    channelHealth: () => read(channelHealth()),
    noteHealth: (health) => write('noteHealth', health),
    waitingCount: (channelId) => read(waitingCount(channelId)),
    openAttemptsOf: (channelId, after, limit) => read(openAttemptsAfter(channelId, after, limit)),
    openAttemptKeys: openKeys,
    openAttemptCount: (channelId) => read(openAttemptCount(channelId)),
    doubtWaiting: (input) => write('doubtWaiting', input),
    getAttempt: (id) => read(getAttempt(id)),
    currentAttempt: (taskId) => read(currentAttempt(taskId)),
    overdueTasks: (at, limit) => read(overdueTasks(at, limit)),
    expiredMedia: (at, limit) => read(expiredMedia(at, limit)),
    forgetMedia: (input) => write('forgetMedia', input),
    taskCounts: () => read(taskCounts()),
    attentionCounts: () => read(attentionCounts()),
    taskRecord: (id) => read(taskRecord(id)),

    findResource: (accountId, kind, id, at) => read(findResource(accountId, kind, id, at)),
    isOwnedUpstream: (kind, upstreamId) => read(isOwnedUpstream(kind, upstreamId)),
    isResourceId: (kind, id) => read(isResourceId(kind, id)),
    pageResources: (query) => read(pageResources(query)),
    deleteResource: (input) => write('deleteResource', input),
    createFile: (row, remember = null) => write('createFile', { row, remember }),
    findFile: (accountId, id, at) => read(findFile(accountId, id, at)),
    listFiles: (query) => read(listFiles(query)),
    deleteFile: (accountId, id) => write('deleteFile', { accountId, id }),
    expiredFiles: (at, limit) => read(expiredFiles(at, limit)),
    toppedUp: (accountId) => read(toppedUp(accountId)),

    findUsedKey: (scope, key, at) => read(findUsedKey(scope, key, at)),
    rememberAnswer: (input) => write('rememberAnswer', input),
    claimSending: (input) => write('claimSending', input),
    forgetRepeats: (input) => write('forgetRepeats', input),

    async post(input) {
      if (input.kind === 'top_up' && input.amountMicros <= 0n) {
        throw new GatewayError(
          'invalid_value',
          'A top-up must be above zero; use an adjustment to take back.',
          {
            param: 'amount',
          },
        );
      }
      return write('post', input);
    },
    getWallet: (accountId) => read(getWallet(accountId)),
    listLedger: (accountId, query) => read(listLedger(accountId, query)),
    verifyLedger: () => backend.verifyLedger(),

    jobs: {
      enqueue: (job) => write('enqueueJob', job),
      claim: (input) => write('claimJobs', input),
      complete: (id) => write('completeJob', { id }),
      fail: (id, input) => write('failJob', { id, ...input }),
      bringForward: (queue, byMs) => write('bringJobsForward', { queue, byMs }),
      nextRunAt: (queue) => read(nextRunAt(queue)),
      counts: () => read(jobCounts()),
    },
    webhooks: webhookStore(backend),
    sealed: sealedStore(backend),
    retention: retentionStore(backend),
    getEvent: (id) => read(getEvent(id)),
    listEvents: (query) => read(listEvents(query)),
    onCommit: backend.onCommit,
    alone: backend.alone,
    tell: (topic) => write('tell', { topic }),
    ping: async () => void (await read(listChannels())),
    close: () => backend.close(),
  };
}
