import { testProvider } from '../kit/contract.ts';
import { videoRequest } from '../kit/request-sample.ts';
import { openKlingBench } from './test-bench.ts';

testProvider('kling', () => openKlingBench());

testProvider('kling, new standard', async () => ({
  ...(await openKlingBench()),
  request: (prompt) => videoRequest({ prompt, model: 'kling-3.0-turbo', requestedModel: 'kling-3.0-turbo' }),
}));
