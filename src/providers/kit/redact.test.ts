import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redactBody, redactText } from './redact.ts';

test('inline media become a note of their length', () => {
  const body = JSON.stringify({ image: 'A'.repeat(5000), prompt: 'a cat' });
  assert.equal(redactBody(body, null), '{"image":"…(5000 characters)","prompt":"a cat"}');
});

test('long words that are prose stay', () => {
  const prompt = 'words and words '.repeat(100);
  assert.ok(redactBody(JSON.stringify({ prompt }), null).includes(prompt));
});

test('bodies are cut to four kilobytes, also where characters take several', () => {
  const cut = redactBody('猫 '.repeat(5000), null);
  assert.ok(Buffer.byteLength(cut) < 4096 + 64);
  assert.ok(cut.endsWith('…(10000 characters)'));
  assert.ok(!cut.includes('\uFFFD'));
});

test('this exchange’s secret and every JWT are taken out', () => {
  const jwt = `${'eyJhbGciOiJIUzI1NiJ9'}.eyJpc3MiOiJhIn0.c2lnbmF0dXJl`;
  assert.equal(redactText(`?key=key-123456&t=${jwt}`, 'key-123456'), '?key=[redacted]&t=[redacted]');
});
