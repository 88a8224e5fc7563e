/** Tables of requests for the tests of features: one that is taken, and changes that are not. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GatewayError, type ErrorCode } from '../../../core/errors.ts';
import type { ResolvedFeature } from '../../../core/request/feature.ts';
import { resolveFeature } from './index.ts';

export type Fields = Record<string, unknown>;

export const picture = 'https://example.com/one.png';
export const otherPicture = 'https://example.com/two.png';
export const film = 'https://example.com/film.mp4';
export const sound = 'https://example.com/sound.mp3';
export const base64 = Buffer.from('some bytes that are long enough to be base64').toString('base64');

export function resolve(operation: string, fields: Fields, model: string | null = null): ResolvedFeature {
  const envelope = { externalTaskId: undefined, callbackUrl: undefined, maxCost: undefined };
  return resolveFeature({ surface: `kling.${operation}`, operation, model, fields, ...envelope });
}

/** A change to the good request, the code it is refused with, and the field that the refusal names. */
export type Refusal = readonly [change: Fields, code: ErrorCode, param: string, model?: string];

export const isMissing = 'missing_required_parameter';
export const isInvalid = 'invalid_value';
export const isUnsupported = 'unsupported_parameter';

/** Asserts that the good request resolves and every change is refused by name. */
export function table(operation: string, good: Fields, refusals: readonly Refusal[], model?: string): void {
  describe(operation, () => {
    test('takes a good request, as JSON and as a form, and ignores what it does not know', () => {
      const { request, quantity, tier } = resolve(operation, { ...good, unheard_of: { of: 1 } }, model);
      assert.ok(quantity > 0 && tier.startsWith('kling-'));
      assert.ok(!('unheard_of' in request.parameters));
      const form = resolve(operation, asForm(good), model);
      assert.deepEqual(form.request.parameters, request.parameters);
      assert.equal(form.quantity, quantity);
    });
    for (const [change, code, param, otherModel] of refusals) {
      test(`refuses ${JSON.stringify(change).slice(0, 80)} by naming ${param}`, () => {
        refused(operation, { ...good, ...change }, code, param, otherModel ?? model);
      });
    }
  });
}

export function refused(
  operation: string,
  fields: Fields,
  code: ErrorCode,
  param: string,
  model?: string,
): string {
  try {
    resolve(operation, fields, model);
  } catch (error) {
    assert.ok(error instanceof GatewayError, String(error));
    assert.deepEqual([error.code, error.param], [code, param], error.message);
    assert.ok(error.publicMessage.startsWith(param) || error.publicMessage.includes(param), error.message);
    return error.publicMessage;
  }
  return assert.fail('not refused');
}

/** Forms have nothing but text. */
function asForm(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
}
