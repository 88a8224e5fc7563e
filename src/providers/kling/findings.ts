/** Answers of the steps that make no task: faces, selections, recognised parts of a picture. */
import type { Json, Observation, UpstreamOutput, UpstreamResource } from '../../core/ports.ts';
import type { FeatureRequest } from '../../core/request/feature.ts';
import { UpstreamError } from '../../core/errors.ts';
import { outputOf, withoutLinks } from './result.ts';
import { isObject, objectsIn, textOf } from './wire.ts';
import type { WireObject } from './wire.ts';

/** Sessions of identify-face and of the selection live so long (official documentation). */
const sessionLifetimeMs = 86_400_000;

/**
 * The observation such an answer is. Links are taken out of the data; the pictures behind them are outputs in the
 * order in which they stood. Throws UpstreamError when the answer says that the step failed.
 */
export function readFinding(request: FeatureRequest, data: Json, nowMs: number): Observation {
  if (!isObject(data)) throw new UpstreamError('ambiguous', 'The upstream answered without a result.');
  const status = data['status'];
  // Zero, or no such field: well. The selection's steps answer 200 even when they could do nothing.
  if (typeof status === 'number' && status !== 0) {
    throw new UpstreamError('rejected', `The upstream could not do this step (status ${status}).`, {
      upstreamCode: String(status),
    });
  }
  const shown = withPublicSession(request, withoutLinks(data) as WireObject);
  const resources = newSession(request, data, nowMs);
  return {
    status: 'succeeded',
    outputs: filesIn(request.operation, data),
    cost: null,
    data: shown,
    ...(resources.length > 0 ? { resources } : {}),
  };
}

function filesIn(operation: string, data: WireObject): UpstreamOutput[] {
  if (operation === 'identify-face') {
    return objectsIn(data['face_data']).flatMap((face, index) =>
      outputOf('image', face['face_image'], index, { path: `face_data.${index}.face_image` }),
    );
  }
  if (operation === 'image-recognize') {
    const result = isObject(data['task_result']) ? data['task_result'] : {};
    return objectsIn(result['images']).flatMap((image, index) =>
      outputOf('image', image['url'], index, { path: `task_result.images.${index}.url` }),
    );
  }
  if (operation === 'multi-elements-preview-selection') {
    const preview = isObject(data['res']) ? data['res'] : {};
    return [
      ...outputOf('video', preview['video'], 0, { path: 'res.video' }),
      ...outputOf('image', preview['video_cover'], 0, { path: 'res.video_cover' }),
    ];
  }
  return [];
}

/** The session a step worked on is named as the caller named it. */
function withPublicSession(request: FeatureRequest, data: WireObject): WireObject {
  const used = request.resources.find(({ kind }) => kind === 'session');
  return used && 'session_id' in data ? { ...data, session_id: used.id } : data;
}

function newSession(request: FeatureRequest, data: WireObject, nowMs: number): UpstreamResource[] {
  const upstreamId = textOf(data['session_id']);
  if (upstreamId === null || request.resources.some(({ kind }) => kind === 'session')) return [];
  return [
    {
      kind: 'session',
      upstreamId,
      name: null,
      paths: ['session_id'],
      data: {},
      expiresAt: nowMs + sessionLifetimeMs,
    },
  ];
}
