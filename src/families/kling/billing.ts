/** How much of a tier a request uses. */
import type { VideoRequest } from '../../core/request/types.ts';
import { avatarSecondsMax, baseEditSecondsMax, lipSyncSecondsMin, motionSecondsMax } from './limits.ts';
import { hasReference } from './tiers.ts';

/** Seconds that are charged: those asked for; lip-sync has a minimum (§8 row 25). */
export function billableQuantity(request: VideoRequest): number {
  return request.operation === 'lip-sync' ? Math.max(request.seconds, lipSyncSecondsMin) : request.seconds;
}

/** What is held where the output's length counts: the longest it can get (§8 row 24). */
export function billableQuantityMax(request: VideoRequest): number {
  if (!request.billsOutputLength) return billableQuantity(request);
  if (request.operation === 'motion-control') return motionSecondsMax[request.motion?.orientation ?? 'video'];
  return request.operation === 'avatar' ? avatarSecondsMax : baseEditSecondsMax;
}

/** What has no tier of its own but a price: references on O1, chosen voices (§7.4). */
export function surchargeOf(request: VideoRequest): string | null {
  if (request.voiceIds.length > 0) return 'voice';
  return request.model === 'kling-video-o1' && hasReference(request) ? 'ref' : null;
}
