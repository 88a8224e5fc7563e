/**
 * `npm run lint`, after Prettier: the rules of this repository that a type checker does not know. Small on purpose;
 * each rule says why.
 */
import { globSync, readFileSync } from 'node:fs';

interface Rule {
  pattern: RegExp;
  /** Files it does not hold for. */
  except?: RegExp;
  why: string;
}

const TESTS =
  /\.(test|fixture)\.ts$|\/(contract|golden|harness)\.ts$|\/contract\/|\/(fake|test)-[a-z]+\.ts$|-sample\.ts$|^test\/|^conformance\/|^bench\/|^chaos\/|^scripts\//;

/** They compare with the times of files, which no Clock sets. */
const FILE_TIMES = '^src/media/local-disk\\.ts$|^src/sandbox/render/cache\\.ts$';

const RULES: Rule[] = [
  {
    pattern: /(?<![.\w])fetch\(/,
    except: TESTS,
    why: 'fetch costs several times undici request; use undici or the guarded client',
  },
  {
    pattern: /\b(ReadableStream|WritableStream|TransformStream)\b/,
    except: TESTS,
    why: 'no Web streams on data paths; use node:stream',
  },
  {
    pattern: /^import (?!type).* from 'node:http'/,
    except: TESTS,
    why: 'imported, it loads WebSocket and fetch (13 MiB); use process.getBuiltinModule',
  },
  {
    pattern: /^import (?!type).* from 'undici'/,
    except: new RegExp(`${TESTS.source}|media/s3\\.ts$`),
    why: 'its index loads all there is (20 MiB); use lib/undici.ts',
  },
  { pattern: /^export default\b/, why: 'no default exports: a thing has one name everywhere' },
  { pattern: /:\s*any\b|<any>|\bas any\b|any\[\]/, why: 'unknown at the edge, never any behind it' },
  {
    pattern: /^\s*(export\s+)?(const\s+)?enum\s+\w/,
    why: 'erasable TypeScript only: unions instead of enums',
  },
  {
    pattern: /from '\.{1,2}\/[^']*(?<!\.ts|\.json|\.mjs)'/,
    why: 'relative imports name the file with its .ts suffix',
  },
  {
    pattern: /\bconsole\.(log|error|warn|info)\(/,
    except: new RegExp(`${TESTS.source}|^src/cli/|(main|run)\\.ts$`),
    why: 'only start-up and the CLI speak to the terminal; everything else logs',
  },
  {
    pattern: /\b(it|test|describe)\.(only|todo)\(/,
    why: 'nothing focused or promised for later is committed',
  },
  { pattern: /@ts-(ignore|nocheck)/, why: 'mend the type' },
  { pattern: /\bTODO\b|\bFIXME\b|\bXXX\b/, why: 'nothing unfinished is committed' },
  {
    pattern: /Date\.now\(\)|new Date\(\)/,
    except: new RegExp(`${TESTS.source}|lib/(clock|ids)\\.ts$|^src/cli/|${FILE_TIMES}`),
    why: 'time is a Clock',
  },
  {
    pattern: /(?<![.\w])set(Timeout|Interval)\(/,
    except: new RegExp(
      `${TESTS.source}|lib/(clock|collector|guarded-deadline)\\.ts$|(main|run)\\.ts$|^src/cli/`,
    ),
    why: 'time is a Clock',
  },
];

let faults = 0;
const files = globSync('{src,test,conformance,bench,chaos,scripts}/**/*.ts').sort();
for (const file of files) {
  if (file === 'scripts/lint.ts') continue;
  readFileSync(file, 'utf8')
    .split('\n')
    .forEach((line, index) => {
      const code = line.replace(/^\s*(\*|\/\/|\/\*).*$/, '').replace(/\s\/\/ .*$/, '');
      if (line.includes('lint-allow:')) return;
      for (const rule of RULES) {
        if (!rule.pattern.test(code) || rule.except?.test(file)) continue;
        faults++;
        console.error(`${file}:${index + 1}: ${rule.why}\n    ${line.trim()}`);
      }
    });
}
console.log(`${files.length} files read, ${faults} faults`);
process.exitCode = faults > 0 ? 1 : 0;
