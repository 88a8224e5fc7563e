/** `GET /account/costs` (specs/kling.md §3.14): the caller's own wallet as one resource pack. */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { GatewayError } from '../../core/errors.ts';
import { formatMicros } from '../../core/money.ts';
import type { Gateway } from '../../core/ports.ts';
import { errorResponses } from '../kit/kling-errors.ts';
import { textIn } from '../kit/query.ts';
import { jsonAnswer } from '../kit/responses.ts';
import { plainEnvelope } from './task.ts';

const packExample = {
  resource_pack_name: 'wallet (USD)',
  resource_pack_id: 'acct_1',
  resource_pack_type: 'decreasing_total' as const,
  total_quantity: 100,
  remaining_quantity: 99.79,
  purchase_time: 1780272000000,
  effective_time: 1780272000000,
  invalid_time: 4102444800000,
  status: 'online' as const,
};

const unixMs = z.number().int().meta({ description: 'Unix milliseconds.' });

const klingCostsResponse = z
  .object({
    code: z.literal(0),
    message: z.literal('SUCCEED'),
    request_id: z.string(),
    data: z.object({
      code: z.literal(0),
      msg: z.string(),
      resource_pack_subscribe_infos: z.array(
        z.object({
          resource_pack_name: z.string(),
          resource_pack_id: z.string(),
          resource_pack_type: z.enum(['decreasing_total', 'constant_period']),
          total_quantity: z.number().meta({ description: 'All that was ever put in, in its currency.' }),
          remaining_quantity: z.number().meta({ description: 'What can be spent now, in its currency.' }),
          purchase_time: unixMs,
          effective_time: unixMs,
          invalid_time: unixMs,
          status: z.enum(['toBeOnline', 'online', 'expired', 'runOut']),
        }),
      ),
    }),
  })
  .meta({
    id: 'KlingCostsResponse',
    description: "The wallet in the official platform's double envelope.",
    examples: [
      {
        code: 0,
        message: 'SUCCEED',
        request_id: '0f4e0a8c-5d0f-4c55-9d0e-7a9a3b3c9d11',
        data: { code: 0, msg: 'SUCCEED', resource_pack_subscribe_infos: [packExample] },
      },
    ],
  });

/** 2100-01-01: a wallet does not expire, and the field has to say something. */
const invalidTime = 4_102_444_800_000;

export function mountAccount(instance: FastifyInstance, gateway: Gateway): void {
  const routes = instance.withTypeProvider<ZodTypeProvider>();
  for (const [index, path] of ['/kling/account/costs', '/kling/v1/account/costs'].entries()) {
    routes.get(
      path,
      {
        schema: {
          operationId: `klingAccountCosts${index === 0 ? '' : index + 1}`,
          tags: ['Account (Kling)'],
          summary: 'Account costs',
          description: 'Your wallet as one resource pack, counted in its currency.',
          querystring: z.looseObject({
            start_time: z.unknown().optional().meta({ type: 'integer', description: 'Unix milliseconds.' }),
            end_time: z.unknown().optional().meta({ type: 'integer', description: 'Unix milliseconds.' }),
            resource_pack_name: z
              .unknown()
              .optional()
              .meta({ type: 'string', description: 'Only this pack.' }),
          }),
          response: { 200: jsonAnswer('The wallet.', klingCostsResponse), ...errorResponses },
        },
      },
      async (request) => {
        const start = requiredTime(request.query, 'start_time');
        const end = requiredTime(request.query, 'end_time');
        if (end < start) {
          throw new GatewayError('invalid_value', 'end_time must not lie before start_time.', {
            param: 'end_time',
          });
        }
        const wallet = await gateway.wallet(request.principal);
        const pack = {
          resource_pack_name: `wallet (${wallet.currency})`,
          resource_pack_id: wallet.accountId,
          resource_pack_type: 'decreasing_total' as const,
          total_quantity: toUnits(wallet.toppedUpMicros),
          remaining_quantity: toUnits(wallet.availableMicros),
          // A wallet was not bought on a day: it holds for the whole time that was asked about.
          purchase_time: start,
          effective_time: start,
          invalid_time: invalidTime,
          status: wallet.availableMicros > 0n ? ('online' as const) : ('runOut' as const),
        };
        const name = textIn(request.query, 'resource_pack_name');
        const packs = name === undefined || name === pack.resource_pack_name ? [pack] : [];
        const data = { code: 0 as const, msg: 'SUCCEED', resource_pack_subscribe_infos: packs };
        return plainEnvelope(data, request.id);
      },
    );
  }
}

function requiredTime(query: Record<string, unknown>, name: string): number {
  const text = textIn(query, name);
  if (text === undefined) {
    throw new GatewayError('missing_required_parameter', `${name} is required: Unix milliseconds.`, {
      param: name,
    });
  }
  if (/^\d{1,14}$/.test(text)) return Number(text);
  throw new GatewayError('invalid_value', `${name} must be Unix milliseconds.`, { param: name });
}

/** For display only: the platform's wire has a float here. */
function toUnits(micros: bigint): number {
  return Number(formatMicros(micros));
}
