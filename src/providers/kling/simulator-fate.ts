/** Prompt switches: `[[fail]]` and its like script a task's fate, so that anyone can try the unhappy paths. */
import type { SimulatedFate } from '../kit/simulator.ts';
import { isKnownCode, Refusal } from './simulator-errors.ts';

export interface Script {
  /** Answer every submit with this code. */
  rejectCode: number | null;
  /** Sandbox milliseconds added to the processing. */
  slowMs: number;
  fate: SimulatedFate;
}

/** What the platform writes into `task_status_msg`; the words for content are its own. */
const failureMessages: Record<string, string> = {
  1300: 'Failure to pass the risk control system',
  1301: 'Failure to pass the risk control system',
};

const slowSecondsMax = 7 * 86_400;

/** Reads every switch of a prompt. `reference` is what `[[unreachable]]` claims to have missed. */
export function readScript(prompt: string, reference: string | null): Script {
  const script: Script = { rejectCode: null, slowMs: 0, fate: { end: 'succeeded' } };
  for (const [whole, name, value] of prompt.matchAll(/\[\[([a-z]+)(?::(\d{1,9}))?\]\]/g)) {
    if (name === 'reject') script.rejectCode = knownCode(value, whole);
    else if (name === 'slow') script.slowMs = Math.min(Number(value ?? 60), slowSecondsMax) * 1000;
    else if (name === 'expire') script.fate = { end: 'never' };
    else if (name === 'fail') script.fate = failure(value ?? null, whole);
    else if (name === 'unreachable') script.fate = unreachable(reference);
  }
  return script;
}

function knownCode(value: string | undefined, whole: string): number {
  const code = Number(value ?? '1303');
  if (!isKnownCode(code)) throw new Refusal(1201, `prompt: ${whole} names no code of the error table`);
  return code;
}

function failure(value: string | null, whole: string): SimulatedFate {
  const code = value === null ? null : String(knownCode(value, whole));
  const known = code === null ? null : (failureMessages[code] ?? new Refusal(Number(code)).message);
  return { end: 'failed', code, message: known ?? 'Failed to generate the video, please try again' };
}

function unreachable(reference: string | null): SimulatedFate {
  return {
    end: 'failed',
    code: null,
    message: `Failed to download the reference ${reference ?? 'of this task'}`,
  };
}
