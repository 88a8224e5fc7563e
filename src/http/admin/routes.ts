import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ServerOptions } from '../options.ts';
import { addAccountRoutes } from './accounts.ts';
import { addAdminAuthentication } from './authenticate.ts';
import { addChannelRoutes } from './channels.ts';
import { addKeyRoutes } from './keys.ts';
import { addLedgerRoutes } from './ledger.ts';
import { addPriceRoutes } from './prices.ts';
import { addSecretRoutes } from './secrets.ts';
import { addTaskRoutes } from './tasks.ts';
import { addWalletRoutes } from './wallets.ts';
import { addWebhookRoutes } from './webhooks.ts';

const refusal = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable().meta({ description: 'The field at fault, as it was sent.' }),
      code: z.string(),
    }),
    request_id: z.string(),
  })
  .meta({ id: 'AdminError' });

/** The admin API: everything the console and the CLI can do, below `/admin/v1`. */
export function addAdmin(scope: FastifyInstance, options: ServerOptions): void {
  addAdminAuthentication(scope, options);
  scope.addHook('onRoute', (route) => {
    route.schema = {
      tags: ['Admin'],
      security: [{ admin_token: [] }],
      ...route.schema,
      response: { ...(route.schema?.response ?? {}), '4xx': refusal },
    };
  });
  const routes = scope.withTypeProvider<ZodTypeProvider>();
  addAccountRoutes(routes, options.admin);
  addKeyRoutes(routes, options.admin);
  addWalletRoutes(routes, options.admin, options.currency);
  addLedgerRoutes(routes, options.admin);
  addChannelRoutes(routes, options.admin);
  addTaskRoutes(routes, options.admin);
  addPriceRoutes(routes, options.admin);
  addSecretRoutes(routes, options.secrets);
  addWebhookRoutes(routes, options.admin);
}
