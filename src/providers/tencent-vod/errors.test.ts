import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { UpstreamErrorKind } from '../../core/errors.ts';
import { failureOf, foreignAnswer, publicSentence, saysUnknownTask, vodError } from './errors.ts';
import { fakeUpstream } from './fake-upstream.ts';

const { channel } = fakeUpstream(() => ({ body: '' }));
const kindOf = (code: string) => vodError({ code, message: 'in their words' }, channel).kind;

describe('codes of the upstream', () => {
  const rows: [UpstreamErrorKind, string[]][] = [
    [
      'channel',
      [
        'AuthFailure.SignatureFailure',
        'AuthFailure.SignatureExpire',
        'AuthFailure.SecretIdNotFound',
        'UnauthorizedOperation',
        'UnauthorizedOperation.CamNoAuth',
        'FailedOperation.InvalidVodUser',
        'FailedOperation.NoPrivileges',
        'FailedOperation.InvalidAccount',
        'InvalidParameterValue.SubAppId',
        'LimitExceeded',
        'InvalidAction',
      ],
    ],
    ['busy', ['RequestLimitExceeded', 'RequestLimitExceeded.UinLimitExceeded']],
    ['unavailable', ['FailedOperation', 'ResourceInsufficient', 'ServiceUnavailable']],
    ['ambiguous', ['InternalError', 'InternalError.DBError', 'NeverSeenBefore', '']],
    ['duplicate', ['InvalidParameterValue.SessionId']],
    ['content_policy', ['InvalidParameter.VoilationContent', 'ContentModerationFailed']],
    [
      'rejected',
      [
        'InvalidParameterValue',
        'InvalidParameterValue.SessionIdTooLong',
        'InvalidParameter.MediaFormat',
        'MissingParameter',
        'UnknownParameter',
        'RequestSizeLimitExceeded',
        'ResourceNotFound',
      ],
    ],
  ];
  for (const [kind, codes] of rows) {
    test(`${kind}: ${codes.join(', ')}`, () => {
      for (const code of codes) assert.equal(kindOf(code), kind, code);
    });
  }

  test('names of Object’s own are no codes', () => {
    for (const code of ['constructor', '__proto__', 'toString.x']) assert.equal(kindOf(code), 'ambiguous');
  });

  test('what is wrong with the request is told in their words, the rest in ours', () => {
    const rejected = vodError({ code: 'InvalidParameterValue', message: 'Duration is wrong' }, channel);
    assert.equal(rejected.publicMessage, 'Duration is wrong');
    const busy = vodError({ code: 'RequestLimitExceeded', message: 'account 42 is over' }, channel);
    assert.doesNotMatch(busy.publicMessage, /42/);
    assert.equal(busy.upstreamCode, 'RequestLimitExceeded');
  });

  test('a task that is not known is told apart', () => {
    const error = (code: string) => vodError({ code, message: '' }, channel);
    assert.equal(saysUnknownTask(error('ResourceNotFound')), true);
    assert.equal(saysUnknownTask(error('InvalidParameterValue.TaskId')), true);
    assert.equal(saysUnknownTask(error('InvalidParameterValue')), false);
    assert.equal(saysUnknownTask(error('ResourceNotFoundation')), false);
  });

  test('what is no answer of VOD is a proxy or a wrong address', () => {
    assert.equal(foreignAnswer(404).kind, 'channel');
    assert.equal(foreignAnswer(429).kind, 'busy');
    assert.equal(foreignAnswer(413).kind, 'rejected');
    assert.equal(foreignAnswer(502).kind, 'ambiguous');
    assert.equal(foreignAnswer(200).kind, 'ambiguous');
  });
});

describe('failures of finished tasks', () => {
  const failure = (errorName: string | null, errorCode = 1) =>
    failureOf({ errorCode, errorName, message: 'in their words' }, channel);

  test('are ours by name', () => {
    assert.deepEqual(failure('InvalidParameter.VoilationContent'), {
      code: 'content_policy',
      message: 'in their words',
      upstreamCode: 'InvalidParameter.VoilationContent',
    });
    assert.equal(failure('ModelGenerateFailed').message, 'in their words');
    assert.equal(failure('OperationCanceled').code, 'cancelled');
    assert.equal(failure('InternalError').message, 'The upstream had an internal error.');
  });

  test('70000 without a name is over the number of running tasks', () => {
    assert.equal(failure(null, 70_000).upstreamCode, 'RequestLimitExceeded');
    // Nothing was begun, so it may be tried again; of anything else that is not certain.
    assert.equal(failure(null, 70_000).isRetryable, true);
    assert.equal(failure('InternalError').isRetryable, undefined);
    assert.equal(failure(null, 40_000).upstreamCode, '40000');
  });
});

test('sentences carry neither host, credential nor stack', () => {
  const message =
    'vod.example said AKID-of-the-test is key-of-the-test at vod.tencentcloudapi.com\n  at x.js';
  const sentence = publicSentence(message, channel);
  assert.doesNotMatch(sentence, /vod\.example|of-the-test|tencentcloudapi|x\.js/);
  assert.ok(publicSentence('x'.repeat(2000), channel).length < 600);
  assert.match(publicSentence('', channel), /without saying why/);
});
