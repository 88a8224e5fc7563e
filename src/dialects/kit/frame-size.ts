import { isFeature } from '../../core/request/feature.ts';
import { frameSize, type Task } from '../../core/task.ts';

interface FrameSize {
  width: number;
  height: number;
}

/**
 * The film's width and height: of the real file once it is known, before that what the request will lead to. Without a
 * ratio the film follows its first frame; where that picture's size is not known, wide is the likeliest. Null where
 * nothing can be told: of features, before their file is there.
 */
export function taskFrameSize(task: Task): FrameSize | null {
  const { request, result } = task;
  if (result?.width && result.height) return { width: result.width, height: result.height };
  if (isFeature(request)) return null;
  if (request.aspectRatio !== null) return frameSize(request.resolution, request.aspectRatio);
  const picture = request.firstFrame;
  if (picture?.kind === 'stored' && picture.width && picture.height) {
    return sizeLike(picture.width, picture.height, frameSize(request.resolution, '1:1').width);
  }
  return frameSize(request.resolution, '16:9');
}

/** Same shape as the picture, its short side that of the grade, both sides even (H.264 has no odd ones). */
function sizeLike(width: number, height: number, shortSide: number): FrameSize {
  const scale = shortSide / Math.min(width, height);
  const even = (side: number) => 2 * Math.round((side * scale) / 2);
  return { width: even(width), height: even(height) };
}
