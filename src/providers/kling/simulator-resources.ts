/** Ready-made voices and elements, and the end of one's own. */
import type { Json } from '../../lib/json.ts';
import type { SimulatorAnswer, SimulatorHost } from '../kit/simulator.ts';
import { answerData, Refusal } from './simulator-errors.ts';
import { requireText } from './simulator-fields.ts';
import type { WireObject } from './wire.ts';

const upstream = 'kling';

/** Names of voices in the official list of lip-sync voices. */
const voices: [id: string, name: string][] = [
  ['oversea_male1', 'Reader'],
  ['genshin_vindi2', 'Sunny'],
  ['zhinen_xuesheng', 'Sage'],
  ['tiyuxi_xuedi', 'Ace'],
  ['genshin_klee2', 'Blossom'],
  ['genshin_kirara', 'Peppy'],
];

const elements: [id: bigint, name: string, description: string][] = [
  [829836802793406551n, 'Courier', 'a courier in a yellow jacket'],
  [829836802793406552n, 'Old Sailor', 'a sailor with a white beard'],
  [829836802793406553n, 'Red Fox', 'a young fox'],
];

/** A page of finished tasks, as the platform wraps them. */
export function presetVoices(page: { offset: number; limit: number }, now: number): SimulatorAnswer {
  return answerPresets(
    voices.map(([voice_id, voice_name]) => ({ voice_id, voice_name, trial_url: '', owned_by: 'kling' })),
    'voices',
    page,
    now,
  );
}

export function presetElements(page: { offset: number; limit: number }, now: number): SimulatorAnswer {
  return answerPresets(
    elements.map(([element_id, element_name, element_description]) => ({
      element_id,
      element_name,
      element_description,
      reference_type: 'image_refer',
      tag_list: [],
      owned_by: 'kling',
      status: 'succeed',
    })),
    'elements',
    page,
    now,
  );
}

function answerPresets(
  things: Json[],
  kind: 'voices' | 'elements',
  { offset, limit }: { offset: number; limit: number },
  now: number,
): SimulatorAnswer {
  return answerData(
    things.slice(offset, offset + limit).map((thing, index) => ({
      task_id: String(800_000_000_000_000_000n + BigInt(offset + index)),
      task_status: 'succeed',
      created_at: now,
      updated_at: now,
      task_result: { [kind]: [thing] },
    })),
  );
}

/** Only the account's own, and only once. The documentation promises a task; the platform answers nothing (2026-09). */
export function deleteResource(
  kind: 'voice' | 'element',
  body: WireObject,
  account: string,
  host: SimulatorHost,
): SimulatorAnswer {
  const field = `${kind}_id`;
  const id = requireText(body, field, 100);
  const record = host.findRecord(upstream, account, kind, id);
  // It comes into being when its task ends.
  if (!record || record.createdAt > host.now()) {
    throw new Refusal(1203, `${field}: ${kind} does not exist`);
  }
  if (record.deletedAt !== null) {
    throw new Refusal(1201, `${kind === 'voice' ? 'Voice' : 'Element'} already be deleted for id: ${id}`);
  }
  host.keepRecord({ ...record, deletedAt: host.now() });
  return answerData(undefined);
}
