/** Judges the parameters of CreateAigcImageTask; what passes is described by the pictures to draw. */
import type { FilePlan, FrameSource } from '../kit/simulator.ts';
import { promptOf, sessionOf } from './simulator-check.ts';
import { absent, choice, illegal, integer, list, object, onlyKnown, text } from './simulator-fields.ts';
import { pictureFields, readFiles } from './simulator-files.ts';
import type { KeepPicture } from './simulator-files.ts';
import { imageCountMax, imageVersions } from './simulator-matrix.ts';
import type { ImageRow } from './simulator-matrix.ts';
import { readAdditional } from './simulator-scene.ts';
import type { Creation } from './simulator-task.ts';
import type { WireObject } from './wire.ts';

const known = [
  'SubAppId',
  'ModelName',
  'ModelVersion',
  'FileInfos',
  'Prompt',
  'NegativePrompt',
  'EnhancePrompt',
  'OutputConfig',
  'InputRegion',
  'SceneType',
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
  'Resolution',
  'AspectRatio',
  'PersonGeneration',
  'InputComplianceCheck',
  'OutputComplianceCheck',
  'OutputImageCount',
  'OutputFormat',
  'LogoAdd',
];
const onOff = ['Enabled', 'Disabled'] as const;
const place = 'OutputConfig.';
const own = 'ExtInfo.AdditionalParameters.';
const workMs = 8000;

/** Pixels at 1k: about one megapixel, sides of whole 16s. */
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
const scales: Record<string, number> = { '1k': 1, '2k': 2, '4k': 4 };

/** Throws Refusal. */
export function checkImage(parameters: WireObject, keep: KeepPicture): Creation {
  onlyKnown(parameters, known);
  const { version, row } = versionOf(parameters);
  const output = object(parameters, 'OutputConfig') ?? {};
  checkWords(parameters, output);
  const files = readFiles(parameters, keep, pictureFields);
  if (files.length > row.files) {
    throw illegal('FileInfos', `takes at most ${row.files} pictures with ${version}`);
  }
  const prompt = promptOf(parameters);
  if (prompt === '' && files.length === 0) throw absent('Prompt');
  const scene = choice(parameters, 'SceneType', ['image_expand']);
  if (scene !== row.scene) {
    throw illegal('SceneType', `${scene ?? 'none'} is not supported by ${version}`);
  }
  if (scene && files.length !== 1) throw illegal('FileInfos', 'image_expand needs exactly one picture');
  const additional = readAdditional(parameters);
  const stretch = scene ? stretchOf(additional) : null;
  if (!scene) checkElements(additional, row, version);
  const scale = choice(output, 'Resolution', row.resolutions, place) ?? '1k';
  const source = files[0]?.frame ?? null;
  const size = stretch ? null : sizeOf(choice(output, 'AspectRatio', row.ratios, place), scale, source);
  const count = integer(output, 'OutputImageCount', place) ?? 1;
  if (count < 1 || count > imageCountMax) {
    throw illegal(`${place}OutputImageCount`, `must be 1 to ${imageCountMax}`);
  }
  return {
    type: 'AigcImageTask',
    prompt,
    reference: files.find(({ url }) => url !== null)?.url ?? null,
    workMs,
    film: null,
    files: Array.from({ length: count }, (_, index): FilePlan => ({
      kind: 'image',
      name: imageName(index),
      size,
      ...(stretch ? { stretch } : {}),
      // Each picture of a task is another one.
      prompt: count === 1 ? prompt : `${prompt} ${index + 1}`,
      title: `Kling ${version}${scene ? ` · ${scene}` : ''} · VOD · ${index + 1}/${count}`,
      source,
      watermark: false,
    })),
    input: {
      ModelName: 'Kling',
      ModelVersion: version,
      Prompt: prompt,
      SceneType: scene ?? '',
      OutputConfig: output,
    },
    result: { kind: 'images', count },
    ...sessionOf(parameters),
  };
}

export function imageName(index: number): string {
  return `image-${index}.png`;
}

function versionOf(parameters: WireObject): { version: string; row: ImageRow } {
  const name = text(parameters, 'ModelName');
  if (name === null) throw absent('ModelName');
  if (name !== 'Kling') throw illegal('ModelName', `the sandbox plays Kling, not '${name.slice(0, 40)}'`);
  const version = text(parameters, 'ModelVersion');
  if (version === null) throw absent('ModelVersion');
  const row = Object.hasOwn(imageVersions, version) ? imageVersions[version] : undefined;
  if (row) return { version, row };
  const names = Object.keys(imageVersions).join(', ');
  throw illegal('ModelVersion', `value '${version.slice(0, 40)}' is invalid, must be one of ${names}`);
}

/** Switches are only read; they change nothing that can be seen in a drawn picture. */
function checkWords(parameters: WireObject, output: WireObject): void {
  onlyKnown(output, knownOutput, place);
  choice(parameters, 'EnhancePrompt', onOff);
  choice(parameters, 'InputRegion', ['Mainland', 'Oversea', 'OverseaUSWest']);
  choice(output, 'StorageMode', ['Temporary', 'Permanent'], place);
  choice(output, 'OutputFormat', ['jpeg', 'png'], place);
  choice(output, 'PersonGeneration', ['AllowAdult', 'Disallowed'], place);
  for (const name of ['InputComplianceCheck', 'OutputComplianceCheck', 'LogoAdd']) {
    choice(output, name, onOff, place);
  }
}

/** `auto` and nothing follow the picture, if there is one. */
function sizeOf(
  ratio: string | null,
  scale: string,
  source: FrameSource | null,
): { width: number; height: number } | null {
  if ((ratio === null || ratio === 'auto') && source) return null;
  const [width, height] = sizes[ratio ?? '1:1'] ?? sizes['1:1']!;
  return { width: width * scales[scale]!, height: height * scales[scale]! };
}

/** Kling's bounds, which the SDK's comment on ExtInfo repeats. */
const ratioMax = 2;
const areaMax = 3;

function stretchOf(additional: WireObject): { width: number; height: number } {
  const names = ['up', 'down', 'left', 'right'].map((side) => `${side}_expansion_ratio`);
  onlyKnown(additional, names, own);
  const [up, down, left, right] = names.map((name) => {
    const value = additional[name];
    if (value === undefined) throw absent(own + name);
    if (typeof value !== 'number' || value < 0 || value > ratioMax) {
      throw illegal(own + name, `must be a number from 0 to ${ratioMax}`);
    }
    return value;
  }) as [number, number, number, number];
  const stretch = { width: 1 + left + right, height: 1 + up + down };
  if (stretch.width * stretch.height > areaMax + 1e-9) {
    throw illegal(`${own}up_expansion_ratio`, `the new area must not exceed ${areaMax} times the old one`);
  }
  return stretch;
}

function checkElements(additional: WireObject, row: ImageRow, version: string): void {
  onlyKnown(additional, ['element_list'], own);
  const elements = list(additional, 'element_list', own);
  if (elements.length > 0 && !row.elements) {
    throw illegal(`${own}element_list`, `is not supported by ${version}`);
  }
  elements.forEach(({ element_id: id }, index) => {
    const isInteger = typeof id === 'bigint' || (typeof id === 'number' && Number.isInteger(id));
    if (!isInteger) throw illegal(`${own}element_list.${index}.element_id`, 'must be an integer');
  });
}
