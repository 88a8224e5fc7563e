/** Secrets in the answer to a request with an Idempotency-Key: kept sealed for as long as the key is remembered. */
import { GatewayError } from '../core/errors.ts';
import type { Json, RememberAnswer, RememberKey, UsedKey } from '../core/ports.ts';
import { parseJson, writeJson } from '../lib/json.ts';
import { seal, SealError, unseal } from '../lib/seal.ts';
import type { FlowContext } from './context.ts';

type Keys = Pick<FlowContext, 'keyring'>;

/** Where an answer is sealed to: it opens for its own key only. */
function answerContext({ scope, key }: { scope: string; key: string }): string {
  return `answer:${scope}:${key}`;
}

/** What is committed with the effect, so that a repeat is shown the same. */
export function sealAnswer<Answer extends object>(
  { keyring }: Keys,
  remember: RememberKey,
  answer: Answer,
): RememberAnswer {
  const [key] = keyring;
  if (key === undefined) throw new Error('the keyring is empty');
  return { ...remember, response: { sealed: seal(key, writeJson(answer as Json), answerContext(remember)) } };
}

/** Opens what {@link sealAnswer} kept; refuses with `conflict` once the key that sealed it is retired. */
export function openAnswer<Answer>({ keyring }: Keys, scope: string, key: string, used: UsedKey): Answer {
  const { sealed } = used.response as { sealed: string };
  try {
    return parseJson(unseal(keyring, sealed, answerContext({ scope, key }))) as Answer;
  } catch (error) {
    if (!(error instanceof SealError)) throw error;
    throw new GatewayError(
      'conflict',
      'This request was carried out; its answer cannot be shown again, because the key it was sealed with was retired since.',
      { param: 'Idempotency-Key', cause: error },
    );
  }
}
