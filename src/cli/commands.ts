/** Every command, in the order of the help. */
import { accountsCreate, accountsList } from './accounts.ts';
import { backup } from './backup.ts';
import { channelsAdd, channelsList, channelsProbe } from './channels.ts';
import type { Command } from './command.ts';
import { doctor } from './doctor.ts';
import { download } from './download.ts';
import { generate } from './generate.ts';
import { keysCreate, keysList, keysRevoke } from './keys.ts';
import { ledgerList, ledgerVerify } from './ledger.ts';
import { migrate } from './migrate.ts';
import { restore } from './restore.ts';
import { secretsForget, secretsRotate, secretsStatus } from './secrets.ts';
import { start } from './start.ts';
import { tasksDelete, tasksGet, tasksList } from './tasks.ts';
import { topUp } from './top-up.ts';

export const commands: Command[] = [
  start,
  generate,
  download,
  tasksList,
  tasksGet,
  tasksDelete,
  accountsList,
  accountsCreate,
  keysList,
  keysCreate,
  keysRevoke,
  topUp,
  ledgerList,
  ledgerVerify,
  channelsList,
  channelsAdd,
  channelsProbe,
  secretsStatus,
  secretsRotate,
  secretsForget,
  backup,
  restore,
  migrate,
  doctor,
];
