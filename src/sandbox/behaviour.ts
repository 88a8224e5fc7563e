/** What the control API can make the sandbox do: read strictly, so that a typo is no silent success. */
import type { Json } from '../lib/json.ts';
import type { SimulatorBehaviour } from '../providers/kit/simulator.ts';

/** Snake case on the wire; documented in `README.md` beside this file. */
export interface Behaviour {
  /** Added before each answer, in real milliseconds. */
  latency_ms: number;
  /** Share of requests that are refused before anything is accepted, and the upstream's code for it. */
  error_rate: number;
  error_code: string | null;
  /** Share of requests whose connection is cut, and whether before or after the work was done. */
  reset_rate: number;
  reset_when: 'before' | 'after';
  outage: 'none' | 'maintenance' | 'reset';
  /** Which requests the five above are for. */
  applies_to: 'all' | 'create' | 'query';
  duplicates: SimulatorBehaviour['duplicates'];
  status: SimulatorBehaviour['status'];
  callbacks: 'on' | 'off' | 'duplicate' | 'forged';
  slots: number | null;
}

export const HONEST_BEHAVIOUR: Behaviour = {
  latency_ms: 0,
  error_rate: 0,
  error_code: null,
  reset_rate: 0,
  reset_when: 'after',
  outage: 'none',
  applies_to: 'all',
  duplicates: 'refuse',
  status: 'honest',
  callbacks: 'on',
  slots: null,
};

const latencyMsMax = 600_000;

type Judge = (value: Json) => boolean;
const oneOf =
  (...allowed: string[]): Judge =>
  (value) =>
    typeof value === 'string' && allowed.includes(value);
const between =
  (min: number, max: number): Judge =>
  (value) =>
    typeof value === 'number' && value >= min && value <= max;

const fields: Record<keyof Behaviour, { accepts: Judge; words: string }> = {
  latency_ms: { accepts: between(0, latencyMsMax), words: `a number from 0 to ${latencyMsMax}` },
  error_rate: { accepts: between(0, 1), words: 'a number from 0 to 1' },
  error_code: {
    accepts: (value) => value === null || (typeof value === 'string' && /^[\w.]{1,80}$/.test(value)),
    words: 'a code of the upstream as a string, or null',
  },
  reset_rate: { accepts: between(0, 1), words: 'a number from 0 to 1' },
  reset_when: { accepts: oneOf('before', 'after'), words: '"before" or "after"' },
  outage: { accepts: oneOf('none', 'maintenance', 'reset'), words: '"none", "maintenance" or "reset"' },
  applies_to: { accepts: oneOf('all', 'create', 'query'), words: '"all", "create" or "query"' },
  duplicates: { accepts: oneOf('refuse', 'accept'), words: '"refuse" or "accept"' },
  status: { accepts: oneOf('honest', 'backwards', 'twice'), words: '"honest", "backwards" or "twice"' },
  callbacks: {
    accepts: oneOf('on', 'off', 'duplicate', 'forged'),
    words: '"on", "off", "duplicate" or "forged"',
  },
  slots: {
    accepts: (value) => value === null || (between(0, 1_000_000)(value) && Number.isInteger(value)),
    words: 'a whole number, or null for the upstream’s own',
  },
};

/** The behaviour with the given fields changed, or a sentence that says what is wrong with them. */
export function changeBehaviour(before: Behaviour, change: Json): Behaviour | string {
  if (typeof change !== 'object' || change === null || Array.isArray(change)) {
    return 'The body must be a JSON object.';
  }
  const after: Behaviour = { ...before };
  for (const [name, raw] of Object.entries(change)) {
    if (!Object.hasOwn(fields, name)) {
      return `There is no field ${name.slice(0, 60)}; fields are ${Object.keys(fields).join(', ')}.`;
    }
    const field = name as keyof Behaviour;
    const value = field === 'error_code' && typeof raw === 'number' ? String(raw) : raw;
    if (!fields[field].accepts(value)) return `${field} must be ${fields[field].words}.`;
    Object.assign(after, { [field]: value });
  }
  return after;
}
