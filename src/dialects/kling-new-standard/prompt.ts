/**
 * What the new standard writes into the prompt and the legacy one has fields and a notation for: names of contents
 * (`@cat` for `<<<image_1>>>`) and shots (`镜头 1, 3, words;`).
 */
import { invalid } from '../../core/request/read.ts';

/** A content that has a name, and its position among its kind, from 1. */
export interface NamedThing {
  kind: 'image' | 'video' | 'element';
  position: number;
  name: string;
  /** Where the name stood. */
  source: string;
}

/** Throws `invalid_value` where two contents have the same name. */
export function checkNames(things: readonly NamedThing[]): void {
  const seen = new Set<string>();
  for (const { name, source } of things) {
    if (seen.has(name)) throw invalid(source, `must be unique in contents: "${name}" is there twice.`);
    seen.add(name);
  }
}

/** `@cat plays` -> `<<<image_1>>> plays`. Where a name begins like another one, the longer one is meant. */
export function withPositions(prompt: string, things: readonly NamedThing[]): string {
  const byName = new Map(things.filter(({ name }) => name !== '').map((thing) => [thing.name, thing]));
  if (byName.size === 0) return prompt;
  const names = [...byName.keys()].sort((one, other) => other.length - one.length);
  const pattern = new RegExp(`@(${names.map(escaped).join('|')})`, 'gu');
  return prompt.replace(pattern, (_match, name: string) => {
    const { kind, position } = byName.get(name)!;
    return `<<<${kind}_${position}>>>`;
  });
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

export interface WrittenShot {
  index: number;
  duration: number;
  prompt: string;
}

/** `镜头 n, m, words;` with half-width punctuation: shot, seconds, words (specs/kling.md §4). */
const shotPattern = /^镜头\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*([^;]+)$/u;

/** The shots a prompt is written in; null when it is an ordinary prompt. */
export function shotsIn(prompt: string): WrittenShot[] | null {
  const parts = prompt
    .split(/;\s*(?=镜头)|;\s*$/u)
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const shots = parts.map((part) => shotPattern.exec(part));
  if (shots.length === 0 || shots.includes(null)) return null;
  return shots.map((match) => ({
    index: Number(match![1]),
    duration: Number(match![2]),
    prompt: match![3]!.trim(),
  }));
}
