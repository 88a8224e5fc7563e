/** Migrations in order. Each is final once released: a later change is a new one. */
import { first } from './0001-first.ts';
import { resourcesAndFiles } from './0002-resources-and-files.ts';
import { webhooks } from './0003-webhooks.ts';
import { repeatsAndLimits } from './0004-repeats-and-limits.ts';
import { lanes } from './0005-lanes.ts';
import { operatorActions } from './0006-operator-actions.ts';
import { secrets } from './0007-secrets.ts';
import { lists } from './0010-lists.ts';
import { shownTasks } from './0011-shown-tasks.ts';
import type { Migration } from '../migrate.ts';

export const migrations: Migration[] = [
  first,
  resourcesAndFiles,
  webhooks,
  repeatsAndLimits,
  lanes,
  operatorActions,
  secrets,
  lists,
  shownTasks,
];
