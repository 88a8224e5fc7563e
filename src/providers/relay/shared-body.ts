/** What bodies of all doors have in common. */
import type { Channel } from '../../core/ports.ts';
import type { VideoRequest } from '../../core/request/types.ts';
import { UpstreamError } from '../../core/errors.ts';
import { createAddressPolicy } from '../../lib/address-policy.ts';
import type { WireObject } from './wire.ts';

/** What decides the price, and our own handle: never taken from extensions. */
export const ownedFields = [
  'model',
  'model_name',
  'mode',
  'duration',
  'seconds',
  'resolution',
  'sound',
  'metadata',
  'voice_list',
  'video_list',
  'image_list',
  'n',
  'max_cost',
  'external_task_id',
  'callback_url',
];

/** Controls that have the same name at Kling's doors and in `ext_info` (seed 003 §3.3). */
export function controlFields(request: VideoRequest): WireObject {
  const { negativePrompt, cfgScale, cameraControl, multiShot, voiceIds, elementIds } = request;
  const fields: WireObject = {};
  if (negativePrompt !== null) fields['negative_prompt'] = negativePrompt;
  if (cfgScale !== null) fields['cfg_scale'] = cfgScale;
  if (cameraControl) {
    const { type, config } = cameraControl;
    fields['camera_control'] = config ? { type, config } : { type };
  }
  if (multiShot) {
    fields['multi_shot'] = true;
    fields['shot_type'] = multiShot.type;
    if (multiShot.type === 'customize') {
      fields['multi_prompt'] = multiShot.shots.map(({ index, prompt, seconds }) => ({
        index,
        prompt,
        duration: String(seconds),
      }));
    }
  }
  if (voiceIds.length > 0) fields['voice_list'] = voiceIds.map((id) => ({ voice_id: id }));
  if (elementIds.length > 0) fields['element_list'] = elementIds.map((id) => ({ element_id: elementId(id) }));
  return fields;
}

/** A JSON number beyond 2^53 on the wire: bigint is written bare. */
function elementId(id: string): bigint {
  if (/^\d{1,20}$/.test(id)) return BigInt(id);
  throw new UpstreamError('rejected', `element_list: "${id.slice(0, 40)}" is no element id.`);
}

const publicOnly = createAddressPolicy([]);

/** Our handle, and where to push to unless the far side would take the address for an attack on its own network. */
export function envelopeFields(clientRef: string, channel: Channel): WireObject {
  const callbackUrl = channel.callbackUrl(clientRef);
  const host = callbackUrl === null ? null : (URL.parse(callbackUrl)?.hostname ?? null);
  const isAddress = host !== null && /^\[|^\d+(\.\d+){3}$/.test(host);
  const mayPush = host !== null && (!isAddress || publicOnly.allowsAddress(host.replace(/^\[|\]$/g, '')));
  return { ...(mayPush ? { callback_url: callbackUrl } : {}), external_task_id: clientRef };
}
