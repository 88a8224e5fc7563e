import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from './json.ts';
import { setPath } from './json-path.ts';

test('puts a value deep into objects and lists', () => {
  const root: Json = { faces: [{ image: null }, { image: null }], session: 'theirs' };
  setPath(root, 'faces.1.image', 'link');
  setPath(root, 'session', 'ours');
  assert.deepEqual(root, { faces: [{ image: null }, { image: 'link' }], session: 'ours' });
});

test('changes nothing where the path leads nowhere', () => {
  const root: Json = { faces: [] };
  for (const path of [
    'faces.0.image',
    'faces.0',
    'nothing.at.all',
    '__proto__.polluted',
    'faces.__proto__.x',
  ]) {
    setPath(root, path, 'x');
  }
  assert.deepEqual(root, { faces: [] });
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
});
