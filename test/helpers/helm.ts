/**
 * As much of Helm's template language as the chart allows itself: values, `quote`, `toYaml | nindent`, `if` with `not`.
 * Whatever else stands between braces is refused, so that the chart stays as plain as it can be checked here.
 */
import { stringify } from 'yaml';

export interface Release {
  name: string;
  values: unknown;
}

/** Throws where a placeholder names a value that is not there, or is more than this renderer knows. */
export function renderTemplate(template: string, release: Release): string {
  const root = { Release: { Name: release.name }, Values: release.values };
  let output = '';
  /** Whether each open `if` holds. */
  const open: boolean[] = [];
  const isShown = (): boolean => open.every(Boolean);
  // `{{-` takes the white space before it, `-}}` what follows.
  const pieces = template
    .replace(/\s*\{\{-/g, '{{')
    .replace(/-\}\}\s*/g, '}}')
    .split(/(\{\{.*?\}\})/);
  for (const piece of pieces) {
    const inside = /^\{\{\s*(.*?)\s*\}\}$/.exec(piece)?.[1];
    if (inside === undefined) {
      if (isShown()) output += piece;
      continue;
    }
    const condition = /^if (not )?(\.[\w.]+)$/.exec(inside);
    if (condition) open.push(Boolean(valueAt(root, condition[2]!)) !== (condition[1] !== undefined));
    else if (inside === 'end') {
      if (open.pop() === undefined) throw new Error('an end without an if');
    } else if (isShown()) output += evaluate(root, inside);
  }
  if (open.length > 0) throw new Error('an if without an end');
  return output;
}

function evaluate(root: unknown, expression: string): string {
  const block = /^toYaml (\.[\w.]+) \| nindent (\d+)$/.exec(expression);
  if (block) {
    const margin = ' '.repeat(Number(block[2]));
    const text = stringify(valueAt(root, block[1]!)).trimEnd();
    return `\n${text.replace(/^/gm, margin)}`;
  }
  const simple = /^(\.[\w.]+)( \| quote)?$/.exec(expression);
  if (!simple) throw new Error(`more than a plain template: {{ ${expression} }}`);
  const value = valueAt(root, simple[1]!);
  if (typeof value === 'object') throw new Error(`${simple[1]} is no single value`);
  return simple[2] ? JSON.stringify(String(value)) : String(value);
}

function valueAt(root: unknown, path: string): unknown {
  let value = root;
  for (const name of path.split('.').slice(1)) {
    if (typeof value !== 'object' || value === null || !(name in value)) {
      throw new Error(`${path} is not in values.yaml`);
    }
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}
