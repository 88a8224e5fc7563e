/** The canonical request in the new standard: `contents` or `prompt`, `settings`, `options`; the model is in the path. */
import type { Channel } from '../../core/ports.ts';
import type { VideoRequest } from '../../core/request/types.ts';
import { mediaText } from './media.ts';
import { envelopeFields } from './tasks.ts';
import type { WireObject } from './wire.ts';

/** Shots are written into the prompt, where `,` and `;` end their parts. */
const shotsMax = 6;

/** Why a model of the new standard cannot make the request; null when it can. */
export function missingForNew(request: VideoRequest): string | null {
  const { model } = request;
  if (request.lastFrame) return `${model} takes a first frame only at this upstream, no last one`;
  if (request.references.length > 0 || request.referenceVideo) {
    return `${model} takes no references at this upstream; kling-v3-omni and kling-video-o1 do`;
  }
  if (request.staticMask || request.dynamicMasks.length > 0 || request.cameraControl) {
    return `${model} takes neither masks nor camera control at this upstream`;
  }
  if (request.voiceIds.length > 0 || request.elementIds.length > 0) {
    return `${model} takes neither voices nor elements at this upstream; kling-v3 does`;
  }
  if (request.multiShot && request.multiShot.shots.length === 0) {
    return `${model} takes several shots only as a list at this upstream`;
  }
  if (request.multiShot && request.multiShot.shots.length > shotsMax) {
    return `${model} takes at most ${shotsMax} shots at this upstream`;
  }
  return null;
}

export async function newBodyOf(
  request: VideoRequest,
  clientRef: string,
  channel: Channel,
): Promise<WireObject> {
  const { firstFrame } = request;
  const prompt = promptOf(request);
  const settings: WireObject = {
    resolution: request.resolution.toLowerCase(),
    // A number here, a string in the legacy standard.
    duration: request.seconds,
  };
  if (!firstFrame) settings['aspect_ratio'] = request.aspectRatio ?? '16:9';
  const options: WireObject = { ...envelopeFields(clientRef, channel) };
  if (request.watermark) options['watermark_info'] = { enabled: true };
  if (!firstFrame) return { prompt, settings, options };
  const contents: WireObject[] = prompt === '' ? [] : [{ type: 'prompt', text: prompt }];
  contents.push({ type: 'first_frame', url: await mediaText(firstFrame, channel) });
  return { contents, settings, options };
}

/**
 * The models here have no `multi_shot` setting (it would default to true on others): a list of shots is a prompt of
 * this form, half-width punctuation as documented.
 */
function promptOf({ prompt, multiShot }: VideoRequest): string {
  if (!multiShot) return prompt;
  return multiShot.shots
    .map((shot) => `镜头 ${shot.index}, ${shot.seconds}, ${shot.prompt.replaceAll(';', ',')};`)
    .join(' ');
}
