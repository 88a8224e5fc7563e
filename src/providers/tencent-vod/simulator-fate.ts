/** Prompt switches: `[[fail]]` and its like script a task's fate, so that anyone can try the unhappy paths. */
import type { SimulatedFate } from '../kit/simulator.ts';
import { knownCode, messageOf, Refusal } from './simulator-errors.ts';

export interface Script {
  /** Answer every submit with this code. */
  rejectCode: string | null;
  /** Sandbox milliseconds added to the processing. */
  slowMs: number;
  fate: SimulatedFate;
}

const slowSecondsMax = 7 * 86_400;

/** Reads every switch of a prompt. `reference` is what `[[unreachable]]` claims to have missed. */
export function readScript(prompt: string, reference: string | null): Script {
  const script: Script = { rejectCode: null, slowMs: 0, fate: { end: 'succeeded' } };
  for (const [whole, name, value] of prompt.matchAll(/\[\[([a-z]+)(?::([\w.]{1,80}))?\]\]/g)) {
    if (name === 'reject') script.rejectCode = codeOf(value ?? 'RequestLimitExceeded', whole);
    else if (name === 'slow') script.slowMs = slowMs(value);
    else if (name === 'expire') script.fate = { end: 'never' };
    else if (name === 'fail') script.fate = failure(codeOf(value ?? 'ModelGenerateFailed', whole));
    else if (name === 'unreachable') {
      const message = `Failed to download the reference ${reference ?? 'of this task'}`;
      script.fate = { end: 'failed', code: 'InvalidParameterValue', message };
    }
  }
  return script;
}

function codeOf(value: string, whole: string): string {
  const code = knownCode(value);
  if (code === null) {
    throw new Refusal('InvalidParameterValue', `Prompt: ${whole} names no code of the error table`);
  }
  return code;
}

function failure(code: string): SimulatedFate {
  return { end: 'failed', code, message: messageOf(code) };
}

function slowMs(value: string | undefined): number {
  const seconds = Number(value ?? 60);
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), slowSecondsMax) * 1000 : 0;
}
