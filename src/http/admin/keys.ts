import { z } from 'zod';
import { readIntent } from '../../core/intent.ts';
import type { Admin, KeyRow } from '../../core/ports.ts';
import { limitsField, limitsInput, readLimits, renderLimits } from './limits.ts';
import {
  idParams,
  nameField,
  pageOf,
  renderList,
  renderTime,
  timeField,
  type AdminRoutes,
  markReplayed,
} from './kit.ts';

const responseStyle = z.enum(['superset', 'strict']);

const key = z
  .object({
    id: z.string(),
    account_id: z.string(),
    name: z.string(),
    hint: z.string().meta({ description: 'First and last characters of the API key.' }),
    access_key: z.string(),
    response_style: responseStyle,
    limits: limitsField,
    created_at: timeField,
    revoked_at: timeField.nullable(),
  })
  .meta({ id: 'Key' });

const issuedKey = z
  .object({ id: z.string(), api_key: z.string(), access_key: z.string(), secret_key: z.string() })
  .meta({ id: 'IssuedKey', description: 'Shown this once: only hashes and sealed texts are kept.' });

const keyParams = z.object({ id: z.string(), key_id: z.string() });

export function addKeyRoutes(routes: AdminRoutes, admin: Admin): void {
  routes.get(
    '/admin/v1/accounts/:id/keys',
    { schema: { summary: 'List keys', params: idParams, response: { 200: pageOf(key) } } },
    async (request) => renderList(await admin.listKeys(request.params.id), renderKey),
  );

  routes.post(
    '/admin/v1/accounts/:id/keys',
    {
      schema: {
        summary: 'Create an API key and an access key pair',
        params: idParams,
        body: z.strictObject({
          name: nameField,
          response_style: responseStyle.default('superset'),
          limits: limitsInput.nullish(),
        }),
        response: { 200: issuedKey },
      },
    },
    async (request, reply) => {
      const limits = readLimits(request.body.limits ?? null);
      const { name, response_style: responseStyle } = request.body;
      const input = { name, responseStyle, ...(limits && { limits }) };
      const issued = await admin.createKey(request.params.id, input, readIntent(request));
      markReplayed(reply, issued);
      reply.header('cache-control', 'no-store');
      return {
        id: issued.id,
        api_key: issued.apiKey,
        access_key: issued.accessKey,
        secret_key: issued.secretKey,
      };
    },
  );

  routes.patch(
    '/admin/v1/accounts/:id/keys/:key_id',
    {
      schema: {
        summary: 'Rename a key, or change what it is held to',
        params: keyParams,
        body: z.strictObject({ name: nameField.optional(), limits: limitsInput.nullish() }),
        response: { 200: key },
      },
    },
    async (request) => {
      const { name, limits } = request.body;
      const patch = {
        ...(name !== undefined && { name }),
        ...(limits !== undefined && { limits: readLimits(limits) }),
      };
      return renderKey(await admin.updateKey(request.params.id, request.params.key_id, patch));
    },
  );

  routes.delete(
    '/admin/v1/accounts/:id/keys/:key_id',
    {
      schema: {
        summary: 'Revoke a key',
        params: keyParams,
        response: { 200: key },
      },
    },
    async (request) => renderKey(await admin.revokeKey(request.params.id, request.params.key_id)),
  );
}

function renderKey(row: KeyRow): z.infer<typeof key> {
  return {
    id: row.id,
    account_id: row.accountId,
    name: row.name,
    hint: row.hint,
    access_key: row.accessKey,
    response_style: row.responseStyle,
    limits: renderLimits(row.limits),
    created_at: renderTime(row.createdAt),
    revoked_at: renderTime(row.revokedAt),
  };
}
