/**
 * A task in whichever shape a far gateway shows it: Kling's envelope, the video object of `/v1/videos`, new-api's row
 * under `data` (dto/task.go; older versions keep the upstream's own answer below that and the link in `fail_reason`),
 * or several of them in one body, as Reelay does.
 */
import type { Channel, Json, Observation, UpstreamCost, UpstreamOutput } from '../../core/ports.ts';
import { publicSentence, saysContentPolicy } from './errors.ts';
import { isObject, linkOf, objectsIn, secondsOf, textOf } from './wire.ts';
import type { WireObject } from './wire.ts';

export interface FarTask {
  taskId: string;
  /** As it was written. */
  status: string;
  /** Our own handle, where the far side shows that it keeps it. */
  handle: string | null;
  failure: { code: string | null; message: string };
  outputs: UpstreamOutput[];
  cost: UpstreamCost | null;
}

/** Null when the answer names no task. */
export function readTask(body: WireObject): FarTask | null {
  const layers = layersOf(body);
  const first = (...names: string[]): string | null => firstIn(layers, names);
  // A row of new-api has a number of its own under `id`, so `task_id` goes first wherever it stands.
  const taskId = first('task_id') ?? first('id') ?? textOf(body['data']);
  if (taskId === null) return null;
  const error = layers.map((layer) => layer['error']).find(isObject);
  return {
    taskId,
    status: first('task_status', 'status') ?? 'submitted',
    handle: handleIn(layers),
    failure: {
      code: textOf(error?.['code']),
      message: textOf(error?.['message']) ?? first('task_status_msg', 'fail_reason') ?? '',
    },
    outputs: outputsIn(layers),
    cost: costOf(first('final_unit_deduction')),
  };
}

/** The body and what lies within it under `data`, the fullest first. */
function layersOf(body: WireObject): WireObject[] {
  const inner = within(body);
  const raw = inner && within(inner);
  return [inner, body, raw, raw && within(raw)].filter((layer) => layer !== null);
}

function within(layer: WireObject): WireObject | null {
  return isObject(layer['data']) ? layer['data'] : null;
}

function firstIn(layers: WireObject[], names: string[]): string | null {
  for (const name of names) {
    for (const layer of layers) {
      const text = textOf(layer[name]);
      if (text !== null) return text;
    }
  }
  return null;
}

function handleIn(layers: WireObject[]): string | null {
  const infos = layers.map((layer) => layer['task_info']).filter(isObject);
  return firstIn([...infos, ...layers], ['external_task_id']);
}

function outputsIn(layers: WireObject[]): UpstreamOutput[] {
  const results = layers.map((layer) => layer['task_result']).filter(isObject);
  const [film] = results.flatMap((result) => objectsIn(result['videos']));
  const url = linkOf(film?.['url']) ?? plainLinkIn(layers);
  if (url === null) return [];
  const facts = {
    upstreamId: textOf(film?.['id']),
    durationSeconds: secondsOf(film?.['duration']) ?? lengthIn(layers),
  };
  const watermarked = linkOf(film?.['watermark_url']);
  return [
    { role: 'video', url, ...facts },
    ...(watermarked === null ? [] : [{ role: 'watermarked' as const, url: watermarked, ...facts }]),
  ];
}

function plainLinkIn(layers: WireObject[]): string | null {
  const places = layers.flatMap((layer) => [
    layer['video_url'],
    layer['result_url'],
    layer['url'],
    isObject(layer['metadata']) ? layer['metadata']['url'] : undefined,
    // Where older versions of new-api keep it.
    layer['fail_reason'],
  ]);
  return places.map(linkOf).find((link) => link !== null) ?? null;
}

function lengthIn(layers: WireObject[]): number | null {
  const places: (Json | undefined)[] = layers.flatMap((layer) => [
    isObject(layer['metadata']) ? layer['metadata']['duration'] : undefined,
    layer['seconds'],
  ]);
  return places.map(secondsOf).find((seconds) => seconds !== null) ?? null;
}

function costOf(amount: string | null): UpstreamCost | null {
  return amount !== null && /^\d{1,9}(\.\d{1,9})?$/.test(amount) ? { amount, unit: 'unit' } : null;
}

/** Status words of all dialects, in lower case. What is none of them still runs. */
const submittedWords = new Set(['submitted', 'queued', 'pending', 'created', 'not_start', 'waiting']);
const succeededWords = new Set(['succeed', 'succeeded', 'success', 'completed', 'finish', 'finished']);
const failedWords = new Set(['failed', 'failure', 'fail', 'error', 'cancelled', 'canceled', 'expired']);

export function observe(task: FarTask, channel: Channel): Observation {
  const word = task.status.toLowerCase();
  if (submittedWords.has(word)) return { status: 'submitted' };
  if (failedWords.has(word)) return failed(task, channel);
  // Done, but the film is not in the answer yet: the next poll will show it.
  if (!succeededWords.has(word) || task.outputs.length === 0) return { status: 'processing' };
  return { status: 'succeeded', outputs: task.outputs, cost: task.cost };
}

function failed({ failure }: FarTask, channel: Channel): Observation {
  const { code, message } = failure;
  const isContent = saysContentPolicy(code ?? '') || saysContentPolicy(message);
  return {
    status: 'failed',
    code: isContent ? 'content_policy' : 'task_failed',
    message: publicSentence(message || 'The upstream could not make this film.', channel),
    upstreamCode: code,
  };
}
