import { z } from 'zod';
import { readIntent } from '../../core/intent.ts';
import type { AccountRow, Admin } from '../../core/ports.ts';
import {
  idParams,
  markReplayed,
  nameField,
  pageOf,
  pageQuery,
  readPageQuery,
  renderPage,
  renderTime,
  timeField,
  type AdminRoutes,
} from './kit.ts';
import { limitsField, limitsInput, readLimits, renderLimits } from './limits.ts';

const accountStatus = z.enum(['active', 'disabled']);

const account = z
  .object({
    id: z.string(),
    name: z.string(),
    status: accountStatus,
    limits: limitsField,
    created_at: timeField,
  })
  .meta({ id: 'Account' });

export function addAccountRoutes(routes: AdminRoutes, admin: Admin): void {
  routes.get(
    '/admin/v1/accounts',
    { schema: { summary: 'List accounts', querystring: pageQuery, response: { 200: pageOf(account) } } },
    async (request) => renderPage(await admin.listAccounts(readPageQuery(request.query)), renderAccount),
  );

  routes.post(
    '/admin/v1/accounts',
    {
      schema: {
        summary: 'Create an account',
        body: z.strictObject({ name: nameField }),
        response: { 200: account },
      },
    },
    async (request, reply) => {
      const made = await admin.createAccount(request.body, readIntent(request));
      markReplayed(reply, made);
      return renderAccount(made);
    },
  );

  routes.get(
    '/admin/v1/accounts/:id',
    { schema: { summary: 'Get an account', params: idParams, response: { 200: account } } },
    async (request) => renderAccount(await admin.getAccount(request.params.id)),
  );

  routes.patch(
    '/admin/v1/accounts/:id',
    {
      schema: {
        summary: 'Rename, disable or enable an account, or change what it is held to',
        params: idParams,
        body: z.strictObject({
          name: nameField.optional(),
          status: accountStatus.optional(),
          limits: limitsInput.nullish(),
        }),
        response: { 200: account },
      },
    },
    async (request) => {
      const { name, status, limits } = request.body;
      const patch = {
        ...(name !== undefined && { name }),
        ...(status !== undefined && { status }),
        ...(limits !== undefined && { limits: readLimits(limits) }),
      };
      return renderAccount(await admin.updateAccount(request.params.id, patch));
    },
  );
}

function renderAccount(row: AccountRow): z.infer<typeof account> {
  return {
    id: row.id,
    name: row.name,
    status: row.status,
    limits: renderLimits(row.limits),
    created_at: renderTime(row.createdAt),
  };
}
