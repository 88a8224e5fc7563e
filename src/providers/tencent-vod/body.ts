/** The canonical request as parameters of CreateAigcVideoTask. */
import type { Channel, Json } from '../../core/ports.ts';
import type { VideoRequest } from '../../core/request/types.ts';
import { UpstreamError } from '../../core/errors.ts';
import { writeJson } from '../../lib/json.ts';
import { credentialOf } from './call.ts';
import { createFileReader } from './files.ts';
import type { FileReader } from './files.ts';
import { lipSyncFormOf, vodModels } from './models.ts';
import type { VodModel } from './models.ts';
import type { WireFace, WireObject } from './wire.ts';

/** `OutputConfig.Duration` of Kling; a scene's length follows its film or sound, beyond these it is left to them. */
const durationMin = 3;
const durationMax = 15;

/** Lip-sync keeps and overlaps at least this much (Kling's advanced-lip-sync, sound_end_time). */
const lipMsMin = 2000;

/** All parameters but `SubAppId`. `face` is the one that is to speak, where the request needs one looked up. */
export async function bodyOf(
  request: VideoRequest,
  clientRef: string,
  channel: Channel,
  face: WireFace | null,
): Promise<WireObject> {
  const model = vodModels[request.model]!;
  const files = createFileReader(channel);
  const scene = await sceneOf(request, files, face);
  const fields: WireObject = {
    ModelName: 'Kling',
    ModelVersion: model.version,
    // Left unset, some models rewrite the prompt.
    EnhancePrompt: 'Disabled',
    SessionId: clientRef,
  };
  if (request.prompt !== '') fields['Prompt'] = request.prompt;
  if (request.negativePrompt !== null) fields['NegativePrompt'] = request.negativePrompt;
  if (scene.type !== null) fields['SceneType'] = scene.type;
  const entries = [...scene.files, ...(scene.type === null ? await filmFiles(request, files) : [])];
  if (entries.length > 0) fields['FileInfos'] = entries;
  if (scene.type === null && request.lastFrame?.kind === 'url') {
    fields['LastFrameUrl'] = await files.text(request.lastFrame);
  }
  if (request.elementIds.length > 0) fields['SubjectInfos'] = request.elementIds.map((id) => ({ Id: id }));
  const additional = { ...filmParameters(request, model), ...scene.parameters };
  if (Object.keys(additional).length > 0) {
    // Encoded twice: a string of JSON that holds a string of JSON.
    fields['ExtInfo'] = writeJson({ AdditionalParameters: writeJson(additional) });
  }
  fields['OutputConfig'] = outputConfig(request, model, channel, scene);
  // URLs are fetched from the mainland unless told otherwise; an international account's files lie outside of it.
  if (files.hasUrls()) {
    fields['InputRegion'] = credentialOf(channel).site === 'intl' ? 'Oversea' : 'Mainland';
  }
  return fields;
}

interface Scene {
  type: 'motion_control' | 'avatar_i2v' | 'lip_sync' | null;
  files: WireObject[];
  /** Kling's own fields. */
  parameters: WireObject;
  /** The output is as long and as large as the film it is made from. */
  followsFilm: boolean;
}

async function sceneOf(request: VideoRequest, files: FileReader, face: WireFace | null): Promise<Scene> {
  const none: Scene = { type: null, files: [], parameters: {}, followsFilm: false };
  if (request.operation === 'motion-control') return motionScene(request, files);
  if (request.operation === 'avatar') return avatarScene(request, files);
  if (request.operation !== 'lip-sync') return none;
  switch (lipSyncFormOf(request)) {
    case 'session': {
      const { session_id: session, face_choose: faces } = request.extensions;
      const parameters = { session_id: session!, face_choose: faces! };
      return { type: 'lip_sync', files: [], parameters, followsFilm: true };
    }
    case 'film':
      return {
        type: 'lip_sync',
        files: [],
        parameters: await faceParameters(request, files, face),
        followsFilm: true,
      };
    case 'avatar':
      return avatarScene(request, files);
    case 'picture':
      return { ...none, type: 'lip_sync', files: [await files.entry(request.firstFrame!, 'Image')] };
    case null:
      throw new UpstreamError('rejected', 'This lip-sync cannot be made here.');
  }
}

async function motionScene(request: VideoRequest, files: FileReader): Promise<Scene> {
  const { motion, referenceVideo, firstFrame } = request;
  const keeps = motion?.keepOriginalSound ?? true;
  const entries = [
    await files.entry(referenceVideo!.media, 'Video', { KeepOriginalSound: keeps ? 'Enabled' : 'Disabled' }),
  ];
  if (firstFrame) entries.push(await files.entry(firstFrame, 'Image'));
  return {
    type: 'motion_control',
    files: entries,
    parameters: {
      keep_original_sound: keeps ? 'yes' : 'no',
      character_orientation: motion?.orientation ?? 'video',
    },
    followsFilm: false,
  };
}

async function avatarScene(request: VideoRequest, files: FileReader): Promise<Scene> {
  const parameters: WireObject = {};
  const audioId = request.extensions['audio_id'];
  if (request.audio) parameters['sound_file'] = await files.text(request.audio);
  else if (audioId !== undefined) parameters['audio_id'] = audioId;
  return {
    type: 'avatar_i2v',
    files: [await files.entry(request.firstFrame!, 'Image')],
    parameters,
    followsFilm: false,
  };
}

/** The whole sound from the moment on at which the face can speak, for as long as was asked and it is there. */
async function faceParameters(
  request: VideoRequest,
  files: FileReader,
  face: WireFace | null,
): Promise<WireObject> {
  if (!face) throw new UpstreamError('rejected', 'No face was found in the reference video.');
  const lengthMs = Math.max(lipMsMin, Math.min(request.seconds * 1000, face.endMs - face.startMs));
  const audioId = request.extensions['audio_id'];
  const sound: WireObject = request.audio
    ? { sound_file: await files.text(request.audio) }
    : { audio_id: audioId ?? null };
  return {
    session_id: face.sessionId,
    face_choose: [
      {
        face_id: face.faceId,
        ...sound,
        sound_start_time: 0,
        sound_end_time: lengthMs,
        sound_insert_time: face.startMs,
      },
    ],
  };
}

/** Frames first, then references: prompts refer to pictures by their position. */
async function filmFiles(request: VideoRequest, files: FileReader): Promise<WireObject[]> {
  const { firstFrame, lastFrame, references, referenceVideo } = request;
  const entries: WireObject[] = [];
  if (firstFrame) entries.push(await files.entry(firstFrame, 'Image', { Usage: 'FirstFrame' }));
  // By URL it has a field of its own, which recorded gateways use with Kling.
  if (lastFrame && lastFrame.kind !== 'url') {
    entries.push(await files.entry(lastFrame, 'Image', { Usage: 'LastFrame' }));
  }
  for (const media of references) entries.push(await files.entry(media, 'Image', { Usage: 'Reference' }));
  if (referenceVideo) {
    entries.push(
      await files.entry(referenceVideo.media, 'Video', {
        Usage: 'Reference',
        ReferenceType: referenceVideo.role,
        KeepOriginalSound: referenceVideo.keepOriginalSound ? 'Enabled' : 'Disabled',
      }),
    );
  }
  return entries;
}

/** What has no parameter here and goes to Kling in its own words. */
function filmParameters(request: VideoRequest, model: VodModel): WireObject {
  const fields: WireObject = {};
  if (request.cfgScale !== null && model.cfgScale) fields['cfg_scale'] = request.cfgScale;
  if (request.voiceIds.length > 0) fields['voice_list'] = request.voiceIds.map((id) => ({ voice_id: id }));
  if (request.multiShot) Object.assign(fields, shotFields(request.multiShot));
  return fields;
}

function shotFields({ type, shots }: NonNullable<VideoRequest['multiShot']>): WireObject {
  const fields: WireObject = { multi_shot: true, shot_type: type };
  if (type === 'customize') {
    fields['multi_prompt'] = shots.map(({ index, prompt, seconds }) => ({
      index,
      prompt,
      duration: String(seconds),
    }));
  }
  return fields;
}

/** Switches that only travel where the operator of the channel allows it. */
const complianceFields: Readonly<Record<string, string>> = {
  person_generation: 'PersonGeneration',
  input_compliance_check: 'InputComplianceCheck',
  output_compliance_check: 'OutputComplianceCheck',
  enhance_switch: 'EnhanceSwitch',
};

function outputConfig(request: VideoRequest, model: VodModel, channel: Channel, scene: Scene): WireObject {
  // The caller's copy is ours: a permanent one would fill the operator's own VOD storage, with classes of the
  // operator's account, and nobody would ever delete it.
  const config: WireObject = { StorageMode: 'Temporary' };
  if (!scene.followsFilm) {
    config['Resolution'] = resolutionOf(request);
    if (request.seconds >= durationMin && request.seconds <= durationMax)
      config['Duration'] = request.seconds;
    if (request.aspectRatio !== null) config['AspectRatio'] = request.aspectRatio;
    if (model.sound && scene.type === null)
      config['AudioGeneration'] = request.sound ? 'Enabled' : 'Disabled';
  }
  if (channel.allowsComplianceSwitches) {
    for (const [name, word] of Object.entries(request.compliance) as [string, Json][]) {
      if (Object.hasOwn(complianceFields, name)) config[complianceFields[name]!] = word;
    }
  }
  return config;
}

/** There is no `mode` here: the grade says it, and where the mode was raised to pro the grade is raised. */
function resolutionOf(request: VideoRequest): string {
  return request.quality === 'pro' ? '1080P' : request.resolution;
}
