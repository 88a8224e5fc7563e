/**
 * The contract suite: what every provider promises the flows, run against its own simulator over HTTP. A
 * provider's test opens a bench and calls {@link testProvider}; what is particular to it, it tests beside.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { UpstreamError } from '../../core/errors.ts';
import type { UpstreamErrorKind } from '../../core/errors.ts';
import type { Channel, Exchange, Json, Provider } from '../../core/ports.ts';
import type { VideoRequest } from '../../core/request/types.ts';
import type { TestClock } from '../../lib/clock.ts';
import { createUpstreamHttp, createUpstreamPools } from './upstream-http.ts';
import type { UpstreamPools } from './upstream-http.ts';

/** A sandbox of one's own, and what the suite must know of the upstream it plays. */
export interface ProviderBench {
  provider: Provider;
  baseUrl: string;
  /** Moves both the sandbox and the provider. */
  clock: TestClock;
  /** Something the provider can make, with this prompt. */
  request(prompt: string): VideoRequest;
  /** Well formed, and unknown to the simulator. */
  wrongCredential: Json;
  /** Prompts that script the simulator. */
  prompts: { rejectContent: string; failContent: string; fail: string };
  /** Sends a change to the sandbox's control API. */
  behave(change: Record<string, Json>): Promise<void>;
  /** Back to honest behaviour. */
  behaveWell(): Promise<void>;
  /** How often tasks with this handle were accepted. */
  submits(handle: string): Promise<number>;
  close(): Promise<void>;
}

/** Long enough for any task of a bench to end; sandbox time is the clock's. */
const longEnoughMs = 120_000;

/** A channel of the bench, as the flows would open it. Exchanges are pushed to `exchanges`. */
export function openBenchChannel(
  bench: ProviderBench,
  pools: UpstreamPools,
  options: {
    exchanges?: Exchange[];
    credential?: Json;
    baseUrl?: string;
    callbackUrl?: string;
    media?: Buffer;
  } = {},
): Channel {
  return {
    id: 'channel_test',
    provider: bench.provider.id,
    baseUrl: options.baseUrl ?? bench.baseUrl,
    credential: options.credential ?? bench.provider.sandboxCredential,
    allowsComplianceSwitches: false,
    http: createUpstreamHttp({
      pools,
      clock: bench.clock,
      onExchange: (exchange) => options.exchanges?.push(exchange),
    }),
    clock: bench.clock,
    readMedia: async () => ({ bytes: options.media ?? Buffer.alloc(0), contentType: 'image/png' }),
    callbackUrl: () => options.callbackUrl ?? null,
  };
}

/** A signal for calls that will not be aborted. */
export const neverAborts = new AbortController().signal;

/** Registers the suite; `open` starts a fresh bench for it. */
export function testProvider(name: string, open: () => Promise<ProviderBench>): void {
  describe(`provider contract: ${name}`, () => {
    let bench: ProviderBench;
    let pools: UpstreamPools;
    let handles = 0;
    const newHandle = () => `task_contract${String(++handles).padStart(24, '0')}`;
    const maker = () => bench.provider.video!;
    const channel = (options: Parameters<typeof openBenchChannel>[2] = {}) =>
      openBenchChannel(bench, pools, options);

    before(async () => {
      bench = await open();
      pools = createUpstreamPools();
    });
    after(async () => {
      await pools.close();
      await bench.close();
    });

    const submit = (prompt: string, handle = newHandle()) =>
      maker().submit(bench.request(prompt), handle, channel(), neverAborts);
    const refusedWith = async (kind: UpstreamErrorKind, work: Promise<unknown>) => {
      const error = await work.then(
        () => assert.fail(`expected an UpstreamError of kind ${kind}`),
        (reason: unknown) => reason,
      );
      assert.ok(error instanceof UpstreamError, String(error));
      assert.equal(error.kind, kind, error.publicMessage);
      assert.ok(error.publicMessage.length > 0);
      return error;
    };

    test('a task goes from submitted to succeeded and names its outputs', async () => {
      const { ref } = await submit('a cat playing with yarn');
      assert.deepEqual(await maker().poll(ref, channel(), neverAborts), { status: 'submitted' });
      await bench.clock.advance(3000);
      assert.deepEqual(await maker().poll(ref, channel(), neverAborts), { status: 'processing' });
      await bench.clock.advance(longEnoughMs);
      const done = await maker().poll(ref, channel(), neverAborts);
      assert.equal(done.status, 'succeeded');
      assert.ok(done.status === 'succeeded');
      const video = done.outputs.find(({ role }) => role === 'video');
      assert.match(video?.url ?? '', /^https?:\/\//);
      assert.ok((video?.durationSeconds ?? 0) > 0);
      assert.match(done.cost?.amount ?? '', /^\d+(\.\d+)?$/);
    });

    test('a ref survives being stored as JSON', async () => {
      const { ref } = await submit('stored and read again');
      const read = JSON.parse(JSON.stringify(ref)) as Json;
      assert.deepEqual(await maker().poll(read, channel(), neverAborts), { status: 'submitted' });
    });

    test('a task that failed says so, in words fit for the caller', async () => {
      const { ref } = await submit(bench.prompts.fail);
      await bench.clock.advance(longEnoughMs);
      const failed = await maker().poll(ref, channel(), neverAborts);
      assert.ok(failed.status === 'failed', failed.status);
      assert.equal(failed.code, 'task_failed');
      assert.ok(failed.message.length > 0);
    });

    test('content that is refused is told apart, at submit and afterwards', async () => {
      await refusedWith('content_policy', submit(bench.prompts.rejectContent));
      const { ref } = await submit(bench.prompts.failContent);
      await bench.clock.advance(longEnoughMs);
      const failed = await maker().poll(ref, channel(), neverAborts);
      assert.ok(failed.status === 'failed', failed.status);
      assert.equal(failed.code, 'content_policy');
    });

    test('a refused credential is the channel’s trouble', async () => {
      const wrong = channel({ credential: bench.wrongCredential });
      const request = bench.request('never made');
      await refusedWith('channel', maker().submit(request, newHandle(), wrong, neverAborts));
    });

    test('an upstream without a free slot is busy', async () => {
      await bench.behave({ slots: 0 });
      const handle = newHandle();
      await refusedWith('busy', submit('no slot', handle));
      await bench.behaveWell();
      assert.equal(await maker().lookup?.(bench.request('no slot'), handle, channel(), neverAborts), null);
    });

    test('maintenance is unavailable, and so is a closed port', async () => {
      await bench.behave({ outage: 'maintenance' });
      await refusedWith('unavailable', submit('in maintenance'));
      await bench.behaveWell();
      const closed = channel({ baseUrl: await closedPort() });
      const work = maker().submit(bench.request('nobody there'), newHandle(), closed, neverAborts);
      await refusedWith('unavailable', work);
    });

    test('a time that ran out before the first byte is no doubt', async () => {
      const handle = newHandle();
      const work = maker().submit(bench.request('too late'), handle, channel(), AbortSignal.abort());
      await refusedWith('unavailable', work);
      assert.equal(await bench.submits(handle), 0);
    });

    test('a connection cut after acceptance is ambiguous, and the look-up finds the task', async () => {
      const handle = newHandle();
      await bench.behave({ reset_rate: 1, reset_when: 'after', applies_to: 'create' });
      await refusedWith('ambiguous', submit('cut off', handle));
      await bench.behaveWell();
      const found = await maker().lookup?.(bench.request('cut off'), handle, channel(), neverAborts);
      assert.ok(found);
      assert.deepEqual(await maker().poll(found.ref, channel(), neverAborts), { status: 'submitted' });
      assert.equal(await bench.submits(handle), 1);
    });

    test('a connection cut before acceptance is ambiguous, and the look-up finds nothing', async () => {
      const handle = newHandle();
      await bench.behave({ reset_rate: 1, reset_when: 'before', applies_to: 'create' });
      await refusedWith('ambiguous', submit('never arrived', handle));
      await bench.behaveWell();
      const found = await maker().lookup?.(bench.request('never arrived'), handle, channel(), neverAborts);
      assert.equal(found, null);
      assert.equal(await bench.submits(handle), 0);
    });

    test('a look-up that breaks is an error, never "nothing"', async () => {
      await bench.behave({ outage: 'reset' });
      const work = maker().lookup!(bench.request('unknown'), newHandle(), channel(), neverAborts);
      await refusedWith('ambiguous', work);
      await bench.behaveWell();
    });

    test('a handle that is known already is a duplicate, and makes no second task', async () => {
      const handle = newHandle();
      await submit('once', handle);
      await refusedWith('duplicate', submit('once', handle));
      assert.equal(await bench.submits(handle), 1);
    });

    test('what the upstream does not know is unknown', async () => {
      const { ref } = await submit('to be forgotten');
      await bench.clock.advance(31 * 86_400_000);
      assert.deepEqual(await maker().poll(ref, channel(), neverAborts), { status: 'unknown' });
    });

    test('many polls at once tell the same as single ones', async () => {
      if (!maker().pollMany) return;
      const refs = [];
      for (const prompt of ['one', 'two', bench.prompts.fail]) refs.push((await submit(prompt)).ref);
      await bench.clock.advance(longEnoughMs);
      refs.push((await submit('four')).ref);
      const single = await Promise.all(refs.map((ref) => maker().poll(ref, channel(), neverAborts)));
      assert.deepEqual(await maker().pollMany!(refs, channel(), neverAborts), single);
      assert.deepEqual(
        single.map(({ status }) => status),
        ['succeeded', 'succeeded', 'failed', 'submitted'],
      );
    });

    test('a probe tells whether the credential works', async () => {
      assert.equal((await bench.provider.probe(channel(), neverAborts)).ok, true);
      const refused = await bench.provider.probe(channel({ credential: bench.wrongCredential }), neverAborts);
      assert.equal(refused.ok, false);
      assert.match(refused.message, /credential/i);
      const absent = await bench.provider.probe(channel({ baseUrl: await closedPort() }), neverAborts);
      assert.equal(absent.ok, false);
    });

    test('nothing secret is kept in exchanges or told in errors', async () => {
      const exchanges: Exchange[] = [];
      const secrets = [bench.wrongCredential, bench.provider.sandboxCredential].flatMap(stringsOf);
      const told: string[] = [];
      for (const credential of [bench.provider.sandboxCredential, bench.wrongCredential]) {
        const watched = channel({ exchanges, credential });
        const work = maker().submit(bench.request('watched'), newHandle(), watched, neverAborts);
        await work.catch((error: UpstreamError) => told.push(error.publicMessage));
        told.push((await bench.provider.probe(watched, neverAborts)).message);
      }
      const kept = JSON.stringify(exchanges);
      assert.ok(exchanges.length >= 4);
      for (const secret of secrets) assert.ok(!kept.includes(secret), 'a credential in the exchanges');
      assert.doesNotMatch(kept, /bearer|authorization"|eyJ/i);
      const host = new URL(bench.baseUrl).host;
      for (const text of told) {
        for (const secret of [...secrets, host]) assert.ok(!text.includes(secret), text);
      }
      assert.ok(exchanges.every(({ path }) => path.startsWith('/')));
    });

    test('what it can make is not missing', () => {
      assert.equal(maker().missing(bench.request('anything')), null);
    });
  });
}

function stringsOf(value: Json): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsOf) : [];
}

/** The address of a port that was free a moment ago. */
async function closedPort(): Promise<string> {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(address && typeof address === 'object');
  return `http://127.0.0.1:${address.port}`;
}
