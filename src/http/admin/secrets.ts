import { z } from 'zod';
import type { SecretKeeper, SecretsStatus } from '../../core/ports.ts';
import { renderTime, timeField, type AdminRoutes } from './kit.ts';

const status = z
  .object({
    source: z.enum(['file', 'configuration']).meta({
      description: '`file`: kept in the data directory; `configuration`: given with REELAY_SECRET.',
    }),
    current_key_id: z.string().meta({ description: 'Of the root key that seals from now on.' }),
    current_since: timeField,
    sealed: z.number().int().meta({ description: 'Secrets sealed with the current key.' }),
    others: z.array(
      z.object({
        key_id: z.string(),
        at_hand: z.boolean().meta({ description: 'Opens what is sealed with it.' }),
        sealed: z.number().int(),
      }),
    ),
    unopened: z
      .number()
      .int()
      .meta({ description: 'Secrets that could not be opened at the last pass and were left as they are.' }),
    resealing: z.boolean(),
    fault: z.string().nullable(),
  })
  .meta({ id: 'SecretsStatus' });

export function addSecretRoutes(routes: AdminRoutes, keeper: SecretKeeper): void {
  routes.get(
    '/admin/v1/secrets',
    {
      schema: {
        summary: 'Root keys, and how much is sealed with each',
        description: 'Names of keys only: no key and no secret is ever shown.',
        response: { 200: status },
      },
    },
    async () => render(await keeper.status()),
  );
  routes.post(
    '/admin/v1/secrets/rotate',
    {
      schema: {
        summary: 'Seal everything with a new root key',
        description:
          'Makes a new key where the gateway keeps it itself, then seals every secret anew in the background; ask ' +
          '`GET /admin/v1/secrets` how far it is. Asked again while it works, or after it was broken off, it goes on.',
        response: { 200: status },
      },
    },
    async () => render(await keeper.rotate()),
  );
}

function render(value: SecretsStatus): z.infer<typeof status> {
  return {
    source: value.source,
    current_key_id: value.currentKeyId,
    current_since: renderTime(value.currentSince),
    sealed: value.sealed,
    others: value.others.map(({ keyId, isAtHand, sealed }) => ({ key_id: keyId, at_hand: isAtHand, sealed })),
    unopened: value.unopened,
    resealing: value.isResealing,
    fault: value.fault,
  };
}
