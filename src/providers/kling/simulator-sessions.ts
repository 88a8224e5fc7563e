/** Faces of a film: found at once, remembered for a day. */
import type { Json } from '../../lib/json.ts';
import type { SimulatedTask, SimulatorHost } from '../kit/simulator.ts';
import { Refusal } from './simulator-errors.ts';
import { illegal, requireText } from './simulator-fields.ts';
import type { Judge, TaskPlan } from './simulator-plan.ts';
import { filmById, madeId, sourceFilm } from './simulator-sources.ts';
import type { SourceFilm } from './simulator-sources.ts';
import { isObject } from './wire.ts';
import type { WireObject } from './wire.ts';

/** Official documentation: sessions are valid for 24 hours. */
const sessionLifetimeMs = 86_400_000;

/** What every kind of session remembers of its film. */
export interface SessionSource {
  videoId: string | null;
  url: string | null;
  seconds: number;
}

export function sourceOfSession(film: SourceFilm): SessionSource {
  return { videoId: film.task ? madeId(film.task.taskId) : null, url: film.url, seconds: film.seconds };
}

/** The film again; one that was purged meanwhile is gone for the session, too. */
export function filmOfSession(source: SessionSource, judge: Judge): SourceFilm {
  if (source.videoId !== null) return filmById(source.videoId, judge, 'session_id');
  return { seconds: source.seconds, task: null, details: null, url: source.url };
}

/** Keeps a session under a new id. */
export function openSession(kind: string, data: object, judge: Judge): string {
  const { host } = judge;
  const id = host.newDecimalId();
  keepSession(kind, id, data, judge, host.now());
  return id;
}

export function keepSession(kind: string, id: string, data: object, judge: Judge, createdAt: number): void {
  const { host, account } = judge;
  host.keepRecord({ upstream: 'kling', account, kind, id, data: data as Json, createdAt, deletedAt: null });
}

/** Throws Refusal 1203 when there is none of this kind, or it is older than a day. */
export function readSession(
  kind: string,
  body: WireObject,
  judge: Judge,
): { id: string; data: WireObject; createdAt: number } {
  const id = requireText(body, 'session_id', 100);
  const { host, account } = judge;
  const record = host.findRecord('kling', account, kind, id);
  if (!record || record.createdAt + sessionLifetimeMs <= host.now() || !isObject(record.data)) {
    throw new Refusal(1203, 'session_id: does not exist or has expired');
  }
  return { id, data: record.data, createdAt: record.createdAt };
}

interface Face {
  faceId: string;
  startMs: number;
  endMs: number;
}

const lengthMin = 2;
const lengthMax = 60;

/** `POST /v1/videos/identify-face`: one face, in the picture from beginning to end. */
export function checkIdentify(body: WireObject, judge: Judge): TaskPlan {
  const film = sourceFilm(body, judge);
  if (film.seconds < lengthMin || film.seconds > lengthMax) {
    throw illegal('video_id', `video must be ${lengthMin} to ${lengthMax} s long`);
  }
  const faces: Face[] = [{ faceId: '0', startMs: 0, endMs: film.seconds * 1000 }];
  const sessionId = openSession('faces', { source: sourceOfSession(film), faces }, judge);
  return {
    pack: 'video',
    slots: 0,
    workMs: 0,
    prompt: '',
    reference: film.url,
    film: null,
    files: [
      {
        kind: 'image',
        name: 'face-0.png',
        size: { width: 320, height: 320 },
        prompt: `face of ${film.task?.film?.prompt ?? 'a film'}`,
        title: 'identify-face',
        source: film.task?.film?.firstFrame ?? null,
        watermark: false,
      },
    ],
    details: { watermark: false, units: '0.05', seconds: '0', result: { kind: 'step' }, sessionId },
    externalTaskId: null,
    callbackUrl: null,
  };
}

export function renderFaces(task: SimulatedTask, host: SimulatorHost, origin: string, judge: Judge): Json {
  const sessionId = (task.details as WireObject)['sessionId'] as string;
  const { faces } = facesIn(readSession('faces', { session_id: sessionId }, judge).data);
  return {
    session_id: sessionId,
    face_data: faces.map((face) => ({
      face_id: face.faceId,
      face_image: host.fileUrl(task, `face-${face.faceId}.png`, origin),
      start_time: face.startMs,
      end_time: face.endMs,
    })),
  };
}

/** The session that a lip-sync names. */
export function readFaces(body: WireObject, judge: Judge): { faces: Face[]; source: SourceFilm } {
  const { faces, source } = facesIn(readSession('faces', body, judge).data);
  return { faces, source: filmOfSession(source, judge) };
}

function facesIn(data: WireObject): { faces: Face[]; source: SessionSource } {
  return data as unknown as { faces: Face[]; source: SessionSource };
}
