/** The official error table as the simulator answers it: HTTP status and words for each code. */
import { randomUUID } from 'node:crypto';
import { writeJson } from '../../lib/json.ts';
import type { SimulatorAnswer } from '../kit/simulator.ts';

const table: Record<number, [status: number, message: string]> = {
  1000: [401, 'authentication failed'],
  1001: [401, 'authorization is empty'],
  1002: [401, 'authorization is invalid'],
  1003: [401, 'authorization is not yet valid'],
  1004: [401, 'authorization has expired'],
  1100: [429, 'account exception'],
  1101: [429, 'account in arrears'],
  1102: [429, 'resource pack depleted or expired'],
  1103: [403, 'no permission for this resource'],
  1200: [400, 'invalid request parameters'],
  1201: [400, 'invalid parameter'],
  1202: [404, 'the requested method is invalid'],
  1203: [404, 'the requested resource does not exist'],
  1300: [400, 'the request triggers a policy of the platform'],
  1301: [400, 'the request triggers the content safety policy of the platform'],
  1302: [429, 'the request is too fast'],
  // The one message the official documentation quotes.
  1303: [429, 'parallel task over resource pack limit'],
  1304: [429, 'the request triggers the IP allow-list policy'],
  5000: [500, 'internal error'],
  5001: [503, 'the server is under maintenance'],
  5002: [504, 'internal timeout'],
};

/** Ends the handling of a request with this code. */
export class Refusal extends Error {
  readonly code: number;

  constructor(code: number, message?: string) {
    super(message ?? table[code]?.[1] ?? 'unknown');
    this.name = 'Refusal';
    this.code = code;
  }
}

export function isKnownCode(code: number): boolean {
  return code in table;
}

export function answerRefusal(refusal: Refusal): SimulatorAnswer {
  const status = table[refusal.code]?.[0] ?? 500;
  return answer(status, { code: refusal.code, message: refusal.message, request_id: randomUUID() });
}

/** Without data where the platform answers none. */
export function answerData(data: unknown): SimulatorAnswer {
  return answer(200, { code: 0, message: 'SUCCEED', request_id: randomUUID(), data });
}

function answer(status: number, body: object): SimulatorAnswer {
  return { status, headers: { 'content-type': 'application/json' }, body: writeJson(body) };
}
