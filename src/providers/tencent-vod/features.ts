/** What VOD makes of Kling beside films: pictures, faces and lips that follow a sound, voices and elements. */
import type { Provider, TaskMaker } from '../../core/ports.ts';
import type { FeatureRequest } from '../../core/request/feature.ts';
import { UpstreamError } from '../../core/errors.ts';
import { call } from './call.ts';
import { saysUnknownThing } from './errors.ts';
import { findFaces, observeFaces } from './faces.ts';
import { creationOf } from './feature-body.ts';
import { missingForFeature } from './missing-feature.ts';
import { create, lookup, poll } from './tasks.ts';

export const feature: TaskMaker<FeatureRequest> = {
  missing: missingForFeature,
  poll,

  async submit(request, clientRef, channel, signal) {
    const missing = missingForFeature(request);
    if (missing) throw new UpstreamError('rejected', `This cannot be made here: ${missing}.`);
    if (request.operation === 'identify-face') {
      const faces = await findFaces(request.media[0]!.media, channel, signal);
      return { ref: null, observation: observeFaces(faces, channel.clock.now()) };
    }
    const { action, parameters } = await creationOf(request, clientRef, channel);
    return create(action, parameters, channel, signal);
  },

  async lookup(request, clientRef, channel, signal) {
    // A look for faces leaves no task behind that could be found, and can be taken again.
    return request.immediate ? null : lookup(clientRef, channel, signal);
  },
};

export const resources: NonNullable<Provider['resources']> = {
  // No presets: DescribeAigcAdvancedCustomElements lists the account's own, which are nobody else's business.
  /** Elements alone: VOD has no action that ends a voice. What is gone already counts as removed. */
  async remove(kind, upstreamId, channel, signal) {
    if (kind !== 'element') return;
    try {
      await call('DeleteAigcAdvancedCustomElement', { ElementId: upstreamId }, channel, signal);
    } catch (error) {
      if (!(error instanceof UpstreamError) || !saysUnknownThing(error)) throw error;
    }
  },
};
