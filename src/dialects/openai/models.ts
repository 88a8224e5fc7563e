import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { GatewayError } from '../../core/errors.ts';
import { formatMicros } from '../../core/money.ts';
import type { Gateway, ModelCard, ModelDetail } from '../../core/ports.ts';
import { jsonAnswer } from '../kit/responses.ts';
import { errorResponses } from './errors.ts';

/** OpenAI's models carry a date; ours have none to tell, so all carry this one (2026-01-01). */
const createdAt = 1_767_225_600;

const modelExample = { id: 'kling-2.5', object: 'model' as const, created: createdAt, owned_by: 'kling' };

const modelItem = z
  .object({
    id: z.string(),
    object: z.literal('model'),
    created: z.number().int().meta({ description: 'Unix seconds.' }),
    owned_by: z.string(),
  })
  .meta({ id: 'ModelItem', description: 'One model.', examples: [modelExample] });

const modelDetailExample = {
  ...modelExample,
  title: 'Kling 2.5',
  aliases: [],
  operations: ['text-to-video', 'image-to-video'],
  durations: [5, 10],
  resolutions: ['720P', '1080P'],
  aspect_ratios: ['16:9', '9:16', '1:1'],
  modes: ['std', 'pro'],
  capabilities: ['end_frame', 'negative_prompt'],
  features: [],
  tiers: [
    {
      tier: 'kling-2.5-720p-mute',
      unit: 'second',
      price: '0.042',
      currency: 'USD',
      operation: null,
      surcharge: null,
      quantity_min: null,
    },
  ],
};

const words = (description: string) => z.array(z.string()).meta({ description });

const modelDetail = modelItem
  .extend({
    title: z.string(),
    aliases: words('Other names of exactly this model.'),
    operations: words('Kinds of films it makes.'),
    durations: z.array(z.number()).meta({ description: 'Seconds that may be asked for.' }),
    resolutions: words('Grades.'),
    aspect_ratios: words('Ratios; a first frame gives its own.'),
    modes: words('Quality switches.'),
    capabilities: words('What else it can do.'),
    features: z
      .array(
        z.object({
          operation: z.string(),
          title: z.string(),
          makes: z.string(),
          immediate: z.boolean().meta({ description: 'Answered at once, without a task to wait for.' }),
        }),
      )
      .meta({ description: 'What it makes besides films from words and pictures.' }),
    tiers: z
      .array(
        z.object({
          tier: z.string(),
          unit: z.string(),
          price: z.string().meta({ description: 'Of one unit, a decimal.' }),
          currency: z.string(),
          operation: z.string().nullable().meta({ description: 'Holds only for this operation.' }),
          surcharge: z.string().nullable().meta({ description: 'Holds only with this in the request.' }),
          quantity_min: z.number().nullable().meta({ description: 'Least quantity that is charged.' }),
        }),
      )
      .meta({ description: "What a request can come to, at today's prices." }),
  })
  .meta({
    id: 'ModelDetail',
    description: 'What a model can do and costs: the very data that requests are judged by.',
    examples: [modelDetailExample],
  });

const modelsListResponse = z.object({ object: z.literal('list'), data: z.array(modelItem) }).meta({
  id: 'ModelsListResponse',
  description: 'All models that may be asked for, aliases included.',
  examples: [{ object: 'list', data: [modelExample] }],
});

export function mountModels(instance: FastifyInstance, gateway: Gateway): void {
  const routes = instance.withTypeProvider<ZodTypeProvider>();
  const tags = ['Models'];

  routes.get(
    '/v1/models',
    {
      schema: {
        operationId: 'listModels',
        tags,
        summary: 'List models',
        description: 'The names that `model` takes with this key, in the shape of OpenAI.',
        response: { 200: jsonAnswer('The models.', modelsListResponse), ...errorResponses },
      },
    },
    async ({ principal }) => ({
      object: 'list' as const,
      data: gateway.listModelCards(principal).map(modelObject),
    }),
  );

  routes.get(
    '/v1/models/:id',
    {
      schema: {
        operationId: 'retrieveModel',
        tags,
        summary: 'Retrieve a model',
        description: 'One model by its name, with what it can do and costs; case does not matter.',
        params: z.object({ id: z.string() }),
        response: { 200: jsonAnswer('The model.', modelDetail), ...errorResponses },
      },
    },
    async (request) => {
      const found = gateway.findModel(request.principal, request.params.id);
      if (found !== null) return modelDetailObject(found);
      throw new GatewayError('model_not_found', 'There is no model of this name: see GET /v1/models.', {
        param: 'model',
      });
    },
  );
}

function modelObject(card: ModelCard): z.output<typeof modelItem> {
  return { id: card.id, object: 'model', created: createdAt, owned_by: card.ownedBy };
}

function modelDetailObject({ card, spec, features, prices }: ModelDetail): z.output<typeof modelDetail> {
  return {
    ...modelObject(card),
    title: spec.title,
    aliases: spec.aliases,
    operations: spec.operations,
    durations: spec.durations,
    resolutions: spec.resolutions,
    aspect_ratios: spec.aspectRatios,
    modes: spec.modes ?? [],
    capabilities: spec.features,
    features: features.map(({ operation, title, makes, immediate }) => ({
      operation,
      title,
      makes,
      immediate,
    })),
    tiers: prices.map((price) => ({
      tier: price.tier,
      unit: price.unit,
      price: formatMicros(price.unitPriceMicros),
      currency: price.currency,
      operation: price.operation,
      surcharge: price.surcharge ?? null,
      quantity_min: price.quantityMin,
    })),
  };
}
