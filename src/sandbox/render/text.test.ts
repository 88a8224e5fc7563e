import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createFontShelf, isolateFonts } from './fonts.ts';
import { cutText, drawText, toPrintable } from './text.ts';
import type { TextMask } from './text.ts';

const directory = await mkdtemp(join(tmpdir(), 'reelay-fonts-'));
after(() => rm(directory, { recursive: true, force: true }));
isolateFonts(directory);
const shelf = createFontShelf(directory);

const draw = async (text: string): Promise<TextMask> => {
  const mask = await drawText(shelf, text, { size: 40 });
  assert.ok(mask, `"${text}" was not drawn`);
  return mask;
};
const ink = (mask: TextMask) => mask.alpha.reduce((sum, value) => sum + value, 0) / 255;

test('draws Latin and Chinese from our own fonts, with no font of the system', async () => {
  const one = await draw('一');
  const cat = await draw('猫');
  // A stroke is flat, a cat is square: a missing character would be the same tall box for both.
  assert.ok(one.height < 12, `"一" is ${one.height} high`);
  assert.ok(cat.height > 30 && ink(cat) > ink(one) * 2);
  assert.ok(ink(await draw('i')) < ink(await draw('W')));
});

test('finds characters beside the common ones in the font files that have them', () => {
  const { text, files } = shelf.prepare('龘 Привет');
  assert.equal(text, '龘 Привет');
  assert.deepEqual(
    files.map((path) => /noto-sans-sc-(.+)-500\.ttf$/.exec(path)?.[1]),
    ['chinese-simplified', 'latin', 'cyrillic'],
  );
});

test('puts a dot where no font has the character, and leaves emoji and control characters out', () => {
  assert.equal(shelf.prepare('a 한 b').text, 'a · b');
  assert.equal(toPrintable(' a\u0000\n\tb 👩‍🚀🇨🇳❤️ c\ud800 © '), 'a b c\ufffd ©');
});

test('draws markup as the characters it is made of', async () => {
  const plain = await draw('a');
  const marked = await draw('<b>a</b> & <i');
  assert.ok(marked.width > plain.width * 6);
});

test('wraps at the width given, also inside words that are longer than a line', async () => {
  const wrapped = await drawText(shelf, 'x'.repeat(60), { size: 20, widthMax: 200 });
  assert.ok(wrapped && wrapped.width <= 204 && wrapped.height > 40);
  assert.equal(await drawText(shelf, ' \n 🎬', { size: 20 }), null);
});

test('cuts by width: a Chinese character takes about as much as two Latin ones', () => {
  assert.equal(cutText('一二三四五', 3), '一二三…');
  assert.equal(cutText('abcdef', 3), 'abcde…');
  assert.equal(cutText('abc', 3), 'abc');
});
