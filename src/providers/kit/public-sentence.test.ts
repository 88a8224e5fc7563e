import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Channel } from '../../core/ports.ts';
import { createPublicSentence } from './public-sentence.ts';

const publicSentence = createPublicSentence(/\b[\w.-]*upstream\.example\b/gi);
const channelWith = (credential: Channel['credential']) =>
  ({ baseUrl: 'https://proxy.example:8443/vod', credential }) as Channel;
const channel = channelWith({ id: 'the-long-id', key: 'the-long-key', site: 'cn', number: 1500000001 });

describe('a sentence of the upstream’s', () => {
  const cases: [string, string][] = [
    ['seed must be an integer', 'seed must be an integer'],
    ['the-long-id: the-long-key is wrong', '…: … is wrong'],
    ['ask api.upstream.example or proxy.example:8443', 'ask the upstream or the upstream'],
    ['what it is\n  at handler (x.go:1)', 'what it is'],
    ['the site cn is closed', 'the site cn is closed'],
    ['  \n', 'The upstream refused the request without saying why.'],
  ];
  for (const [given, told] of cases) {
    test(`"${given.trim()}" becomes "${told}"`, () => assert.equal(publicSentence(given, channel), told));
  }

  test('is cut where it grows long', () => {
    assert.equal(publicSentence('x'.repeat(9000), channel).length, 501);
  });

  test('is told whatever the credential is', () => {
    for (const credential of [null, 'a-bare-key', ['a-bare-key']]) {
      assert.equal(publicSentence('no', channelWith(credential)), 'no');
    }
  });
});
