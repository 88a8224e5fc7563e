/** Choosing what multi-elements shall change: points on frames become masks, in a session of a day. */
import type { Json } from '../../lib/json.ts';
import type { SimulatedTask, SimulatorHost } from '../kit/simulator.ts';
import { illegal, list, number, requireInteger } from './simulator-fields.ts';
import { maskAround, pngOfMask, runLengths } from './simulator-mask.ts';
import type { Point } from './simulator-mask.ts';
import { filmOf } from './simulator-plan.ts';
import type { Judge, TaskPlan } from './simulator-plan.ts';
import {
  filmOfSession,
  keepSession,
  openSession,
  readSession,
  sourceOfSession,
} from './simulator-sessions.ts';
import type { SessionSource } from './simulator-sessions.ts';
import { sourceFilm } from './simulator-sources.ts';
import type { SourceFilm } from './simulator-sources.ts';
import type { WireObject } from './wire.ts';

const kind = 'selection';
const framesMax = 10;
const pointsMax = 10;
const frameRate = 24;

interface Selection {
  source: SessionSource;
  width: number;
  height: number;
  totalFrames: number;
  /** Points by frame index. */
  frames: Record<string, Point[]>;
}

export interface OpenSelection {
  sessionId: string;
  frames: Record<string, Point[]>;
  source: SourceFilm;
}

/** The selection that a create names. */
export function selectionOf(body: WireObject, judge: Judge): OpenSelection {
  const { id, data } = readSession(kind, body, judge);
  const { frames, source } = data as unknown as Selection;
  return { sessionId: id, frames, source: filmOfSession(source, judge) };
}

/** `init-selection`. */
export function initSelection(body: WireObject, judge: Judge): Json {
  const film = sourceFilm(body, judge);
  const { seconds } = film;
  if (!((seconds >= 2 && seconds <= 5) || (seconds >= 7 && seconds <= 10))) {
    throw illegal('video_id', 'video must be 2 to 5 or 7 to 10 s long');
  }
  const [width, height] = sizeOf(film);
  const totalFrames = seconds * frameRate;
  const selection: Selection = { source: sourceOfSession(film), width, height, totalFrames, frames: {} };
  return {
    status: 0,
    session_id: openSession(kind, selection, judge),
    fps: frameRate,
    original_duration: seconds * 1000,
    width,
    height,
    total_frame: totalFrames,
    normalized_video: film.url ?? '',
  };
}

function sizeOf({ task }: SourceFilm): [number, number] {
  const short = task?.film?.shortSide ?? 720;
  const ratio = task?.film?.aspectRatio ?? '16:9';
  const long = (short / 9) * 16;
  if (ratio === '1:1') return [short, short];
  return ratio === '9:16' ? [short, long] : [long, short];
}

/** `add-selection`, `delete-selection`: the frame's masks as they are then. */
export function changeSelection(how: 'add' | 'delete', body: WireObject, judge: Judge): Json {
  const { id, data, createdAt } = readSession(kind, body, judge);
  const selection = data as unknown as Selection;
  const index = requireInteger(body, 'frame_index', 0, selection.totalFrames - 1);
  const points = list(body, 'points', pointsMax).map((entry, position) => {
    const [x, y] = (['x', 'y'] as const).map((axis) => {
      const value = number(entry, axis, 0, 1, `points[${position}].`);
      if (value === null) throw illegal(`points[${position}].${axis}`, 'is required');
      return value;
    });
    return { x: x!, y: y! };
  });
  if (points.length === 0) throw illegal('points', 'must not be empty');
  const frames = { ...selection.frames };
  const before = frames[index] ?? [];
  const after = how === 'add' ? [...before, ...points] : before.filter((point) => !isAmong(point, points));
  if (how === 'delete' && after.length === before.length) {
    throw illegal('points', 'must be points that were added before');
  }
  if (after.length > pointsMax) throw illegal('points', `a frame takes at most ${pointsMax} points`);
  if (after.length > 0) frames[index] = after;
  else delete frames[index];
  if (Object.keys(frames).length > framesMax) {
    throw illegal('frame_index', `at most ${framesMax} frames can be marked`);
  }
  keepSession(kind, id, { ...selection, frames }, judge, createdAt);
  return { status: 0, session_id: id, res: { frame_index: index, rle_mask_list: masksOf(after, selection) } };
}

/** Points to be deleted are named exactly as they were added (official documentation). */
function isAmong(point: Point, others: Point[]): boolean {
  return others.some((other) => point.x === other.x && point.y === other.y);
}

function masksOf(points: Point[], { width, height }: Selection): Json[] {
  // One object for all points: who clicks twice means the same thing.
  if (points.length === 0) return [];
  const mask = maskAround(points, width, height);
  return [
    {
      object_id: 0,
      rle_mask: { size: [height, width], counts: runLengths(mask, width, height) },
      png_mask: { size: [height, width], base64: pngOfMask(mask, width, height).toString('base64') },
    },
  ];
}

/** `clear-selection`. */
export function clearSelection(body: WireObject, judge: Judge): Json {
  const { id, data, createdAt } = readSession(kind, body, judge);
  keepSession(kind, id, { ...data, frames: {} }, judge, createdAt);
  return { status: 0, session_id: id };
}

/** `preview-selection`: a film of the marks, rendered like any other. */
export function checkPreview(body: WireObject, judge: Judge): TaskPlan {
  const { frames, source, sessionId } = selectionOf(body, judge);
  if (Object.keys(frames).length === 0) throw illegal('session_id', 'nothing is selected');
  const picture = source.task?.film?.firstFrame ?? null;
  const still = { kind: 'image', prompt: 'selection', title: 'preview-selection', source: picture } as const;
  return {
    pack: 'video',
    slots: 0,
    workMs: 0,
    prompt: '',
    reference: source.url,
    film: filmOf({
      seconds: source.seconds,
      prompt: 'selection',
      title: 'preview-selection',
      firstFrame: picture,
      aspectRatio: source.task?.film?.aspectRatio ?? '16:9',
    }),
    files: [
      { ...still, name: 'cover.png', size: { width: 640, height: 360 }, watermark: false },
      { ...still, name: 'tracking.png', size: { width: 640, height: 360 }, watermark: true },
    ],
    details: {
      watermark: false,
      units: '0',
      seconds: source.seconds.toFixed(2),
      result: { kind: 'step' },
      sessionId,
    },
    externalTaskId: null,
    callbackUrl: null,
  };
}

export function renderPreview(task: SimulatedTask, host: SimulatorHost, origin: string): Json {
  return {
    status: 0,
    session_id: (task.details as WireObject)['sessionId'] ?? '',
    res: {
      video: host.filmUrl(task, 'plain', origin),
      video_cover: host.fileUrl(task, 'cover.png', origin),
      tracking_output: host.fileUrl(task, 'tracking.png', origin),
    },
  };
}
