/** Shapes of VOD's API as far as we read them (official SDK, vod/v20180717, and recorded answers, 2026). */
import type { Json } from '../../lib/json.ts';

export type WireObject = { [key: string]: Json };

export function isObject(value: unknown): value is WireObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a DescribeTaskDetail answer tells us of a film. */
export interface WireTask {
  /** `WAITING`, `PROCESSING`, `FINISH`, `ABORTED`; `FAIL` and `FAILED` were seen elsewhere in this API. */
  status: string;
  /** 0: none. Success needs 0 *and* files: a failed film is FINISH, too. */
  errorCode: number;
  /** The code in words; `null` when the answer has none. */
  errorName: string | null;
  message: string;
  files: { url: string; fileId: string | null; durationSeconds: number | null }[];
  outputSeconds: number | null;
}

/** Null when the answer is about no film. */
export function readTask(response: WireObject): WireTask | null {
  const task = response['AigcVideoTask'];
  if (!isObject(task)) return null;
  const status = textOf(response['Status']) ?? textOf(task['Status']);
  if (status === null) return null;
  const output = isObject(task['Output']) ? task['Output'] : {};
  const usage = isObject(output['Usage']) ? output['Usage'] : {};
  const files = Array.isArray(output['FileInfos']) ? output['FileInfos'] : [];
  return {
    status,
    errorCode: numberOf(task['ErrCode']) ?? 0,
    errorName: textOf(task['ErrCodeExt']),
    message: textOf(task['Message']) ?? '',
    files: files.flatMap(readFile),
    outputSeconds: positive(usage['OutputSeconds']),
  };
}

function readFile(file: Json): WireTask['files'] {
  if (!isObject(file)) return [];
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
  startMs: number;
  endMs: number;
}

/** The faces of all sessions, in the order of the answer. */
export function readFaces(response: WireObject): WireFace[] {
  const sets = Array.isArray(response['FaceInfoSet']) ? response['FaceInfoSet'] : [];
  return sets.flatMap((set) => {
    if (!isObject(set)) return [];
    const sessionId = textOf(set['SessionId']);
    const faces = Array.isArray(set['FaceInfoList']) ? set['FaceInfoList'] : [];
    return sessionId === null ? [] : faces.flatMap((face) => readFace(face, sessionId));
  });
}

function readFace(value: Json, sessionId: string): WireFace[] {
  if (!isObject(value)) return [];
  const faceId = textOf(value['FaceId']);
  const startMs = numberOf(value['StartTime']);
  const endMs = numberOf(value['EndTime']);
  if (faceId === null || startMs === null || endMs === null) return [];
  return [{ sessionId, faceId, startMs, endMs }];
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
