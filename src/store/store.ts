/** The Store port, put together from an engine's backend and the procedures. */
import { GatewayError } from '../core/errors.ts';
import type { Store } from '../core/ports.ts';
import { getAccount, listAccounts } from './accounts.ts';
import type { Backend } from './backend.ts';
import { channelsWithWork, getChannel, listChannels } from './channels.ts';
import { listEvents } from './events.ts';
import { nextRunAt } from './jobs.ts';
import { findKeyByAccessKey, findKeyByHash, listKeys } from './keys.ts';
import { getWallet, listLedger } from './ledger.ts';
import { taskRecord } from './task-record.ts';
import {
  adminTasks,
  currentAttempt,
  expiredMedia,
  findTask,
  getAttempt,
  getTask,
  listTasks,
  openAttemptsOf,
  overdueTasks,
  pageTasks,
  taskCounts,
  waitingCount,
  waitingTasks,
} from './task-reads.ts';
import { toTaskRow } from './task-row.ts';

export function createStore(backend: Backend): Store {
  const { read, write } = backend;
  return {
    createAccount: (row) => write('createAccount', row),
    updateAccount: (id, patch) => write('updateAccount', { id, patch }),
    getAccount: (id) => read(getAccount(id)),
    listAccounts: (query) => read(listAccounts(query)),
    createKey: (row) => write('createKey', row),
    listKeys: (accountId) => read(listKeys(accountId)),
    revokeKey: (accountId, id, at) => write('revokeKey', { accountId, id, at }),
    findKeyByHash: (keyHash) => read(findKeyByHash(keyHash)),
    findKeyByAccessKey: (accessKey) => read(findKeyByAccessKey(accessKey)),
    createChannel: (row) => write('createChannel', row),
    updateChannel: (id, patch) => write('updateChannel', { id, patch }),
    deleteChannel: (id, at) => write('deleteChannel', { id, at }),
    getChannel: (id) => read(getChannel(id)),
    listChannels: () => read(listChannels()),
    channelsWithWork: () => read(channelsWithWork()),

    // The row is made here: strings cross to a writer more cheaply than nested objects.
    acceptTask: async ({ task, attempt }) =>
      write('acceptTask', { task: toTaskRow(task, attempt?.id ?? null), attempt }),
    openAttempts: (attempts) => write('openAttempts', attempts),
    acceptAttempt: (input) => write('acceptAttempt', input),
    refuseAttempt: (input) => write('refuseAttempt', input),
    reopenAttempt: (input) => write('reopenAttempt', input),
    startTask: (input) => write('startTask', input),
    madeAttempt: (input) => write('madeAttempt', input),
    finishTask: (input) => write('finishTask', input),
    cancelTask: (input) => write('cancelTask', input),
    hideTask: (input) => write('hideTask', input),
    getTask: (id) => read(getTask(id)),
    findTask: (accountId, idOrExternalId) => read(findTask(accountId, idOrExternalId)),
    listTasks: (query) => read(listTasks(query)),
    pageTasks: (query) => read(pageTasks(query)),
    adminTasks: (query) => read(adminTasks(query)),
    waitingTasks: (channelId, limit) => read(waitingTasks(channelId, limit)),
    waitingCount: (channelId) => read(waitingCount(channelId)),
    openAttemptsOf: (channelId) => read(openAttemptsOf(channelId)),
    getAttempt: (id) => read(getAttempt(id)),
    currentAttempt: (taskId) => read(currentAttempt(taskId)),
    overdueTasks: (at, limit) => read(overdueTasks(at, limit)),
    expiredMedia: (at, limit) => read(expiredMedia(at, limit)),
    forgetMedia: (input) => write('forgetMedia', input),
    taskCounts: () => read(taskCounts()),
    taskRecord: (id) => read(taskRecord(id)),

    async post(input) {
      if (input.kind === 'top_up' && input.amountMicros < 0n) {
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
      nextRunAt: (queue) => read(nextRunAt(queue)),
    },
    listEvents: (query) => read(listEvents(query)),
    onCommit: backend.onCommit,
    ping: async () => void (await read(listChannels())),
    close: () => backend.close(),
  };
}
