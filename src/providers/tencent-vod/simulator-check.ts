/** Judges the parameters of CreateAigcVideoTask; what passes is described by a plan. */
import type { FrameSource } from '../kit/simulator.ts';
import { Refusal } from './simulator-errors.ts';
import { absent, choice, illegal, integer, list, object, onlyKnown, text } from './simulator-fields.ts';
import { readFiles, readLastFrame } from './simulator-files.ts';
import type { FileFacts, KeepPicture } from './simulator-files.ts';
import { durationDefault, resolutions, sceneDurations, sceneTypes, versions } from './simulator-matrix.ts';
import type { VersionRow } from './simulator-matrix.ts';
import { checkScene, readAdditional, readShots } from './simulator-scene.ts';
import type { SceneFacts, ShotFacts } from './simulator-scene.ts';
import type { WireObject } from './wire.ts';

/** How the caller names a task. */
export interface Session {
  sessionId: string | null;
  sessionContext: string;
}

export interface Plan extends Session {
  version: string;
  scene: string | null;
  seconds: number;
  resolution: '720P' | '1080P';
  /** null: follows the first frame. */
  aspectRatio: '16:9' | '9:16' | '1:1' | null;
  sound: boolean;
  prompt: string;
  firstFrame: FrameSource | null;
  lastFrame: FrameSource | null;
  /** The first thing the upstream would have to fetch; null when all came inline. */
  reference: string | null;
}

const known = [
  'SubAppId',
  'ModelName',
  'ModelVersion',
  'FileInfos',
  'SubjectInfos',
  'LastFrameFileId',
  'LastFrameUrl',
  'Prompt',
  'NegativePrompt',
  'EnhancePrompt',
  'OutputConfig',
  'InputRegion',
  'SceneType',
  'Procedure',
  'Seed',
  'SessionId',
  'SessionContext',
  'TasksPriority',
  'ExtInfo',
];
const knownOutput = [
  'StorageMode',
  'MediaName',
  'ClassId',
  'ExpireTime',
  'Duration',
  'Resolution',
  'AspectRatio',
  'AudioGeneration',
  'PersonGeneration',
  'InputComplianceCheck',
  'OutputComplianceCheck',
  'EnhanceSwitch',
  'OffPeak',
  'FrameInterpolate',
  'LogoAdd',
  'EnableBGM',
];
const switches = [
  'InputComplianceCheck',
  'OutputComplianceCheck',
  'EnhanceSwitch',
  'OffPeak',
  'FrameInterpolate',
  'LogoAdd',
  'EnableBGM',
];
const ratios = ['16:9', '9:16', '1:1'] as const;
const promptMax = 2500;
const onOff = ['Enabled', 'Disabled'] as const;
const place = 'OutputConfig.';

/** Throws Refusal. */
export function check(parameters: WireObject, keep: KeepPicture, nowMs: number): Plan {
  onlyKnown(parameters, known);
  const { version, row } = versionOf(parameters);
  const output = outputOf(parameters);
  const additional = readAdditional(parameters);
  const files = readFiles(parameters, keep);
  const shots = readShots(additional, row, version);
  const prompt = promptOf(parameters);
  const sceneType = choice(parameters, 'SceneType', sceneTypes);
  if (sceneType && !row.scenes.includes(sceneType)) {
    throw illegal('SceneType', `${sceneType} is not supported by ${version}`);
  }
  const scene = sceneType ? checkScene(sceneType, { files, additional, prompt }, nowMs) : null;
  const resolution = choice(output, 'Resolution', resolutions, place) ?? '720P';
  if (!scene) checkFilm({ version, row, files, prompt, shots });
  if (list(additional, 'voice_list').length > 0 && !row.voices) {
    throw illegal('ExtInfo.AdditionalParameters.voice_list', `is not supported by ${version}`);
  }
  checkSubjects(parameters, row, version);
  const firstFrame = files.find(
    ({ usage, category }) => category === 'Image' && (usage ?? 'FirstFrame') === 'FirstFrame',
  );
  const lastFrame = readLastFrame(parameters, files);
  if (lastFrame && !firstFrame) throw illegal('LastFrameUrl', 'needs a first frame in FileInfos');
  if (lastFrame && !row.endFrame.includes(resolution)) {
    throw illegal('LastFrameUrl', `is not supported by ${version} at ${resolution}`);
  }
  return {
    version,
    scene: sceneType,
    seconds: secondsOf(output, { version, row, scene, shots }),
    resolution,
    aspectRatio: choice(output, 'AspectRatio', ratios, place) ?? (firstFrame ? null : '16:9'),
    sound: scene?.sound ?? soundOf(output, { version, row, resolution }),
    prompt: [prompt, ...shots.prompts].filter((part) => part !== '').join('\n'),
    firstFrame: firstFrame?.frame ?? null,
    lastFrame,
    reference: files.find(({ url }) => url !== null)?.url ?? null,
    ...sessionOf(parameters),
  };
}

function versionOf(parameters: WireObject): { version: string; row: VersionRow } {
  const name = text(parameters, 'ModelName');
  if (name === null) throw absent('ModelName');
  if (name !== 'Kling') throw illegal('ModelName', `the sandbox plays Kling, not '${name.slice(0, 40)}'`);
  const version = text(parameters, 'ModelVersion');
  if (version === null) throw absent('ModelVersion');
  const row = Object.hasOwn(versions, version) ? versions[version] : undefined;
  if (!row) {
    const names = Object.keys(versions).join(', ');
    throw illegal('ModelVersion', `value '${version.slice(0, 40)}' is invalid, must be one of ${names}`);
  }
  return { version, row };
}

/** The switches are only read; they change nothing that can be seen in a drawn film. */
function outputOf(parameters: WireObject): WireObject {
  const output = object(parameters, 'OutputConfig') ?? {};
  onlyKnown(output, knownOutput, place);
  choice(output, 'StorageMode', ['Temporary', 'Permanent'], place);
  for (const name of switches) choice(output, name, onOff, place);
  choice(output, 'PersonGeneration', ['AllowAdult', 'Disallowed'], place);
  choice(parameters, 'EnhancePrompt', onOff);
  choice(parameters, 'InputRegion', ['Mainland', 'Oversea']);
  if ([...(text(output, 'MediaName', place) ?? '')].length > 64) {
    throw illegal(`${place}MediaName`, 'must not exceed 64 characters');
  }
  return output;
}

export function promptOf(parameters: WireObject): string {
  for (const name of ['Prompt', 'NegativePrompt']) {
    if ([...(text(parameters, name) ?? '')].length > promptMax) {
      throw illegal(name, `must not exceed ${promptMax} characters`);
    }
  }
  return text(parameters, 'Prompt') ?? '';
}

function checkFilm(given: {
  version: string;
  row: VersionRow;
  files: FileFacts[];
  prompt: string;
  shots: ShotFacts;
}): void {
  const { version, row, files, prompt, shots } = given;
  if (prompt === '' && files.length === 0 && shots.prompts.length === 0) throw absent('Prompt');
  const videos = files.filter(({ category }) => category === 'Video');
  const references = files.filter(({ category, usage }) => category === 'Image' && usage === 'Reference');
  if (!row.references && videos.length + references.length > 0) {
    throw illegal('FileInfos', `references are not supported by ${version}`);
  }
  if (videos.length > 1) throw illegal('FileInfos', 'takes at most one Video');
  const countMax = videos.length > 0 ? 4 : 7;
  const images = files.filter(({ category }) => category === 'Image').length;
  if (row.references ? images > countMax : images > 2) {
    throw illegal('FileInfos', `takes at most ${row.references ? countMax : 2} Images with ${version}`);
  }
  if (
    files.filter(({ usage, category }) => category === 'Image' && (usage ?? 'FirstFrame') === 'FirstFrame')
      .length > 1
  ) {
    throw illegal('FileInfos', 'takes one FirstFrame');
  }
}

function checkSubjects(parameters: WireObject, row: VersionRow, version: string): void {
  const subjects = list(parameters, 'SubjectInfos');
  if (subjects.length > 0 && !row.multiShot && !row.references) {
    throw illegal('SubjectInfos', `is not supported by ${version}`);
  }
  subjects.forEach((subject, index) => {
    if (text(subject, 'Id', `SubjectInfos.${index}.`) === null) throw absent(`SubjectInfos.${index}.Id`);
  });
}

function secondsOf(
  output: WireObject,
  given: { version: string; row: VersionRow; scene: SceneFacts | null; shots: ShotFacts },
): number {
  const { version, row, scene, shots } = given;
  const asked = integer(output, 'Duration', place);
  const seconds = scene?.seconds ?? asked ?? durationDefault;
  const allowed = scene ? sceneDurations : row.durations;
  if (asked !== null && !allowed.includes(asked)) {
    throw illegal(
      `${place}Duration`,
      `value ${asked} is invalid for ${version}, must be one of ${allowed.join(', ')}`,
    );
  }
  if (shots.seconds !== null && shots.seconds !== seconds) {
    throw illegal('ExtInfo', `the shots add up to ${shots.seconds} s, Duration is ${seconds}`);
  }
  return seconds;
}

function soundOf(
  output: WireObject,
  given: { version: string; row: VersionRow; resolution: string },
): boolean {
  const { version, row, resolution } = given;
  if (choice(output, 'AudioGeneration', onOff, place) !== 'Enabled') return false;
  if (!row.sound.includes(resolution)) {
    throw illegal(`${place}AudioGeneration`, `is not supported by ${version} at ${resolution}`);
  }
  return true;
}

export function sessionOf(parameters: WireObject): Session {
  const sessionId = text(parameters, 'SessionId');
  if (sessionId !== null && sessionId.length > 50)
    throw new Refusal('InvalidParameterValue.SessionIdTooLong');
  const sessionContext = text(parameters, 'SessionContext') ?? '';
  if (sessionContext.length > 1000) throw new Refusal('InvalidParameterValue.SessionContextTooLong');
  return { sessionId, sessionContext };
}
