/** Refusals as Tencent Cloud answers them: HTTP 200 whatever happened, and a code in words. */
import { randomUUID } from 'node:crypto';
import { writeJson } from '../../lib/json.ts';
import type { SimulatorAnswer } from '../kit/simulator.ts';

/** Messages where none is given; also the list of what a prompt switch may name. */
const table: Record<string, string> = {
  'AuthFailure.InvalidAuthorization': 'The Authorization in the request header is not valid.',
  'AuthFailure.SecretIdNotFound': 'The SecretId is not found, please ensure that your SecretId is correct.',
  'AuthFailure.SignatureExpire': 'The provided credentials have expired: the signature is out of time.',
  'AuthFailure.SignatureFailure': 'The provided credentials could not be validated: the signature is wrong.',
  'AuthFailure.TokenFailure': 'The provided token could not be validated.',
  'AuthFailure.UnauthorizedOperation': 'You are not authorized to perform this operation.',
  ContentModerationFailed: 'The content did not pass moderation.',
  FailedOperation: 'The model has too many tasks waiting.',
  'FailedOperation.InvalidAccount': 'The account is invalid.',
  'FailedOperation.InvalidVodUser': 'The account has not enabled VOD.',
  'FailedOperation.NoPrivileges': 'The account has no privilege for this operation.',
  InternalError: 'Internal error.',
  InvalidAction: 'The requested action is not found.',
  InvalidParameter: 'A parameter is invalid.',
  'InvalidParameter.MediaFormat': 'The format of a media file is invalid.',
  // Their spelling.
  'InvalidParameter.VoilationContent': 'The prompt violates the content safety policy.',
  InvalidParameterValue: 'The value of a parameter is invalid.',
  'InvalidParameterValue.SessionContextTooLong': 'SessionContext is too long.',
  'InvalidParameterValue.SessionId':
    'The deduplication ID already exists. The request is removed due to duplication.',
  'InvalidParameterValue.SessionIdTooLong': 'SessionId is too long.',
  'InvalidParameterValue.SubAppId': 'SubAppId: there is no such application.',
  IpNotInWhitelist: 'The address of the request is not in the allow-list.',
  LimitExceeded: 'The quota is exceeded.',
  MissingParameter: 'A parameter is missing.',
  ModelGenerateFailed: 'The model failed to generate the output.',
  NoSuchVersion: 'The requested version is not found.',
  OperationCanceled: 'The task was cancelled.',
  RequestLimitExceeded: 'The number of running tasks exceeds the limit of the account.',
  RequestSizeLimitExceeded: 'The request is larger than 10 MB.',
  ResourceInsufficient: 'Resources are insufficient.',
  ResourceNotFound: 'The resource is not found.',
  ServiceUnavailable: 'The service is temporarily unavailable.',
  TaskTimeout: 'The task timed out.',
  UnauthorizedOperation: 'The operation is not authorized.',
  UnknownParameter: 'A parameter is not recognized.',
  UnsupportedOperation: 'The operation is not supported.',
  UnsupportedProtocol: 'The protocol is not supported: only POST is.',
};

/**
 * The same condition in the official platform's numbers, so that one prompt switch means the same wherever a
 * request happens to be routed.
 */
const byKlingCode: Record<string, string> = {
  1000: 'AuthFailure.SignatureFailure',
  1001: 'AuthFailure.InvalidAuthorization',
  1002: 'AuthFailure.SecretIdNotFound',
  1003: 'AuthFailure.SignatureExpire',
  1004: 'AuthFailure.SignatureExpire',
  1100: 'FailedOperation.InvalidAccount',
  1101: 'FailedOperation.InvalidAccount',
  1102: 'LimitExceeded',
  1103: 'UnauthorizedOperation',
  1200: 'InvalidParameter',
  1201: 'InvalidParameterValue',
  1202: 'InvalidAction',
  1203: 'ResourceNotFound',
  1300: 'InvalidParameter.VoilationContent',
  1301: 'InvalidParameter.VoilationContent',
  1302: 'RequestLimitExceeded',
  1303: 'RequestLimitExceeded',
  1304: 'IpNotInWhitelist',
  5000: 'InternalError',
  5001: 'ServiceUnavailable',
  5002: 'InternalError',
};

/** A code of this API, given in its own words or as the official platform's number; null: neither. */
export function knownCode(name: string): string | null {
  const code = Object.hasOwn(byKlingCode, name) ? byKlingCode[name]! : name;
  return Object.hasOwn(table, code) ? code : null;
}

export function messageOf(code: string): string {
  return table[code] ?? 'Unknown error.';
}

/** Ends the handling of a request with this code. */
export class Refusal extends Error {
  readonly code: string;

  constructor(code: string, message: string = messageOf(code)) {
    super(message);
    this.name = 'Refusal';
    this.code = code;
  }
}

export function answerRefusal(refusal: Refusal): SimulatorAnswer {
  return answerResponse({ Error: { Code: refusal.code, Message: refusal.message } });
}

export function answerResponse(response: object): SimulatorAnswer {
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: writeJson({ Response: { ...response, RequestId: randomUUID() } }),
  };
}
