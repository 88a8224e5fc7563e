/** A process of its own that takes in many endless bodies at once, half of them slowly, and tells what memory it took. */
import { createGuardedHttp, TransferFailed } from './guarded-http.ts';

const url = process.argv[2]!;
const http = createGuardedHttp({ allow: ['127.0.0.1'], userAgent: 'test' });

async function take(bytesMax: number, isSlow: boolean): Promise<string> {
  try {
    await http.download({
      url,
      timeoutMs: 60_000,
      bytesMax,
      async to(body) {
        let chunks = 0;
        for await (const _ of body) {
          chunks++;
          if (isSlow && chunks % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
        }
      },
    });
    return 'done';
  } catch (error) {
    return error instanceof TransferFailed ? error.reason : String(error);
  }
}

// What the first connections need is not growth.
await take(8 * 2 ** 20, false);
const before = process.memoryUsage().rss;
const reasons = await Promise.all(
  Array.from({ length: 20 }, (_, index) => take(32 * 2 ** 20, index % 2 === 0)),
);
const grownBytes = process.resourceUsage().maxRSS * 1024 - before;
process.stdout.write(JSON.stringify({ reasons, grownBytes }));
await http.close();
