import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { signUrl, verifySignedUrl } from './signed-url.ts';

const key = Buffer.alloc(32, 7);
const now = 1_800_000_000_000;
const tomorrow = now / 1000 + 86_400;

const path = fc
  .tuple(
    fc.array(fc.stringMatching(/^[A-Za-z0-9_.%~-]{1,12}$/), { minLength: 1, maxLength: 4 }),
    fc.array(fc.stringMatching(/^[a-d]{1,3}=[A-Za-z0-9%+]{0,8}$/), { maxLength: 3 }),
  )
  .map(([segments, query]) => `/${segments.join('/')}${query.length ? `?${query.join('&')}` : ''}`);

test('a signed link is valid until its time and no longer', () => {
  fc.assert(
    fc.property(path, (target) => {
      const url = signUrl(key, target, tomorrow);
      assert.ok(url.startsWith(target));
      assert.match(url, /[?&]expires=\d+&signature=[\w-]{43}$/);
      assert.deepEqual(verifySignedUrl(key, url, now), { ok: true, expiresAt: tomorrow * 1000 });
      assert.equal(verifySignedUrl(key, url, tomorrow * 1000 - 1).ok, true);
      assert.deepEqual(verifySignedUrl(key, url, tomorrow * 1000), { ok: false, reason: 'expired' });
    }),
  );
});

test('any single changed, removed, doubled or inserted character is refused', () => {
  fc.assert(
    fc.property(path, fc.nat(), fc.integer({ min: 0x21, max: 0x7e }), (target, where, code) => {
      const url = signUrl(key, target, tomorrow);
      const at = where % url.length;
      const character = String.fromCharCode(code);
      const variants = [
        url.slice(0, at) + character + url.slice(at + 1),
        url.slice(0, at) + url.slice(at + 1),
        url.slice(0, at) + url[at] + url.slice(at),
        url.slice(0, at) + character + url.slice(at),
        url + character,
      ];
      for (const variant of variants) {
        if (variant !== url) assert.equal(verifySignedUrl(key, variant, now).ok, false, variant);
      }
    }),
    { numRuns: 2000 },
  );
});

test('every character of the signature counts, also the bits base64 would ignore', () => {
  const url = signUrl(key, '/media/a.mp4', tomorrow);
  for (const last of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_') {
    const variant = url.slice(0, -1) + last;
    assert.equal(verifySignedUrl(key, variant, now).ok, variant === url);
  }
});

test('reordered, repeated, re-encoded or extended links are refused, each with its reason', () => {
  const url = signUrl(key, '/media/a.mp4?v=1', tomorrow);
  const [front = '', signature = ''] = url.split('&signature=');
  const refused: [string, string][] = [
    ['/media/a.mp4?v=1', 'missing'],
    [front, 'missing'],
    [`/media/a.mp4?signature=${signature}&v=1&expires=${tomorrow}`, 'malformed'],
    [`/media/a.mp4?v=1&signature=${signature}&expires=${tomorrow}`, 'malformed'],
    [`/media/a.mp4?expires=${tomorrow}&v=1&signature=${signature}`, 'malformed'],
    [`/media/a.mp4?v=1&expires=&signature=${signature}`, 'malformed'],
    [`/media/a.mp4?v=1&expires=0${tomorrow}&signature=${signature}`, 'malformed'],
    [`/media/a.mp4?v=1&expires=${tomorrow}&expires=${tomorrow}&signature=${signature}`, 'bad_signature'],
    [`${url}&signature=${signature}`, 'bad_signature'],
    [`${url}&x=1`, 'bad_signature'],
    [`${url}#`, 'bad_signature'],
    [`${url}=`, 'bad_signature'],
    [`${front}&signature=`, 'bad_signature'],
    [url.replace('/media/', '//media/'), 'bad_signature'],
    [url.replace('/media/', '/x/../media/'), 'bad_signature'],
    [url.replace('a.mp4', '%61.mp4'), 'bad_signature'],
    [url.replace('a.mp4', 'A.mp4'), 'bad_signature'],
    [url.replace('v=1', 'v=2'), 'bad_signature'],
    [url.replace(`expires=${tomorrow}`, `expires=${tomorrow + 1}`), 'bad_signature'],
    [`http://127.0.0.1${url}`, 'malformed'],
    [url.replace('&signature', '&Signature'), 'missing'],
    [url.replace('&signature', '%26signature'), 'missing'],
  ];
  for (const [variant, reason] of refused) {
    assert.deepEqual(verifySignedUrl(key, variant, now), { ok: false, reason }, variant);
  }
});

test('another key does not verify', () => {
  const url = signUrl(key, '/media/a.mp4', tomorrow);
  assert.deepEqual(verifySignedUrl(Buffer.alloc(32, 8), url, now), { ok: false, reason: 'bad_signature' });
});

test('a path that could not be verified again is not signed', () => {
  for (const target of ['', 'media', '/a b', '/a#b', '/ä', '/a?expires=1', '/a?x=1&signature=2', '/a\n']) {
    assert.throws(() => signUrl(key, target, tomorrow), TypeError, target);
  }
  assert.throws(() => signUrl(key, '/a', 1.5), TypeError);
});
