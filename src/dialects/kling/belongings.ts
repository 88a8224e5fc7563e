/** Voices and elements besides their creation: what everybody may use, and the end of one's own (specs/kling.md §3.13). */
import type { FastifyInstance } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { GatewayError } from '../../core/errors.ts';
import type { Gateway, Json, ResourceRow } from '../../core/ports.ts';
import type { ResourceKind } from '../../core/request/feature.ts';
import { isGiven, isObject, readId } from '../../core/request/read.ts';
import { errorResponses } from '../kit/kling-errors.ts';
import { jsonAnswer } from '../kit/responses.ts';
import { deleteElementBody } from './bodies/images.ts';
import { deleteVoiceBody } from './bodies/sounds.ts';
import { tags } from './features.ts';
import { pageQuery, readPage } from './routes.ts';
import { klingDeletedResponse, klingPresetsResponse, plainEnvelope } from './task.ts';
import { withLongIds } from './task-result.ts';

interface Belonging {
  kind: ResourceKind & ('voice' | 'element');
  title: string;
  idField: string;
  presetsPath: string;
  /** Most presets a page holds (§2.8). */
  presetsMax: number;
  /** The first is documented; clients also use the others. */
  deletePaths: string[];
  deleteBody: z.ZodType;
}

const root = '/kling/v1/general';

const belongings: Belonging[] = [
  {
    kind: 'voice',
    title: 'Voices',
    idField: 'voice_id',
    presetsPath: `${root}/presets-voices`,
    presetsMax: 1000,
    deletePaths: [`${root}/delete-voices`],
    deleteBody: deleteVoiceBody,
  },
  {
    kind: 'element',
    title: 'Elements',
    idField: 'element_id',
    presetsPath: `${root}/advanced-presets-elements`,
    presetsMax: 500,
    deletePaths: [`${root}/delete-elements`, `${root}/delete-advanced-elements`],
    deleteBody: deleteElementBody,
  },
];

export function mountBelongings(instance: FastifyInstance, gateway: Gateway): void {
  for (const belonging of belongings) mountBelonging(instance, gateway, belonging);
}

function mountBelonging(instance: FastifyInstance, gateway: Gateway, belonging: Belonging): void {
  const routes = instance.withTypeProvider<ZodTypeProvider>();
  const { kind, title, idField, presetsMax } = belonging;

  routes.get(
    belonging.presetsPath,
    {
      schema: {
        operationId: `listKling_${kind}Presets`,
        tags: [tags.belongings],
        summary: `${title}: presets`,
        description: 'What the platform offers everybody, by numbered pages.',
        querystring: pageQuery(presetsMax),
        response: { 200: jsonAnswer('One page of presets.', klingPresetsResponse), ...errorResponses },
      },
    },
    async (request) => {
      const page = readPage(request.query, presetsMax);
      const presets = await gateway.listPresets(request.principal, 'kling', kind, page);
      return plainEnvelope(
        presets.map((preset) => presetTask(preset, belonging)),
        request.id,
      );
    },
  );

  for (const [index, path] of belonging.deletePaths.entries()) {
    routes.post(
      path,
      {
        schema: {
          operationId: `deleteKling_${kind}${index === 0 ? '' : index + 1}`,
          tags: [tags.belongings],
          summary: `${title}: delete`,
          description: `Deletes a ${kind} of your own, here and upstream.`,
          ...(index > 0 && { hide: true }),
          body: belonging.deleteBody,
          response: { 200: jsonAnswer('It is gone.', klingDeletedResponse), ...errorResponses },
        },
      },
      async (request) => {
        const id = requiredId(request.body as Record<string, unknown>, idField);
        const row = await namingField(idField, gateway.deleteResource(request.principal, kind, id));
        return plainEnvelope(deletion(row), request.id);
      },
    );
  }
}

/** The platform shows presets as finished tasks. */
function presetTask(
  preset: Json,
  { kind, idField }: Belonging,
): z.output<typeof klingPresetsResponse>['data'][number] {
  const id = isObject(preset) ? preset[idField] : '';
  return {
    task_id: String(id),
    task_status: 'succeed',
    task_result: { [`${kind}s`]: [withLongIds(preset)] },
  };
}

function requiredId(body: Record<string, unknown>, field: string): string {
  const value = body[field];
  if (isGiven(value)) return readId({ source: field, value });
  throw new GatewayError('missing_required_parameter', `${field} is required.`, { param: field });
}

/** A thing that is not there is refused by the field that named it. */
async function namingField<Row>(param: string, found: Promise<Row>): Promise<Row> {
  try {
    return await found;
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== 'not_found') throw error;
    throw new GatewayError('not_found', error.publicMessage, { param, cause: error });
  }
}

/** The platform answers a task of its own here; ours is the one that made it. */
function deletion(row: ResourceRow): { task_id: string; task_status: 'succeed' } {
  return { task_id: row.taskId ?? row.id, task_status: 'succeed' };
}
