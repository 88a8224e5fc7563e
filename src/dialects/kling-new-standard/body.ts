/** The body of a create: contents, settings, options. */
import { z } from 'zod';
import { flag, id, list, media, object, structure, text, textOrNumber } from '../kit/fields.ts';
import { klingVideoRequest } from '../kit/video-request.ts';
import { doors, type Door } from './doors.ts';

const { prompt, max_cost: maxCost, watermark_info: watermarkInfo } = klingVideoRequest.shape;

const contentsOf = ({ contents, defaults }: Door) =>
  structure(
    list(
      object({
        type: text(contents.join(', '), [contents[0]!]),
        text: text('With type prompt.'),
        url: media('Of a picture: a URL or base64; of a film: a public https URL.'),
        element_id: id('With type element.'),
        id: text(
          defaults.operation === null
            ? 'A name of your own, unique here; the prompt says `@name`.'
            : 'With type element: a name of your own; the prompt says `@name`.',
        ),
      }),
    ),
    'What the film is made from.',
  );

const settingsOf = ({ audio, audioDefault }: Door) =>
  structure(
    object({
      resolution: text('720p (default), 1080p or 4k (3.0, 3.0 Omni).', ['720p']),
      aspect_ratio: text('16:9, 9:16 or 1:1; not where a picture or a film gives it.', ['16:9']),
      duration: textOrNumber('Seconds. 2.x: 5 or 10; 3.x: 3 to 15.', [5]),
      audio: text(`${audio.join(', ')}; ${audioDefault} where nothing is said.`, [audioDefault]),
      multi_shot: flag(
        'Several shots: true on 3.0 and 3.0 Omni where nothing is said. The prompt may name them: ' +
          '`镜头 1, 3, words; 镜头 2, 2, words;` (shot, seconds, words).',
      ),
      character_orientation: text('Motion control: image or video.'),
    }),
    'How the film is to be.',
  );

const options = structure(
  object({
    callback_url: text('Where every change of the task is posted to.'),
    external_task_id: id('Your own id of the task, unique in your account; finds it again.'),
    watermark_info: watermarkInfo,
  }),
  'What belongs to the task rather than to the film.',
);

/** One component for each door: `KlingTextToVideoRequest`, … */
export const bodies = new Map(
  doors.map((door) => {
    const name = door.feature.replace(/(?:^|-)(.)/g, (_match, letter: string) => letter.toUpperCase());
    const body = z
      .looseObject(
        { prompt, contents: contentsOf(door), settings: settingsOf(door), options, max_cost: maxCost },
        { error: 'must be a JSON object' },
      )
      .meta({ id: `KlingNew${name}Request`, description: door.description, example: door.example });
    return [door.feature, body];
  }),
);
