/** The reference is compared with the code in both directions, so that neither can drift. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { ERROR_CODES } from '../src/core/errors.ts';
import { errorWords } from '../src/dialects/kit/error-shape.ts';
import { klingErrors } from '../src/dialects/kit/kling-errors.ts';
import { prices } from '../src/families/kling/prices.ts';
import { tiers } from '../src/families/kling/tiers.ts';
import { renderPlainError } from '../src/http/error-shape.ts';

const pages = 'reference/errors';
const guide = 'reference/guides/kling-video.md';

/** Cells of the rows of every Markdown table in a file. */
function rowsOf(file: string): string[][] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

test('every error code has a page, and every page a code', () => {
  const files = readdirSync(pages).filter((name) => name !== 'README.md');
  assert.deepEqual(files.sort(), ERROR_CODES.map((code) => `${code}.md`).sort());
});

test('the pages tell the statuses and numbers that the doors answer', () => {
  for (const code of ERROR_CODES) {
    const [, videos, generations, kling, plain] = rowsOf(join(pages, `${code}.md`));
    const words = errorWords[code];
    const shown = words.code ?? code;
    assert.deepEqual(videos!.slice(1), [
      String(words.status),
      `\`error.code\` \`${shown}\`, \`error.type\` \`${words.type}\``,
    ]);
    assert.equal(generations![1], String(words.status), code);
    assert.equal(kling![1], String(klingErrors[code].status), code);
    assert.match(kling![2]!, new RegExp(`^\`code\` ${klingErrors[code].code},`), code);
    const error = { message: '', param: null, requestId: '', retryAfterMs: null, path: '/' } as const;
    assert.equal(
      plain![1],
      String(renderPlainError({ ...error, code, responseStyle: 'superset' }).status),
      code,
    );
  }
});

test('the index of error codes is complete', () => {
  const listed = rowsOf(join(pages, 'README.md'))
    .slice(1)
    .map(([link, videos, kling]) => [/^\[(\w+)\]/.exec(link!)?.[1], videos, kling]);
  assert.deepEqual(
    listed,
    ERROR_CODES.map((code) => [
      code,
      String(errorWords[code].status),
      `${klingErrors[code].status} / ${klingErrors[code].code}`,
    ]),
  );
});

test('the guide lists every tier at its default price', () => {
  const listed = rowsOf(guide).filter(([tier]) => tiers.includes(tier!));
  assert.deepEqual(listed.map(([tier]) => tier).sort(), [...tiers].sort());
  for (const [tier, units, usd, cny] of listed) {
    const price = prices.find((row) => row.tier === tier && !row.operation && !row.model && !row.surcharge)!;
    assert.equal(Number(units) * 1000, price.officialMilliUnits, tier);
    assert.equal(Math.round(Number(usd) * 1e6), price.officialMilliUnits * 140, tier);
    assert.equal(cny, units, tier);
  }
  const exceptions = rowsOf(guide).filter(([tier]) => tier!.startsWith('kling-') && tier!.includes(','));
  assert.equal(exceptions.length, prices.length - tiers.length);
});

test('links between our own pages lead somewhere', () => {
  const files = [
    'README.md',
    'README.zh-CN.md',
    'CONTRIBUTING.md',
    guide,
    'reference/guides/sandbox.md',
    join(pages, 'README.md'),
  ];
  for (const file of files) {
    const links = [...readFileSync(file, 'utf8').matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(
      (match) => match[1]!,
    );
    for (const link of links) {
      // The rendered frame is made by the gateway itself.
      if (link.endsWith('.png')) continue;
      assert.ok(existsSync(join(dirname(file), link)), `${file}: ${link} leads nowhere`);
    }
  }
});
