/** Requests for features in tests of providers. */
import type { FeatureRequest } from '../../core/request/feature.ts';
import { resolveFeature } from '../../families/kling/features/index.ts';

/** As the flows would: judged by the family, then bound to what the upstream calls things. */
export function featureRequest(
  operation: string,
  model: string | null,
  fields: Record<string, unknown>,
): FeatureRequest {
  const { request } = resolveFeature({
    surface: `kling.${operation}`,
    operation,
    model,
    fields,
    externalTaskId: null,
    callbackUrl: null,
    maxCost: null,
  });
  return { ...request, resources: request.resources.map((use) => ({ ...use, upstreamId: use.id })) };
}
