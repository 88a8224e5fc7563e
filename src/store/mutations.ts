/** Every change there is, by name: the writer looks them up here. */
import { createAccount, updateAccount } from './accounts.ts';
import {
  acceptAttempt,
  madeAttempt,
  moveWaiting,
  notePace,
  openAttempts,
  refuseAttempt,
  reopenAttempt,
  returnAttempt,
} from './attempts.ts';
import { noteHealth } from './channel-health.ts';
import { tell } from './cluster.ts';
import { createChannel, deleteChannel, updateChannel } from './channels.ts';
import { doubtWaiting } from './doubt-waiting.ts';
import { createFile, deleteFile } from './files.ts';
import { finishTask } from './finish-task.ts';
import { bringJobsForward, claimJobs, completeJob, enqueueJob, failJob } from './jobs.ts';
import { createKey, revokeKey, updateKey } from './keys.ts';
import { post } from './ledger.ts';
import { setWalletLow } from './consumption.ts';
import { claimDeliveries, fixMessageBody } from './deliveries.ts';
import { pruneMessages, redeliver, redeliverAll } from './delivery-log.ts';
import { failTask, refundTask, retryTask } from './operator-actions.ts';
import { deleteResource } from './resources.ts';
import { claimSending, forgetRepeats, rememberAnswer } from './repeats.ts';
import { deleteTasks, pruneEvents, pruneExchanges } from './retention.ts';
import { noteRootKey, resealValues, retireRootKey } from './sealed.ts';
import { bringDeliveriesForward } from './set-back.ts';
import { settleDelivery } from './settle-delivery.ts';
import type { Mutation } from './statement.ts';
import { acceptTask, cancelTask, forgetMedia, hideTask, startTask } from './tasks.ts';
import {
  createWebhookEndpoint,
  deleteWebhookEndpoint,
  ensureCallbackSigner,
  updateWebhookEndpoint,
} from './webhook-endpoints.ts';

export const mutations = {
  createAccount,
  updateAccount,
  createKey,
  updateKey,
  revokeKey,
  createChannel,
  updateChannel,
  deleteChannel,
  acceptTask,
  startTask,
  cancelTask,
  hideTask,
  forgetMedia,
  finishTask,
  retryTask,
  refundTask,
  failTask,
  openAttempts,
  acceptAttempt,
  refuseAttempt,
  reopenAttempt,
  returnAttempt,
  moveWaiting,
  notePace,
  noteHealth,
  madeAttempt,
  deleteResource,
  createFile,
  deleteFile,
  claimSending,
  forgetRepeats,
  rememberAnswer,
  post,
  createWebhookEndpoint,
  updateWebhookEndpoint,
  deleteWebhookEndpoint,
  ensureCallbackSigner,
  claimDeliveries,
  fixMessageBody,
  settleDelivery,
  bringDeliveriesForward,
  redeliver,
  redeliverAll,
  pruneMessages,
  setWalletLow,
  resealValues,
  noteRootKey,
  retireRootKey,
  pruneExchanges,
  pruneEvents,
  deleteTasks,
  doubtWaiting,
  enqueueJob,
  claimJobs,
  completeJob,
  failJob,
  bringJobsForward,
  tell,
};

export type MutationName = keyof typeof mutations;
export type ArgsOf<Name extends MutationName> =
  (typeof mutations)[Name] extends Mutation<infer Args, infer _Result> ? Args : never;
export type ResultOf<Name extends MutationName> =
  (typeof mutations)[Name] extends Mutation<infer _Args, infer Result> ? Result : never;
