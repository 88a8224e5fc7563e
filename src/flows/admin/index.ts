import { priceViews } from '../../core/pricing.ts';
import type { Admin } from '../../core/ports.ts';
import { accountVerbs } from './accounts.ts';
import { channelVerbs } from './channels.ts';
import { createWebhooks } from '../webhooks.ts';
import type { AdminContext } from './context.ts';
import { keyVerbs } from './keys.ts';
import { createOnce, OPERATORS } from '../once.ts';
import { taskActionVerbs } from './task-actions.ts';
import { taskVerbs } from './tasks.ts';
import { walletVerbs } from './wallets.ts';

export type { AdminContext } from './context.ts';

/** Everything an operator can do, behind the admin API. */
export function createAdmin(context: AdminContext): Admin {
  const once = createOnce(context);
  return {
    ...accountVerbs(context, once),
    ...keyVerbs(context, once),
    ...walletVerbs(context, once),
    ...channelVerbs(context, once),
    ...taskVerbs(context),
    ...taskActionVerbs(context, once),
    webhooks: createWebhooks(context, () => OPERATORS),
    prices: () => priceViews(context.priceBook),
  };
}
