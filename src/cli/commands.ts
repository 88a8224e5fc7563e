/** Every command, in the order of the help. */
import { accountsCreate, accountsLimits, accountsList } from './accounts.ts';
import { backup } from './backup.ts';
import { channelsAdd, channelsList, channelsProbe, channelsSet } from './channels.ts';
import type { Command } from './command.ts';
import { doctor } from './doctor.ts';
import { download } from './download.ts';
import { generate } from './generate.ts';
import { keysCreate, keysLimits, keysList, keysRevoke } from './keys.ts';
import { ledgerList, ledgerVerify } from './ledger.ts';
import { migrate } from './migrate.ts';
import { restore } from './restore.ts';
import { secretsForget, secretsRotate, secretsStatus } from './secrets.ts';
import { start } from './start.ts';
import { tasksFail, tasksRefund, tasksRetry } from './task-actions.ts';
import { tasksDelete, tasksGet, tasksList } from './tasks.ts';
import { topUp } from './top-up.ts';
import {
  webhooksCreate,
  webhooksDelete,
  webhooksDeliveries,
  webhooksList,
  webhooksPause,
  webhooksRedeliver,
  webhooksResume,
  webhooksRotate,
  webhooksTest,
} from './webhooks.ts';

export const commands: Command[] = [
  start,
  generate,
  download,
  tasksList,
  tasksGet,
  tasksDelete,
  tasksRetry,
  tasksRefund,
  tasksFail,
  accountsList,
  accountsCreate,
  accountsLimits,
  keysList,
  keysCreate,
  keysLimits,
  keysRevoke,
  topUp,
  ledgerList,
  ledgerVerify,
  channelsList,
  channelsAdd,
  channelsSet,
  channelsProbe,
  webhooksList,
  webhooksCreate,
  webhooksRotate,
  webhooksPause,
  webhooksResume,
  webhooksTest,
  webhooksDelete,
  webhooksDeliveries,
  webhooksRedeliver,
  secretsStatus,
  secretsRotate,
  secretsForget,
  backup,
  restore,
  migrate,
  doctor,
];
