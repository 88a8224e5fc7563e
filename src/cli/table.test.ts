import assert from 'node:assert/strict';
import { test } from 'node:test';
import { facts, table } from './table.ts';
import { widthOf } from './width.ts';

test('columns line up when a cell is Chinese', () => {
  const text = table(
    [
      { title: 'prompt', text: (row: { prompt: string }) => row.prompt, widthMax: 12 },
      { title: 'n', align: 'right', text: (row) => String(row.prompt.length) },
    ],
    [{ prompt: '雪山之巅,雄鹰盘旋' }, { prompt: 'a cat' }],
  );
  const lines = text.trimEnd().split('\n');
  assert.equal(lines.length, 3);
  assert.equal(new Set(lines.map(widthOf)).size, 1, text);
  assert.match(lines[0]!, /^PROMPT +N$/);
  assert.match(lines[1]!, /…/);
});

test('a table of nothing is its titles', () => {
  assert.equal(table([{ title: 'id', text: () => '' }], []), 'ID\n');
});

test('facts leave out what is not known', () => {
  assert.equal(
    facts([
      ['a', '1'],
      ['bcd', null],
      ['ef', '2'],
    ]),
    'a   1\nef  2\n',
  );
});
