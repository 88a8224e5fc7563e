import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { UpstreamErrorKind } from '../../core/errors.ts';
import type { Channel } from '../../core/ports.ts';
import { klingError, publicSentence, saysContentPolicy, saysGone } from './errors.ts';
import { isKnownCode } from './simulator-errors.ts';

const channel = {
  baseUrl: 'https://relay.example:8443/kling',
  credential: { access_key: 'access-key-1', secret_key: 'secret-key-1' },
} as unknown as Channel;

const refused = (code: number, message = 'words', status = 400) =>
  klingError({ status, code, message, retryAfter: undefined }, channel);

/** The table of the official documentation, as the gateway must treat it. */
const kinds: Record<UpstreamErrorKind, number[]> = {
  channel: [1000, 1001, 1002, 1003, 1004, 1100, 1101, 1102, 1103, 1304],
  rejected: [1200, 1201, 1202, 1203],
  content_policy: [1300, 1301],
  busy: [1302, 1303],
  unavailable: [5001],
  ambiguous: [5000, 5002],
  duplicate: [],
};

describe('the upstream’s codes', () => {
  for (const [kind, codes] of Object.entries(kinds)) {
    for (const code of codes) {
      test(`${code} is ${kind}`, () => {
        assert.ok(isKnownCode(code), 'the simulator speaks it');
        const error = refused(code);
        assert.equal(error.kind, kind);
        assert.equal(error.upstreamCode, String(code));
      });
    }
  }

  test('a used external id is a duplicate, another refusal of the same code is not', () => {
    assert.equal(refused(1201, "external_task_id: 'task_1' already exists").kind, 'duplicate');
    assert.equal(refused(1201, 'external_task_id is duplicated').kind, 'duplicate');
    assert.equal(refused(1201, 'external_task_id 重复').kind, 'duplicate');
    assert.equal(refused(1201, 'external_task_id: must be a string').kind, 'rejected');
    assert.equal(refused(1201, 'duration: value 7 is invalid').kind, 'rejected');
  });

  test('an unknown code follows its status', () => {
    assert.equal(refused(1999, '', 400).kind, 'rejected');
    assert.equal(refused(1999, '', 401).kind, 'channel');
    assert.equal(refused(1999, '', 429).kind, 'busy');
    assert.equal(refused(9999, '', 500).kind, 'ambiguous');
  });

  test('busy says when to come back', () => {
    const after = (retryAfter: string | undefined) =>
      klingError({ status: 429, code: 1302, message: '', retryAfter }, channel).retryAfterMs;
    assert.equal(after(undefined), 1000);
    assert.equal(after('7'), 7000);
    assert.equal(after('86400'), 60_000);
    assert.equal(after('Fri, 20 Nov 2026 10:00:00 GMT'), 1000);
  });

  test('a sentence for the caller holds no host, no credential, no stack', () => {
    const sentence = publicSentence(
      'secret-key-1 refused by relay.example:8443 and api-singapore.klingai.com\n    at Object.<anonymous>',
      channel,
    );
    assert.equal(sentence, '… refused by the upstream and the upstream');
    assert.match(publicSentence('', channel), /without saying why/);
    assert.ok(publicSentence('x'.repeat(9000), channel).length < 600);
  });

  test('the content filter is known by its words', () => {
    assert.ok(saysContentPolicy('Failure to pass the risk control system'));
    assert.ok(saysContentPolicy('内容违规'));
    assert.ok(!saysContentPolicy('Failed to download the reference https://example.com/a.png'));
    assert.ok(!saysContentPolicy(''));
  });
});

describe('the end of a resource', () => {
  test('is reached when it is not known, or deleted already', () => {
    assert.equal(saysGone(refused(1203)), true);
    assert.equal(saysGone(refused(1201, 'Element already be deleted for id: 321922438904313')), true);
    assert.equal(saysGone(refused(1201, 'element_id: must be a string')), false);
    assert.equal(saysGone(refused(5000)), false);
  });
});
