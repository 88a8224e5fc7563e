import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { GatewayError } from '../../core/errors.ts';
import type { Gateway, ModelCard } from '../../core/ports.ts';
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
        description: 'The names that `model` takes, in the shape of OpenAI.',
        response: { 200: jsonAnswer('The models.', modelsListResponse), ...errorResponses },
      },
    },
    async () => ({ object: 'list' as const, data: gateway.listModelCards().map(modelObject) }),
  );

  routes.get(
    '/v1/models/:id',
    {
      schema: {
        operationId: 'retrieveModel',
        tags,
        summary: 'Retrieve a model',
        description: 'One model by its name; case does not matter.',
        params: z.object({ id: z.string() }),
        response: { 200: jsonAnswer('The model.', modelItem), ...errorResponses },
      },
    },
    async (request) => {
      const name = request.params.id;
      const card = gateway.listModelCards().find((each) => each.id.toLowerCase() === name.toLowerCase());
      if (card !== undefined) return modelObject(card);
      throw new GatewayError('model_not_found', 'There is no model of this name: see GET /v1/models.', {
        param: 'model',
      });
    },
  );
}

function modelObject(card: ModelCard): z.output<typeof modelItem> {
  return { id: card.id, object: 'model', created: createdAt, owned_by: card.ownedBy };
}
