/** Films at VOD. */
import type { Channel, TaskMaker } from '../../core/ports.ts';
import type { VideoRequest } from '../../core/request/types.ts';
import { UpstreamError } from '../../core/errors.ts';
import { bodyOf } from './body.ts';
import { findFaces } from './faces.ts';
import { missingFor } from './missing.ts';
import { lipSyncFormOf } from './models.ts';
import { create, lookup, poll } from './tasks.ts';
import type { WireFace } from './wire.ts';

export const video: TaskMaker<VideoRequest> = {
  missing: missingFor,
  poll,
  lookup: (_request, clientRef, channel, signal) => lookup(clientRef, channel, signal),

  async submit(request, clientRef, channel, signal) {
    const missing = missingFor(request);
    if (missing) throw new UpstreamError('rejected', `This cannot be made here: ${missing}.`);
    const face = needsFace(request) ? await firstFace(request, channel, signal) : null;
    return create('CreateAigcVideoTask', await bodyOf(request, clientRef, channel, face), channel, signal);
  },
};

function needsFace(request: VideoRequest): boolean {
  return request.operation === 'lip-sync' && lipSyncFormOf(request) === 'film';
}

/** The first face of the film. No film is made by looking, so a look that broke off leaves no doubt. */
async function firstFace(
  request: VideoRequest,
  channel: Channel,
  signal: AbortSignal,
): Promise<WireFace | null> {
  try {
    return (await findFaces(request.referenceVideo!.media, channel, signal))?.faces[0] ?? null;
  } catch (error) {
    if (!(error instanceof UpstreamError) || error.kind !== 'ambiguous') throw error;
    const { upstreamCode } = error;
    throw new UpstreamError('unavailable', 'The upstream could not look for faces.', {
      cause: error,
      ...(upstreamCode === null ? {} : { upstreamCode }),
    });
  }
}
