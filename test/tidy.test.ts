/**
 * The repository tests itself: who may know whom (the table in CONTRIBUTING.md), and that registries stay one line
 * per plug-in.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

/** Module (top-level folder or file of src) -> what it may import of ours. Itself is always allowed. */
const MAY_KNOW: Record<string, string[]> = {
  lib: [],
  core: ['lib'],
  families: ['core', 'lib'],
  dialects: ['core', 'lib'],
  providers: ['core', 'lib'],
  store: ['core', 'lib'],
  media: ['core', 'lib'],
  counters: ['core', 'lib'],
  jobs: ['core', 'lib'],
  flows: ['core', 'lib'],
  workers: ['core', 'flows', 'lib'],
  http: ['core', 'lib'],
  sandbox: ['core', 'lib', 'providers'],
  upkeep: ['config.ts', 'core', 'jobs', 'lib', 'media', 'secrets.ts', 'store', 'version.ts'],
  cli: ['app.ts', 'config.ts', 'main.ts', 'upkeep', 'version.ts', 'lib'],
};
/** The composition root and what starts it. */
const ROOT = new Set([
  'app.ts',
  'engines.ts',
  'main.ts',
  'run.ts',
  'config.ts',
  'secrets.ts',
  'first-run.ts',
  'measures.ts',
  'version.ts',
  'warm.ts',
]);
/** Libraries that must stay at the edges. */
const LIBRARIES: { module: string; refuses: RegExp }[] = [
  { module: 'core', refuses: /^(fastify|kysely|undici|pino|zod|node:(fs|http|net|sqlite|worker_threads))/ },
  { module: 'families', refuses: /^(?!\.)/ },
  { module: 'flows', refuses: /^(fastify|kysely|undici)/ },
  { module: 'lib', refuses: /^(fastify|kysely|zod)/ },
  { module: 'http', refuses: /^(kysely|undici|node:sqlite)/ },
  { module: 'store', refuses: /^(fastify|undici)/ },
  { module: 'dialects', refuses: /^(kysely|undici|node:(fs|http|net|sqlite))/ },
];

interface Import {
  file: string;
  specifier: string;
  /** Path under src of a relative import, else null. */
  target: string | null;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join('src', file), 'utf8');
  const found = text.matchAll(
    /(?:^|\n)\s*(?:import|export)\s(?:[^'"]*?\sfrom\s)?['"]([^'"]+)['"]|import\(['"]([^'"]+)['"]\)/g,
  );
  return [...found].map((match) => {
    const specifier = (match[1] ?? match[2])!;
    const target = specifier.startsWith('.') ? normalize(join(dirname(file), specifier)) : null;
    return { file, specifier, target };
  });
}

const moduleOf = (path: string): string => path.split('/')[0]!;
const files = globSync('**/*.ts', { cwd: 'src' }).sort();
/** Tests and what only tests use: contract suites, fakes, samples, recorded exchanges. */
const TEST_SUPPORT =
  /\.(test|fixture)\.ts$|\/(contract|golden|harness)\.ts$|\/contract\/|\/(fake|test)-[a-z]+\.ts$|-sample\.ts$/;
const imports = files.filter((file) => !TEST_SUPPORT.test(file)).flatMap(importsOf);

test('no module reaches where it may not', () => {
  const faults: string[] = [];
  for (const { file, target } of imports) {
    if (target === null) continue;
    const from = moduleOf(file);
    const to = moduleOf(target);
    if (from === to || ROOT.has(from)) continue;
    if (!MAY_KNOW[from]?.includes(to)) faults.push(`${file} imports ${target}`);
  }
  assert.deepEqual(faults, []);
});

test('every module is on the map', () => {
  for (const module of new Set(files.filter((file) => !TEST_SUPPORT.test(file)).map(moduleOf))) {
    assert.ok(module in MAY_KNOW || ROOT.has(module), `${module} is not in the table of modules`);
  }
});

test('plug-ins do not know each other', () => {
  const faults: string[] = [];
  for (const { file, target } of imports) {
    const [module, plugin] = file.split('/');
    if (target === null || !['dialects', 'providers', 'families'].includes(module!)) continue;
    const [toModule, toPlugin] = target.split('/');
    if (toModule !== module || toPlugin === plugin || file.endsWith('/index.ts') || toPlugin === 'kit')
      continue;
    if (plugin === 'index.ts') continue;
    faults.push(`${file} imports ${target}`);
  }
  assert.deepEqual(faults, []);
});

test('the sandbox knows a provider only by its simulator', () => {
  const faults = imports
    .filter(({ file, target }) => moduleOf(file) === 'sandbox' && target?.startsWith('providers/'))
    .filter(
      ({ target }) => !/^providers\/(index|simulators|kit\/[a-z-]+|[a-z-]+\/simulator)\.ts$/.test(target!),
    )
    .map(({ file, target }) => `${file} imports ${target}`);
  assert.deepEqual(faults, []);
});

test('libraries stay at their edge', () => {
  const faults = imports
    .filter(({ target }) => target === null)
    .filter(({ file, specifier }) =>
      LIBRARIES.some(({ module, refuses }) => moduleOf(file) === module && refuses.test(specifier)),
    )
    .map(({ file, specifier }) => `${file} imports ${specifier}`);
  assert.deepEqual(faults, []);
});

test('registries are one line per plug-in', () => {
  for (const registry of ['dialects', 'families', 'providers']) {
    const lines = readFileSync(`src/${registry}/index.ts`, 'utf8').split('\n');
    for (const line of lines) {
      assert.match(
        line,
        /^(export \{ [^}]+ \} from '\.\/[a-z0-9-]+\/[a-z-]+\.ts';|\s*(\/\*\*|\*|\/\/).*|)$/,
        `${registry}: ${line}`,
      );
    }
  }
});
