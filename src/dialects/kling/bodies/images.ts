/** Bodies of pictures and elements (specs/kling.md §3.12, §3.13). */
import { id, list, media, object, structure, text, textOrNumber } from '../../kit/fields.ts';
import { modelName, plainBody, prompt, taskBody, watermarkInfo } from './body.ts';

const pictureUrl = 'https://example.com/chair.jpg';
const count = textOrNumber('How many pictures, 1 to 9 (1).', [1]);
const ratio = text('16:9 (default), 9:16, 1:1, 4:3, 3:4, 3:2, 2:3 or 21:9.', ['16:9']);
const negativePrompt = prompt('What it must not show', 2500);
const elementList = structure(
  list(object({ element_id: id('Element.') })),
  'Elements that appear in the picture.',
);

export const generationsBody = taskBody(
  'KlingImageRequest',
  'Pictures from words, or from a picture.',
  {
    model_name: modelName('kling-v1 (default), kling-v1-5, kling-v2, kling-v2-new, kling-v2-1 or kling-v3', [
      'kling-v2-1',
    ]),
    prompt: prompt('What the picture shows', 2500),
    negative_prompt: negativePrompt,
    image: media('A picture to begin from.'),
    image_reference: text('What is taken from it: subject or face (kling-v1-5).'),
    image_fidelity: textOrNumber('How close to stay to the picture, 0 to 1 (0.5).'),
    human_fidelity: textOrNumber('How close to stay to the face, 0 to 1 (0.45); with subject.'),
    element_list: elementList,
    resolution: text('1k (default) or 2k.', ['1k']),
    n: count,
    aspect_ratio: ratio,
    watermark_info: watermarkInfo,
  },
  { model_name: 'kling-v2-1', prompt: 'A red chair in an empty room', aspect_ratio: '16:9' },
);

export const multiImageToImageBody = taskBody(
  'KlingMultiImageToImageRequest',
  'Pictures from pictures of things, a scene and a style.',
  {
    model_name: modelName('kling-v2 (default) or kling-v2-1', ['kling-v2']),
    prompt: prompt('What the picture shows', 2500),
    subject_image_list: structure(
      list(object({ subject_image: media('A thing.') })),
      'One to four things that appear.',
    ),
    scene_image: media('The scene.'),
    style_image: media('The style.'),
    n: count,
    aspect_ratio: ratio,
    watermark_info: watermarkInfo,
  },
  { subject_image_list: [{ subject_image: pictureUrl }], prompt: 'The chair on a beach' },
);

export const omniImageBody = taskBody(
  'KlingOmniImageRequest',
  'Pictures from words, pictures and elements, each named by its place in the prompt.',
  {
    model_name: modelName('kling-image-o1 (default) or kling-v3-omni', ['kling-image-o1']),
    prompt: prompt('What the picture shows; `<<<image_1>>>` names the first picture', 2500),
    image_list: structure(list(object({ image: media('A picture.') })), 'At most ten pictures.'),
    element_list: elementList,
    resolution: text('1k (default), 2k, or 4k on kling-v3-omni.', ['1k']),
    n: count,
    result_type: text('single (default) or series.', ['single']),
    series_amount: textOrNumber('With series: how many pictures, 2 to 9.'),
    aspect_ratio: text('As elsewhere, or auto.', ['auto']),
    watermark_info: watermarkInfo,
  },
  { prompt: 'The chair of <<<image_1>>> on a beach', image_list: [{ image: pictureUrl }] },
);

const expansion = (side: string) => textOrNumber(`How far beyond the ${side} edge, 0 to 2.`, [0.5]);

export const expandBody = taskBody(
  'KlingImageExpandRequest',
  'A picture is continued beyond its edges, to at most three times its area.',
  {
    image: media('The picture.'),
    up_expansion_ratio: expansion('upper'),
    down_expansion_ratio: expansion('lower'),
    left_expansion_ratio: expansion('left'),
    right_expansion_ratio: expansion('right'),
    prompt: prompt('What the new part shows', 2500),
    n: count,
    watermark_info: watermarkInfo,
  },
  {
    image: pictureUrl,
    up_expansion_ratio: 0.1,
    down_expansion_ratio: 0.1,
    left_expansion_ratio: 0.5,
    right_expansion_ratio: 0.5,
  },
);

export const tryOnBody = taskBody(
  'KlingVirtualTryOnRequest',
  'A person in other clothes.',
  {
    model_name: modelName('kolors-virtual-try-on-v1 (default) or kolors-virtual-try-on-v1-5', [
      'kolors-virtual-try-on-v1-5',
    ]),
    human_image: media('The person.'),
    cloth_image: media('The clothes; with v1-5 also a picture of an upper and a lower part together.'),
    watermark_info: watermarkInfo,
  },
  { human_image: 'https://example.com/person.jpg', cloth_image: 'https://example.com/coat.jpg' },
);

export const multiShotBody = taskBody(
  'KlingMultiShotRequest',
  'Further views of a thing, from its picture.',
  { element_frontal_image: media('The thing seen from the front.') },
  { element_frontal_image: pictureUrl },
);

export const customElementBody = taskBody(
  'KlingCustomElementRequest',
  'An element: a person or thing that films and pictures can name.',
  {
    element_name: prompt('Its name', 20),
    element_description: prompt('What it is', 100),
    reference_type: text('image_refer or video_refer.', ['image_refer']),
    element_image_list: structure(
      object({
        frontal_image: media('Seen from the front.'),
        refer_images: structure(
          list(object({ image_url: media('Another view.') })),
          'One to three further views.',
        ),
      }),
      'With image_refer.',
    ),
    element_video_list: structure(
      object({
        refer_videos: structure(
          list(object({ video_url: media('The film.') })),
          'One film: mp4 or mov, 3 to 8 seconds.',
        ),
      }),
      'With video_refer.',
    ),
    element_voice_id: id('Its voice.'),
    tag_list: structure(list(object({ tag_id: text('o_101 to o_108.') })), 'What kind of thing it is.'),
  },
  {
    element_name: 'Red chair',
    element_description: 'A red wooden chair',
    reference_type: 'image_refer',
    element_image_list: { frontal_image: pictureUrl, refer_images: [{ image_url: pictureUrl }] },
  },
);

export const deleteElementBody = plainBody(
  'KlingDeleteElementRequest',
  'The element that goes.',
  { element_id: id('The element.') },
  { element_id: '829836802793406551' },
);
