/** Which tests name an endpoint: golden exchanges by method and path, other tests by the path in their text. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseJson } from '../../src/lib/json.ts';

const root = join(import.meta.dirname, '..', '..');

/** An exchange of a dialect's `fixtures/`, as far as it matters here. */
export interface Golden {
  dialect: string;
  request: { method: string; url: string; body?: unknown };
}

interface Route {
  dialect: string;
  method: string;
  /** `/v1/videos/{id}`. */
  path: string;
}

export function readGoldens(): Golden[] {
  return globSync('src/dialects/*/fixtures/*.json', { cwd: root })
    .sort()
    .flatMap((file) => {
      const exchanges = parseJson(readFileSync(join(root, file), 'utf8')) as unknown as Omit<
        Golden,
        'dialect'
      >[];
      return exchanges.map(({ request }) => ({ dialect: file.split('/')[2]!, request }));
    });
}

/** Whether a golden exchange asks this route. */
export function asks({ dialect, request }: Golden, route: Route): boolean {
  if (dialect !== route.dialect || request.method !== route.method) return false;
  return new RegExp(`^${pattern(route.path, '[^/]+')}/?$`).test(request.url.replace(/\?.*$/, ''));
}

/** Names of tests whose text has the path, whatever the method. */
export function createNaming(): (route: Route) => string[] {
  const texts = globSync(['conformance/*.test.ts', 'test/**/*.test.ts', 'src/dialects/*/*.test.ts'], {
    cwd: root,
  })
    .map((file) => ({
      name: file.replace(/^src\//, '').replace(/\.test\.ts$/, ''),
      text: readFileSync(join(root, file), 'utf8'),
    }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  return ({ path }) => {
    // A parameter may be written as one (`{id}`), be put in by a template (`${id}`), or be a value.
    const named = new RegExp(`${pattern(path, '(?:\\$?\\{[^}]*\\}|[^/\\s\'"`?{}$]+)')}(?![\\w/{$-])`);
    return texts.filter(({ text }) => named.test(text)).map(({ name }) => name);
  };
}

function pattern(path: string, parameter: string): string {
  return path
    .split(/\{\w+\}/)
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join(parameter);
}
