import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signatureFault, type SignedRequest } from './s3-signature.ts';

// Amazon S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload in a Single
// Chunk" and "Authenticating Requests: Using Query Parameters", examples.
const credentials = {
  accessKey: 'AKIAIOSFODNN7EXAMPLE',
  secretKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  region: 'us-east-1',
};
const now = Date.UTC(2013, 4, 24);
const nothing = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

function signed(
  method: string,
  target: string,
  signedHeaders: string,
  signature: string,
  headers: Record<string, string> = {},
): SignedRequest {
  return {
    method,
    target,
    headers: {
      host: 'examplebucket.s3.amazonaws.com',
      'x-amz-date': '20130524T000000Z',
      'x-amz-content-sha256': nothing,
      authorization:
        'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,' +
        `SignedHeaders=${signedHeaders},Signature=${signature}`,
      ...headers,
    },
  };
}

const examples: Record<string, SignedRequest> = {
  'get an object, with a range': signed(
    'GET',
    '/test.txt',
    'host;range;x-amz-content-sha256;x-amz-date',
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    { range: 'bytes=0-9' },
  ),
  'put an object': signed(
    'PUT',
    '/test%24file.text',
    'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
    '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
    {
      date: 'Fri, 24 May 2013 00:00:00 GMT',
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
    },
  ),
  'a subresource': signed(
    'GET',
    '/?lifecycle',
    'host;x-amz-content-sha256;x-amz-date',
    'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  ),
  'list objects': signed(
    'GET',
    '/?max-keys=2&prefix=J',
    'host;x-amz-content-sha256;x-amz-date',
    '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  ),
  'a presigned URL': {
    method: 'GET',
    target:
      '/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request' +
      '&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host' +
      '&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
    headers: { host: 'examplebucket.s3.amazonaws.com' },
  },
};

for (const [name, request] of Object.entries(examples)) {
  test(`the documentation's example holds: ${name}`, () => {
    assert.equal(signatureFault(request, credentials, now), null);
  });

  test(`and nothing of it can be changed: ${name}`, () => {
    const fault = (changed: Partial<SignedRequest>) =>
      signatureFault({ ...request, ...changed }, credentials, now);
    assert.notEqual(fault({ method: 'DELETE' }), null);
    assert.notEqual(fault({ target: request.target.replace('/', '/x') }), null);
    assert.notEqual(fault({ headers: { ...request.headers, host: 'other.example' } }), null);
    assert.notEqual(fault({ headers: { ...request.headers, 'x-amz-acl': 'public-read' } }), null);
    assert.notEqual(signatureFault(request, credentials, now + 2 * 86_400_000), null);
    assert.notEqual(signatureFault(request, { ...credentials, secretKey: 'another' }, now), null);
    assert.notEqual(signatureFault(request, { ...credentials, region: 'eu-west-1' }, now), null);
  });
}

test('a request without any signature is refused', () => {
  assert.equal(
    signatureFault({ method: 'GET', target: '/', headers: { host: 'x' } }, credentials, now),
    'AccessDenied',
  );
});
