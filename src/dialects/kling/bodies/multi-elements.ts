/** Bodies of the edit of a film by marking things in it (specs/kling.md §3.6). */
import { list, media, object, structure, text, textOrNumber } from '../../kit/fields.ts';
import {
  modelName,
  plainBody,
  prompt,
  sessionId,
  taskBody,
  videoId,
  videoUrl,
  watermarkInfo,
} from './body.ts';

const exampleSession = '829836802793406551';
const filmUrl = 'https://example.com/street.mp4';

const marks = {
  session_id: sessionId,
  frame_index: textOrNumber('The frame that is marked; at most ten frames.'),
  points: structure(
    list(object({ x: textOrNumber('0 to 1.'), y: textOrNumber('0 to 1.') })),
    'At most ten points on the thing.',
  ),
};
const markExample = { session_id: exampleSession, frame_index: 0, points: [{ x: 0.4, y: 0.6 }] };

export const initSelectionBody = plainBody(
  'KlingInitSelectionRequest',
  'A film is opened to be marked: 2 to 5 or 7 to 10 seconds.',
  { video_id: videoId, video_url: videoUrl },
  { video_url: filmUrl },
);

export const addSelectionBody = plainBody(
  'KlingAddSelectionRequest',
  'Points that belong to the thing.',
  marks,
  markExample,
);

export const deleteSelectionBody = plainBody(
  'KlingDeleteSelectionRequest',
  'Points that do not belong to the thing after all.',
  marks,
  markExample,
);

export const clearSelectionBody = plainBody(
  'KlingClearSelectionRequest',
  'All marks of a session are taken back.',
  { session_id: sessionId },
  { session_id: exampleSession },
);

export const previewSelectionBody = plainBody(
  'KlingPreviewSelectionRequest',
  'The marks followed through the film.',
  { session_id: sessionId },
  { session_id: exampleSession },
);

export const multiElementsBody = taskBody(
  'KlingMultiElementsRequest',
  'What was marked is replaced or removed, or something is added.',
  {
    model_name: modelName('kling-v1-6 (default)', ['kling-v1-6']),
    session_id: sessionId,
    edit_mode: text('addition, swap or removal.', ['removal']),
    image_list: structure(
      list(object({ image: media('The picture.') })),
      'addition: one or two pictures, swap: one, removal: none.',
    ),
    prompt: prompt('What is to happen; `<<<video_1>>>` and `<<<image_1>>>` name film and picture', 2500),
    negative_prompt: prompt('What it must not show', 2500),
    mode: text('std or pro.', ['std']),
    duration: textOrNumber('5 (default) or 10.', ['5']),
    watermark_info: watermarkInfo,
  },
  { session_id: exampleSession, edit_mode: 'removal', prompt: 'Remove the car from <<<video_1>>>' },
);
