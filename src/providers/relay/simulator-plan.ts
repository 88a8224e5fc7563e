/** What a body asks the simulated gateway for: enough to render it; what it all costs and allows is its upstream's. */
import { JsonError, parseJson } from '../../lib/json.ts';
import type { Json } from '../../lib/json.ts';
import type { FilmPlan, FrameSource, SimulatedFate } from '../kit/simulator.ts';
import { Refusal, wordOf } from './simulator-words.ts';
import type { RefusalWord } from './simulator-words.ts';
import { isObject, linkOf, objectsIn, secondsOf, textOf } from './wire.ts';
import type { WireObject } from './wire.ts';

export interface Plan {
  model: string;
  film: FilmPlan;
  handle: string | null;
  callbackUrl: string | null;
  script: Script;
}

/** What the prompt's switches (`[[fail]]`, …) ask for. */
interface Script {
  reject: RefusalWord | null;
  slowMs: number;
  fate: SimulatedFate;
}

const secondsMax = 300;
const slowSecondsMax = 7 * 86_400;
const shortSides: Record<string, number> = { '720P': 720, '1080P': 1080, '4K': 2160 };
const gradeOfMode: Record<string, string> = { std: '720P', pro: '1080P', '4k': '4K' };
const ratios = ['16:9', '9:16', '1:1'] as const;

/** Throws Refusal. `keep` stores the bytes of a picture. */
export function readPlan(text: string, keep: (bytes: Uint8Array) => string): Plan {
  const body = readBody(text);
  const metadata = objectAt(body, 'metadata');
  const config = objectAt(metadata, 'output_config');
  const model = textOf(body['model_name']) ?? textOf(body['model']);
  if (model === null) throw new Refusal('missing_required_parameter', 'model is required.');
  const prompt = textOf(body['prompt']) ?? '';
  const first = firstFrameOf(body);
  const last = textOf(body['image_tail']) ?? textOf(metadata['last_frame_url']);
  const other = body['image_list'] ?? body['images'] ?? body['video_list'] ?? metadata['video_url'];
  if (prompt === '' && first === null && last === null && other === undefined) {
    throw new Refusal('missing_required_parameter', 'prompt is required without a picture.');
  }
  const resolution =
    textOf(config['resolution']) ??
    textOf(metadata['resolution']) ??
    gradeOfMode[textOf(body['mode']) ?? 'std'] ??
    '';
  const shortSide = shortSides[resolution.toUpperCase()];
  if (shortSide === undefined) throw new Refusal('invalid_value', `resolution: ${resolution} is not sold.`);
  const asked = textOf(body['aspect_ratio']) ?? textOf(config['aspect_ratio']);
  return {
    model,
    film: {
      shortSide,
      aspectRatio: first === null ? (ratios.find((ratio) => ratio === asked) ?? '16:9') : null,
      seconds: secondsIn(body['seconds'] ?? body['duration'] ?? config['duration']),
      sound: body['sound'] === 'on' || config['audio_generation'] === 'Enabled',
      prompt,
      title: `${model} · relay`,
      firstFrame: frameOf(first, keep),
      lastFrame: frameOf(last, keep),
      watermark: objectAt(body, 'watermark_info')['enabled'] === true,
    },
    handle: textOf(body['external_task_id']),
    callbackUrl: linkOf(body['callback_url']),
    script: readScript(prompt),
  };
}

function readBody(text: string): WireObject {
  try {
    const body = parseJson(text);
    if (isObject(body)) return body;
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
  }
  throw new Refusal('invalid_request', 'The body must be a JSON object.');
}

function objectAt(fields: WireObject, name: string): WireObject {
  const value = fields[name];
  return isObject(value) ? value : {};
}

function secondsIn(value: Json | undefined): number {
  const seconds = value === undefined ? 5 : secondsOf(value);
  if (seconds === null || seconds > secondsMax) {
    throw new Refusal('invalid_value', `seconds must be 1 to ${secondsMax}.`);
  }
  return seconds;
}

function firstFrameOf(body: WireObject): string | null {
  const marked = objectsIn(body['image_list']).find(({ type }) => type === 'first_frame');
  return textOf(body['image']) ?? textOf(body['image_url']) ?? textOf(marked?.['image_url']);
}

function frameOf(text: string | null, keep: (bytes: Uint8Array) => string): FrameSource | null {
  if (text === null) return null;
  const url = linkOf(text);
  if (url !== null) return { kind: 'url', url };
  const bytes = Buffer.from(text.replace(/^data:[^,]*,/i, ''), 'base64');
  if (bytes.length === 0) throw new Refusal('invalid_value', 'image is neither a URL nor base64 data.');
  return { kind: 'picture', pictureId: keep(bytes) };
}

function readScript(prompt: string): Script {
  const script: Script = { reject: null, slowMs: 0, fate: { end: 'succeeded' } };
  for (const [whole, name, value] of prompt.matchAll(/\[\[([a-z]+)(?::(\w{1,40}))?\]\]/g)) {
    if (name === 'reject') script.reject = knownWord(value ?? '1303', whole);
    else if (name === 'slow') script.slowMs = Math.min(Number(value ?? 60) || 60, slowSecondsMax) * 1000;
    else if (name === 'expire') script.fate = { end: 'never' };
    else if (name === 'fail') script.fate = failure(value, whole);
  }
  return script;
}

function knownWord(code: string, whole: string): RefusalWord {
  const word = wordOf(code);
  if (word === null) throw new Refusal('invalid_value', `prompt: ${whole} names no known refusal.`);
  return word;
}

function failure(value: string | undefined, whole: string): SimulatedFate {
  const word = value === undefined ? null : knownWord(value, whole);
  const message = word === null ? 'The film could not be made, please try again' : new Refusal(word).message;
  return { end: 'failed', code: word ?? 'task_failed', message };
}
