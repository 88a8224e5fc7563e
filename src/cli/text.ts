/** Small wordings that several commands share. */
import { writeJson } from '../lib/json.ts';
import type { Terminal } from './terminal.ts';
import { plain } from './width.ts';
import type { WarningItem } from './wire.ts';

/** `2026-11-20T10:21:48.123Z` or Unix seconds -> `2026-11-20 10:21:48`, UTC. */
export function time(value: string | number | null): string {
  if (value === null) return '–';
  const date = new Date(typeof value === 'number' ? value * 1000 : value);
  return Number.isNaN(date.getTime()) ? String(value) : date.toISOString().slice(0, 19).replace('T', ' ');
}

/** `1:05`, `12:00:09`. */
export function elapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** `1.4 MB`, in powers of 1000 as file managers show it. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  let value = bytes;
  let unit = -1;
  while (value >= 999.95 && unit < 3) {
    value /= 1000;
    unit++;
  }
  return `${value.toFixed(1)} ${['kB', 'MB', 'GB', 'TB'][unit]}`;
}

/** The gateway's answer for scripts: two spaces of indent, ids as they came. */
export function printJson(terminal: Terminal, body: unknown): void {
  terminal.out(`${indent(writeJson(body))}\n`);
}

export function printWarnings(terminal: Terminal, warnings: readonly WarningItem[] | undefined): void {
  for (const warning of warnings ?? []) {
    terminal.err(`${terminal.paint('yellow', '!')} ${plain(warning.message)}\n`);
  }
}

/** Indents JSON text; JSON.parse would lose integers above 2^53. */
function indent(json: string): string {
  let depth = 0;
  const line = () => `\n${'  '.repeat(depth)}`;
  return json.replace(/"(?:[^"\\]|\\.)*"|\{\}|\[\]|[{}[\],:]/g, (token) => {
    if (token === '{' || token === '[') {
      depth++;
      return token + line();
    }
    if (token === '}' || token === ']') {
      depth--;
      return line() + token;
    }
    if (token === ',') return token + line();
    return token === ':' ? ': ' : token;
  });
}

/** How this person calls us, for commands they may paste: npm says when it was npx. */
export function ownName(env: Record<string, string | undefined>): string {
  return env.npm_command === 'exec' ? 'npx reelay' : 'reelay';
}
