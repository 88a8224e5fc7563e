/** Features as parameters of VOD's actions (SDK: the request structures of the same names). */
import type { Channel, Json } from '../../core/ports.ts';
import type { FeatureRequest } from '../../core/request/feature.ts';
import { setPath } from '../../lib/json-path.ts';
import { writeJson } from '../../lib/json.ts';
import type { VodAction } from './call.ts';
import { credentialOf } from './call.ts';
import { createFileReader } from './files.ts';
import { vodImageModels } from './models.ts';
import { isObject, objectsIn } from './wire.ts';
import type { WireObject } from './wire.ts';

export interface Creation {
  action: VodAction;
  /** All but `SubAppId`. */
  parameters: WireObject;
}

/** Only for what is not missing. */
export async function creationOf(
  request: FeatureRequest,
  clientRef: string,
  channel: Channel,
): Promise<Creation> {
  switch (request.operation) {
    case 'lip-sync-advanced':
      return lipSync(request, clientRef, channel);
    case 'custom-voice':
      return customVoice(request, clientRef, channel);
    case 'custom-element':
      return customElement(request, clientRef, channel);
    default:
      return image(request, clientRef, channel);
  }
}

/** The version that avatars and lip-sync are documented with; the wire wants one though the scene decides. */
const lipSyncVersion = '2.6';

async function lipSync(request: FeatureRequest, clientRef: string, channel: Channel): Promise<Creation> {
  const { fields, hasUrls } = await filledIn(request, channel);
  return {
    action: 'CreateAigcVideoTask',
    parameters: {
      ModelName: 'Kling',
      ModelVersion: lipSyncVersion,
      EnhancePrompt: 'Disabled',
      SessionId: clientRef,
      SceneType: 'lip_sync',
      // Session, face and sound are Kling's own fields and have no others here.
      ExtInfo: additional({ session_id: fields['session_id']!, face_choose: fields['face_choose']! }),
      OutputConfig: { StorageMode: 'Temporary' },
      ...regionOf(channel, hasUrls),
    },
  };
}

async function image(request: FeatureRequest, clientRef: string, channel: Channel): Promise<Creation> {
  const files = createFileReader(channel);
  const isExpansion = request.operation === 'image-expand';
  const { parameters } = request;
  const output: WireObject = { StorageMode: 'Temporary', OutputImageCount: request.count };
  if (parameters['resolution'] !== undefined) output['Resolution'] = parameters['resolution'];
  if (parameters['aspect_ratio'] !== undefined) output['AspectRatio'] = parameters['aspect_ratio'];
  const fields: WireObject = {
    ModelName: 'Kling',
    ModelVersion: isExpansion ? 'scene' : vodImageModels[request.model]!.version,
    EnhancePrompt: 'Disabled',
    SessionId: clientRef,
    OutputConfig: output,
  };
  if (isExpansion) fields['SceneType'] = 'image_expand';
  if (request.prompt !== '') fields['Prompt'] = request.prompt;
  if (parameters['negative_prompt'] !== undefined) fields['NegativePrompt'] = parameters['negative_prompt'];
  // Prompts refer to pictures by their position.
  const entries: WireObject[] = [];
  for (const { media } of request.media) entries.push(await files.picture(media));
  if (entries.length > 0) fields['FileInfos'] = entries;
  const own = isExpansion ? expansionOf(parameters) : elementsOf(request);
  if (own) fields['ExtInfo'] = additional(own);
  return {
    action: 'CreateAigcImageTask',
    parameters: { ...fields, ...regionOf(channel, files.hasUrls()) },
  };
}

function expansionOf(parameters: FeatureRequest['parameters']): WireObject {
  return Object.fromEntries(
    ['up', 'down', 'left', 'right']
      .map((side) => `${side}_expansion_ratio`)
      .map((name) => [name, parameters[name] ?? 0]),
  );
}

/** There is no `SubjectInfos` for pictures: elements go to Kling in its own words, ids as bare integers. */
function elementsOf({ resources }: FeatureRequest): WireObject | null {
  const elements = resources.filter(({ kind }) => kind === 'element');
  if (elements.length === 0) return null;
  return {
    element_list: elements.map(({ id, upstreamId }): Json => {
      const known = upstreamId ?? id;
      return { element_id: /^\d{1,20}$/.test(known) ? BigInt(known) : known };
    }),
  };
}

async function customVoice(request: FeatureRequest, clientRef: string, channel: Channel): Promise<Creation> {
  const { fields } = await filledIn(request, channel);
  return {
    action: 'CreateAigcCustomVoice',
    parameters: {
      VoiceName: fields['voice_name']!,
      VoiceUrl: fields['voice_url']!,
      SessionId: clientRef,
    },
  };
}

async function customElement(
  request: FeatureRequest,
  clientRef: string,
  channel: Channel,
): Promise<Creation> {
  const { fields } = await filledIn(request, channel);
  const parameters: WireObject = {
    ElementName: fields['element_name']!,
    ElementDescription: fields['element_description']!,
    ReferenceType: fields['reference_type']!,
    SessionId: clientRef,
  };
  const { element_image_list: images, element_video_list: films, tag_list: tags } = fields;
  // Lists are texts here.
  if (isObject(images)) parameters['ElementImageList'] = writeJson(images);
  if (isObject(films)) parameters['ElementVideoList'] = writeJson(films);
  if (objectsIn(tags).length > 0) parameters['TagList'] = writeJson(tags!);
  const voice = fields['element_voice_id'];
  if (voice !== undefined && voice !== null) parameters['ElementVoiceId'] = voice;
  return { action: 'CreateAigcAdvancedCustomElement', parameters };
}

/** The family's own fields with media and ids in their places. */
async function filledIn(
  request: FeatureRequest,
  channel: Channel,
): Promise<{ fields: WireObject; hasUrls: boolean }> {
  const files = createFileReader(channel);
  const fields = structuredClone(request.parameters) as WireObject;
  for (const { path, media } of request.media) setPath(fields, path, await files.text(media));
  for (const { path, id, upstreamId } of request.resources) setPath(fields, path, upstreamId ?? id);
  return { fields, hasUrls: files.hasUrls() };
}

/** Encoded twice: a string of JSON that holds a string of JSON. */
function additional(fields: WireObject): string {
  return writeJson({ AdditionalParameters: writeJson(fields) });
}

/** URLs are fetched from the mainland unless told otherwise; an international account's files lie outside of it. */
function regionOf(channel: Channel, hasUrls: boolean): WireObject {
  if (!hasUrls) return {};
  return { InputRegion: credentialOf(channel).site === 'intl' ? 'Oversea' : 'Mainland' };
}
