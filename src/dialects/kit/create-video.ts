import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Gateway, TaskView } from '../../core/ports.ts';
import type { LooseVideo, SurfaceDefaults } from '../../core/request/types.ts';
import { createOptions, withHeaders } from './create-options.ts';
import { estimateObject, type EstimateObject } from './estimate.ts';
import { looseVideo, type VideoRequestBody } from './video-request.ts';
import { asCreated } from './video-object.ts';
import { markReplayed } from './replayed.ts';
import { setWarnings } from './warnings.ts';

/**
 * What every create route does: body to claims, then a task or, for a dry run, an estimate. Warnings go into their
 * header here; `render` words the task, which always looks just queued. `read` is for doors with fields of their own.
 */
export async function createVideo<Answer>(
  gateway: Gateway,
  surface: SurfaceDefaults,
  request: FastifyRequest,
  reply: FastifyReply,
  render: (view: TaskView) => Answer,
  read: (body: VideoRequestBody, surface: SurfaceDefaults) => LooseVideo = looseVideo,
): Promise<Answer | EstimateObject> {
  const options = createOptions(request);
  const { intent } = options;
  const loose = withHeaders(read(request.body as VideoRequestBody, surface), options);
  if (options.dryRun) {
    const estimate = await gateway.createVideo(request.principal, loose, { dryRun: true });
    setWarnings(reply, estimate.warnings);
    return estimateObject(estimate);
  }
  const view = await gateway.createVideo(request.principal, loose, { dryRun: false, intent });
  setWarnings(reply, view.task.warnings);
  markReplayed(reply, view);
  return render(asCreated(view));
}
