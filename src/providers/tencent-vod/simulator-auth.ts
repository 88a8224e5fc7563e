/**
 * Who asks the simulator: TC3-HMAC-SHA256 over whichever headers the caller chose to sign. Written apart from the
 * provider's own signer on purpose, because it judges it.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { SimulatorRequest } from '../kit/simulator.ts';
import { Refusal } from './simulator-errors.ts';

/** The one account the sandbox knows. */
const account = 'sandbox';
const secretKeys: Record<string, string> = {
  'sandbox-access-key': 'sandbox-secret-key-0123456789abcdef',
};
/** Its one application. */
const subAppId = 1_500_000_001;

/** Signatures live for five minutes either way. */
const skewSecondsMax = 300;

const form =
  /^TC3-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{4}-\d\d-\d\d)\/([\w-]+)\/tc3_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/;

/** Answers the account's name; throws Refusal AuthFailure. */
export function authenticate(request: SimulatorRequest, nowMs: number): string {
  const { headers } = request;
  const match = form.exec(headers['authorization'] ?? '');
  if (!match) throw new Refusal('AuthFailure.InvalidAuthorization');
  const [, secretId = '', date = '', service = '', signedHeaders = '', signature = ''] = match;
  const secretKey = Object.hasOwn(secretKeys, secretId) ? secretKeys[secretId]! : null;
  if (secretKey === null) throw new Refusal('AuthFailure.SecretIdNotFound');
  const timestamp = headers['x-tc-timestamp'] ?? '';
  if (!/^\d{1,12}$/.test(timestamp)) {
    throw new Refusal('MissingParameter', 'The request is missing a required parameter `Timestamp`.');
  }
  if (Math.abs(nowMs / 1000 - Number(timestamp)) > skewSecondsMax) {
    throw new Refusal('AuthFailure.SignatureExpire');
  }
  const names = signedHeaders.split(';');
  const isComplete = ['content-type', 'host'].every((name) => names.includes(name));
  const isToday = date === new Date(Number(timestamp) * 1000).toISOString().slice(0, 10);
  // The official SDKs read the service off the host: on 127.0.0.1 they call it `127`.
  const isService = service === 'vod' || service === (headers['host'] ?? '').split('.', 1)[0];
  if (!isComplete || !isToday || !isService) throw new Refusal('AuthFailure.SignatureFailure');
  const scope = [date, service, 'tc3_request'];
  const given = Buffer.from(signature, 'hex');
  // The official Node SDK signs the host without its port; at the real upstream there is none.
  const hosts = new Set([headers['host'] ?? '', (headers['host'] ?? '').replace(/:\d+$/, '')]);
  for (const host of hosts) {
    const expected = sign({ ...request, headers: { ...headers, host } }, names, scope, timestamp, secretKey);
    if (timingSafeEqual(given, expected)) return account;
  }
  throw new Refusal('AuthFailure.SignatureFailure');
}

function sign(
  request: SimulatorRequest,
  names: string[],
  scope: string[],
  timestamp: string,
  secretKey: string,
): Buffer {
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');
  const canonical = [
    request.method,
    '/',
    '',
    ...names.map((name) => `${name}:${(request.headers[name] ?? '').trim().toLowerCase()}`),
    '',
    names.join(';'),
    hash(request.body),
  ].join('\n');
  const text = `TC3-HMAC-SHA256\n${timestamp}\n${scope.join('/')}\n${hash(canonical)}`;
  const key = scope.reduce<string | Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    `TC3${secretKey}`,
  );
  return createHmac('sha256', key).update(text).digest();
}

/** Every action names the application; accounts opened since 2023-12-25 have no default one. */
export function checkSubAppId(value: unknown): number {
  if (value === undefined || value === null) {
    throw new Refusal('MissingParameter', 'The request is missing a required parameter `SubAppId`.');
  }
  if (value !== subAppId) throw new Refusal('InvalidParameterValue.SubAppId');
  return subAppId;
}
