/** Shapes of VOD's API as far as we read them (official SDK, vod/v20180717, and recorded answers, 2026). */
import type { Json } from '../../lib/json.ts';

export type WireObject = { [key: string]: Json };

export function isObject(value: unknown): value is WireObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function objectsIn(value: Json | undefined): WireObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** What a task makes, and the member of a DescribeTaskDetail answer that tells of it (SDK, DescribeTaskDetailResponse). */
const members = {
  film: 'AigcVideoTask',
  image: 'AigcImageTask',
  voice: 'CreateAigcCustomVoiceTask',
  element: 'CreateAigcAdvancedCustomElementTask',
} as const;

export type WireMakes = keyof typeof members;

/** What a DescribeTaskDetail answer tells us. */
export interface WireTask {
  makes: WireMakes;
  /** `WAITING`, `PROCESSING`, `FINISH`, `ABORTED`; `FAIL` and `FAILED` were seen elsewhere in this API. */
  status: string;
  /** 0: none. Success needs 0 *and* a result: a failed task is FINISH, too. */
  errorCode: number;
  /** The code in words; `null` when the answer has none. */
  errorName: string | null;
  message: string;
  /** What was asked for, as far as the upstream repeats it. */
  input: WireObject;
  files: { url: string; fileId: string | null; durationSeconds: number | null }[];
  /** Voices and elements. */
  things: WireThing[];
  outputSeconds: number | null;
}

/** A voice or an element: `CustomVoiceInfo`, `AdvancedElementInfo`. */
export interface WireThing {
  id: string;
  /** `VoiceInfo` or `ElementInfo`, a text of which no form is documented. */
  info: string | null;
}

/** Null when the answer is about none of the tasks we make. */
export function readTask(response: WireObject): WireTask | null {
  const makes = (Object.keys(members) as WireMakes[]).find((name) => isObject(response[members[name]]));
  if (makes === undefined) return null;
  const task = response[members[makes]] as WireObject;
  const status = textOf(response['Status']) ?? textOf(task['Status']);
  if (status === null) return null;
  const output = isObject(task['Output']) ? task['Output'] : {};
  const usage = isObject(output['Usage']) ? output['Usage'] : {};
  return {
    makes,
    status,
    errorCode: numberOf(task['ErrCode']) ?? 0,
    errorName: textOf(task['ErrCodeExt']),
    message: textOf(task['Message']) ?? '',
    input: isObject(task['Input']) ? task['Input'] : {},
    files: objectsIn(output['FileInfos']).flatMap(readFile),
    things: objectsIn(output['InfoList']).flatMap(readThing),
    outputSeconds: positive(usage['OutputSeconds']),
  };
}

function readFile(file: WireObject): WireTask['files'] {
  const url = textOf(file['FileUrl']);
  if (!url) return [];
  const meta = isObject(file['MetaData']) ? file['MetaData'] : {};
  return [
    {
      url,
      fileId: textOf(file['FileId']),
      durationSeconds: positive(meta['VideoDuration']) ?? positive(meta['Duration']),
    },
  ];
}

function readThing(thing: WireObject): WireThing[] {
  const id = textOf(thing['VoiceId']) ?? textOf(thing['ElementId']);
  return id === null ? [] : [{ id, info: textOf(thing['VoiceInfo']) ?? textOf(thing['ElementInfo']) }];
}

/** One line of a DescribeTasks answer. */
export interface WireTaskSummary {
  taskId: string;
  sessionId: string | null;
}

export function readSummary(value: Json): WireTaskSummary[] {
  if (!isObject(value)) return [];
  const taskId = textOf(value['TaskId']);
  return taskId ? [{ taskId, sessionId: textOf(value['SessionId']) }] : [];
}

/** A face that DescribeAigcFaceInfo found; times are milliseconds of the film. */
export interface WireFace {
  sessionId: string;
  faceId: string;
  imageUrl: string | null;
  startMs: number;
  endMs: number;
}

/** The faces of one film. */
export interface WireFaceSet {
  sessionId: string;
  faces: WireFace[];
}

/** In the order of the answer; one film was asked about, so there should be one. */
export function readFaceSets(response: WireObject): WireFaceSet[] {
  return objectsIn(response['FaceInfoSet']).flatMap((set) => {
    const sessionId = textOf(set['SessionId']);
    if (sessionId === null) return [];
    return [
      { sessionId, faces: objectsIn(set['FaceInfoList']).flatMap((face) => readFace(face, sessionId)) },
    ];
  });
}

function readFace(face: WireObject, sessionId: string): WireFace[] {
  const faceId = textOf(face['FaceId']);
  const startMs = numberOf(face['StartTime']);
  const endMs = numberOf(face['EndTime']);
  if (faceId === null || startMs === null || endMs === null) return [];
  return [{ sessionId, faceId, imageUrl: textOf(face['FaceImage']), startMs, endMs }];
}

/** Empty counts as absent. */
export function textOf(value: Json | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function numberOf(value: Json | undefined): number | null {
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

function positive(value: Json | undefined): number | null {
  const number = numberOf(value);
  return number !== null && number > 0 ? number : null;
}
