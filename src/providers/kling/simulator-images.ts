/** Pictures: generations, multi-image, omni, expand, try-on, further views. Judged as the platform judges them. */
import type { Json } from '../../lib/json.ts';
import type { FilePlan, FrameSource, SimulatedTask, SimulatorHost } from '../kit/simulator.ts';
import { Refusal } from './simulator-errors.ts';
import {
  choice,
  has,
  illegal,
  integer,
  list,
  number,
  picture,
  requireLong,
  requireText,
  text,
  watermark,
} from './simulator-fields.ts';
import { formatUnits } from './simulator-matrix.ts';
import { envelopeOf, urlOf } from './simulator-plan.ts';
import type { Judge, Pack, TaskPlan } from './simulator-plan.ts';
import type { WireObject } from './wire.ts';

const promptMax = 2500;
const workMs = 8000;

/** Pixels at 1k; 2k and 4k are twice and four times as wide. Areas of about one megapixel, sides of whole 16s. */
const sizes: Record<string, [number, number]> = {
  '16:9': [1360, 768],
  '9:16': [768, 1360],
  '1:1': [1024, 1024],
  '4:3': [1184, 880],
  '3:4': [880, 1184],
  '3:2': [1248, 832],
  '2:3': [832, 1248],
  '21:9': [1568, 672],
};
const ratios = Object.keys(sizes);
const scales = { '1k': 1, '2k': 2, '4k': 4 } as const;
type Scale = keyof typeof scales;

interface Drawing {
  feature: string;
  model: string;
  prompt: string;
  count: number;
  series?: boolean;
  /** null: as the source. */
  ratio: string | null;
  scale?: Scale;
  stretch?: { width: number; height: number };
  source: FrameSource | null;
  /** Thousandths of a unit of the pack, for one picture. */
  milliUnits: number;
  pack?: Pack;
  slots?: number;
}

function drawn(body: WireObject, drawing: Drawing): TaskPlan {
  const { count, ratio, source, prompt } = drawing;
  const isMarked = watermark(body);
  const size = ratio === null ? null : sizeOf(ratio, drawing.scale ?? '1k');
  const file = (index: number, mark: boolean): FilePlan => ({
    kind: 'image',
    name: imageName(index, mark),
    size,
    ...(drawing.stretch ? { stretch: drawing.stretch } : {}),
    // Each picture of a task is another one.
    prompt: count === 1 ? prompt : `${prompt} ${index + 1}`,
    title: `${drawing.model} · ${drawing.feature} · ${index + 1}/${count}`,
    source,
    watermark: mark,
  });
  const indexes = Array.from({ length: count }, (_, index) => index);
  return {
    pack: drawing.pack ?? 'image',
    slots: drawing.slots ?? count,
    workMs,
    prompt,
    reference: urlOf(source),
    film: null,
    files: indexes.flatMap((index) =>
      isMarked ? [file(index, false), file(index, true)] : [file(index, false)],
    ),
    details: {
      watermark: isMarked,
      units: formatUnits(drawing.milliUnits * count),
      seconds: '0',
      model: drawing.model,
      result: { kind: 'images', count, series: drawing.series ?? false },
    },
    ...envelopeOf(body),
  };
}

export function imageName(index: number, isMarked: boolean): string {
  return `image-${index}${isMarked ? '-watermarked' : ''}.png`;
}

function sizeOf(ratio: string, scale: Scale): { width: number; height: number } {
  const [width, height] = sizes[ratio]!;
  return { width: width * scales[scale], height: height * scales[scale] };
}

function modelOf<Model extends string>(body: WireObject, models: readonly Model[]): Model {
  const name = text(body, 'model_name', 100) || models[0]!;
  const model = models.find((one) => one === name);
  if (!model) throw new Refusal(1203, `model_name: model '${name.slice(0, 60)}' does not exist`);
  return model;
}

function countOf(body: WireObject): number {
  return integer(body, 'n', 1, 9) ?? 1;
}

const generationModels = [
  'kling-v1',
  'kling-v1-5',
  'kling-v2',
  'kling-v2-new',
  'kling-v2-1',
  'kling-v3',
] as const;

/** Those that tell what a picture is for; 2.1 does since 2026. */
const referenceModels = new Set<string>(['kling-v1-5', 'kling-v2-1']);

export function checkGenerations(body: WireObject, judge: Judge): TaskPlan {
  const model = modelOf(body, generationModels);
  const prompt = requireText(body, 'prompt', promptMax);
  const source = has(body, 'image') ? picture(body['image'], 'image', judge.keep) : null;
  if (text(body, 'negative_prompt', promptMax) && source) {
    throw illegal('negative_prompt', 'is not supported with image');
  }
  if (model === 'kling-v2-new' && !source) throw illegal('image', 'is required with kling-v2-new');
  const reference = choice(body, 'image_reference', ['subject', 'face']);
  if (reference && !source) throw illegal('image_reference', 'needs image');
  if (reference && !referenceModels.has(model))
    throw illegal('image_reference', `is not supported by ${model}`);
  if (source && model === 'kling-v1-5' && !reference) {
    throw illegal('image_reference', 'is required with kling-v1-5 and image');
  }
  number(body, 'image_fidelity', 0, 1);
  if (number(body, 'human_fidelity', 0, 1) !== null && reference === 'face') {
    throw illegal('human_fidelity', 'is only supported with image_reference subject');
  }
  const elements = list(body, 'element_list', 10);
  elements.forEach((entry, index) => requireLong(entry, 'element_id', `element_list[${index}]`));
  if (elements.length > 0 && model !== 'kling-v3')
    throw illegal('element_list', `is not supported by ${model}`);
  const scale = choice(body, 'resolution', ['1k', '2k']) ?? '1k';
  const ratio = choice(body, 'aspect_ratio', ratios);
  if (ratio === '21:9' && model === 'kling-v1')
    throw illegal('aspect_ratio', '21:9 is not supported by kling-v1');
  return drawn(body, {
    feature: 'generations',
    model,
    prompt,
    count: countOf(body),
    // Restyling keeps the size of what is restyled.
    ratio: model === 'kling-v2-new' ? null : (ratio ?? '16:9'),
    scale,
    source,
    milliUnits: model === 'kling-v1' ? 1000 : model === 'kling-v3' ? 8000 : source ? 8000 : 4000,
  });
}

export function checkMultiImage(body: WireObject, judge: Judge): TaskPlan {
  const model = modelOf(body, ['kling-v2', 'kling-v2-1']);
  const subjects = list(body, 'subject_image_list', 4).map((entry, index) =>
    picture(entry['subject_image'], `subject_image_list[${index}].subject_image`, judge.keep),
  );
  if (subjects.length === 0) throw illegal('subject_image_list', 'must not be empty');
  const [scene, style] = ['scene_image', 'style_image'].map((field) =>
    has(body, field) ? picture(body[field], field, judge.keep) : null,
  );
  return drawn(body, {
    feature: 'multi-image2image',
    model,
    prompt: text(body, 'prompt', promptMax) ?? '',
    count: countOf(body),
    ratio: choice(body, 'aspect_ratio', ratios) ?? '16:9',
    source: scene ?? subjects[0] ?? style ?? null,
    milliUnits: 16_000,
  });
}

export function checkOmniImage(body: WireObject, judge: Judge): TaskPlan {
  const model = modelOf(body, ['kling-image-o1', 'kling-v3-omni']);
  const prompt = requireText(body, 'prompt', promptMax);
  const images = list(body, 'image_list', 10).map((entry, index) =>
    picture(entry['image'], `image_list[${index}].image`, judge.keep),
  );
  const elements = list(body, 'element_list', 10);
  elements.forEach((entry, index) => requireLong(entry, 'element_id', `element_list[${index}]`));
  if (images.length + elements.length > 10) {
    throw illegal('image_list', 'images and elements together must not exceed 10');
  }
  const scale = choice(body, 'resolution', ['1k', '2k', '4k']) ?? '1k';
  if (scale === '4k' && model !== 'kling-v3-omni')
    throw illegal('resolution', `4k is not supported by ${model}`);
  const isSeries = choice(body, 'result_type', ['single', 'series']) === 'series';
  const amount = integer(body, 'series_amount', 2, 9);
  const asked = choice(body, 'aspect_ratio', [...ratios, 'auto']) ?? 'auto';
  return drawn(body, {
    feature: 'omni-image',
    model,
    prompt,
    count: isSeries ? (amount ?? 4) : countOf(body),
    series: isSeries,
    ratio: asked !== 'auto' ? asked : images.length > 0 ? null : '16:9',
    scale,
    source: images[0] ?? null,
    milliUnits: scale === '4k' ? 16_000 : 8000,
  });
}

export function checkExpand(body: WireObject, judge: Judge): TaskPlan {
  const source = picture(body['image'], 'image', judge.keep);
  const grow = (side: string) => {
    const field = `${side}_expansion_ratio`;
    const value = number(body, field, 0, 2);
    if (value === null) throw illegal(field, 'is required');
    return value;
  };
  const height = 1 + grow('up') + grow('down');
  const width = 1 + grow('left') + grow('right');
  if (width * height > 3 + 1e-9) {
    throw illegal('up_expansion_ratio', 'the expanded area must not exceed 3 times the original');
  }
  return drawn(body, {
    feature: 'expand',
    model: 'kling-expand',
    prompt: text(body, 'prompt', promptMax) ?? '',
    count: countOf(body),
    ratio: null,
    stretch: { width, height },
    source,
    milliUnits: 8000,
  });
}

export function checkTryOn(body: WireObject, judge: Judge): TaskPlan {
  const model = modelOf(body, ['kolors-virtual-try-on-v1', 'kolors-virtual-try-on-v1-5']);
  const human = picture(body['human_image'], 'human_image', judge.keep);
  picture(body['cloth_image'], 'cloth_image', judge.keep);
  return drawn(body, {
    feature: 'virtual-try-on',
    model,
    prompt: 'virtual try-on',
    count: 1,
    ratio: null,
    source: human,
    milliUnits: 1000,
    pack: 'try-on',
    slots: 1,
  });
}

const recognised = ['object_seg', 'head_seg', 'face_seg', 'cloth_seg'] as const;

/** Parts of a picture: one file for each, all that the picture shows. */
export function checkRecognize(body: WireObject, judge: Judge): TaskPlan {
  const source = picture(body['image'], 'image', judge.keep);
  return {
    pack: 'image',
    slots: 0,
    workMs: 0,
    prompt: '',
    reference: urlOf(source),
    film: null,
    files: recognised.map((type) => ({
      kind: 'image',
      name: `${type}.png`,
      size: null,
      prompt: type,
      title: type,
      source,
      watermark: false,
    })),
    details: { watermark: false, units: '0.1', seconds: '0', result: { kind: 'step' } },
    externalTaskId: null,
    callbackUrl: null,
  };
}

export function renderRecognized(task: SimulatedTask, host: SimulatorHost, origin: string): Json {
  const images = recognised.map((type) => ({
    type,
    is_contain: true,
    url: host.fileUrl(task, `${type}.png`, origin),
  }));
  return { task_result: { images } };
}

/** Further views of a subject: three of them. */
export function checkMultiShot(body: WireObject, judge: Judge): TaskPlan {
  const source = picture(body['element_frontal_image'], 'element_frontal_image', judge.keep);
  return drawn(body, {
    feature: 'ai-multi-shot',
    model: 'kling-ai-multi-shot',
    prompt: 'further views',
    count: 3,
    ratio: null,
    source,
    // 20 units for all of them.
    milliUnits: 20_000 / 3,
    slots: 1,
  });
}
