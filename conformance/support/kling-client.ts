/**
 * The `kling-api` package, unmodified, in a process of its own: it takes only https addresses, and trust in the test
 * certificate (NODE_EXTRA_CA_CERTS) is read when a process starts. Requests come in as messages, answers go out.
 */
import { KlingAPI, KlingAPIError } from 'kling-api';

export interface KlingCall {
  id: number;
  accessKey: string;
  secretKey: string;
  baseUrl: string;
  method: string;
  parameters: unknown[];
}

export interface KlingAnswer {
  id: number;
  result?: unknown;
  error?: { name: string; message: string; code?: number; httpStatus?: number; requestId?: string };
}

const polling = { interval: 100, timeout: 60_000, showSpinner: false };

async function answer(message: KlingCall): Promise<unknown> {
  const { accessKey, secretKey, baseUrl, method, parameters } = message;
  const client = new KlingAPI({ accessKey, secretKey, baseUrl });
  const [first] = parameters as [string];
  switch (method) {
    case 'waitForTextToVideo':
      return client.waitForVideoResult(first, undefined, polling);
    case 'waitForImageToVideo':
      return client.waitForVideoResult(first, (id) => client.queryImageToVideoTask(id), polling);
    case 'waitForOmniVideo':
      return client.waitForVideoResult(first, (id) => client.queryOmniVideoTask(id), polling);
    default: {
      const call = client[method as 'textToVideo'] as (...rest: unknown[]) => Promise<unknown>;
      return call.apply(client, parameters);
    }
  }
}

process.on('message', (message: KlingCall) => {
  answer(message).then(
    (result) => process.send!({ id: message.id, result } satisfies KlingAnswer),
    (error: unknown) => {
      const { name, message: text } = error as Error;
      const details =
        error instanceof KlingAPIError
          ? { code: error.code, httpStatus: error.httpStatus, requestId: error.requestId }
          : {};
      process.send!({ id: message.id, error: { name, message: text, ...details } });
    },
  );
});
process.send!({ id: 0 } satisfies KlingAnswer);
