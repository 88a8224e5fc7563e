/**
 * The contract suite over features: what a provider's `feature` maker promises the flows, run against its simulator
 * over HTTP for every feature it has. What is particular to a provider, it tests beside.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { UpstreamError } from '../../../core/errors.ts';
import type { Json, Observation, TaskMaker, UpstreamOutput } from '../../../core/ports.ts';
import type { FeatureRequest } from '../../../core/request/feature.ts';
import { neverAborts, openBenchChannel } from '../contract.ts';
import type { ProviderBench } from '../contract.ts';
import { createUpstreamPools } from '../upstream-http.ts';
import type { UpstreamPools } from '../upstream-http.ts';

/** One feature that can be made, and what comes out of it. */
export interface FeatureCase {
  request: FeatureRequest;
  /** Roles of the outputs in their order. */
  roles: string[];
  /** Kinds of the resources that come into being. */
  resources: string[];
}

export interface FeatureBench extends ProviderBench {
  /** A request for the feature, and first whatever it builds upon. */
  openCase(operation: string): Promise<FeatureCase>;
}

const longEnoughMs = 300_000;
const typeOfRole: Record<string, RegExp> = {
  video: /^video\//,
  watermarked: /^(video|image)\//,
  image: /^image\//,
  audio: /^audio\//,
  audio_wav: /^audio\/wav/,
};

type Succeeded = Extract<Observation, { status: 'succeeded' }>;

/** Registers the suite for these operations; `open` starts a fresh bench for it. */
export function testFeatures(name: string, open: () => Promise<FeatureBench>, operations: string[]): void {
  describe(`feature contract: ${name}`, () => {
    let bench: FeatureBench;
    let pools: UpstreamPools;
    let handles = 0;
    const newHandle = () => `task_feature${String(++handles).padStart(25, '0')}`;
    const maker = (): TaskMaker<FeatureRequest> => bench.provider.feature!;
    const channel = () => openBenchChannel(bench, pools);

    before(async () => {
      bench = await open();
      pools = createUpstreamPools();
    });
    after(async () => {
      await pools.close();
      await bench.close();
    });

    const make = async (request: FeatureRequest): Promise<Succeeded> => {
      const answer = await maker().submit(request, newHandle(), channel(), neverAborts);
      assert.equal(answer.observation !== undefined, request.immediate, 'an immediate feature is answered');
      if (!request.immediate) await bench.clock.advance(longEnoughMs);
      const observation =
        answer.observation ??
        (await maker().poll(JSON.parse(JSON.stringify(answer.ref)) as Json, channel(), neverAborts));
      assert.ok(observation.status === 'succeeded', text(observation as unknown as Json));
      return observation;
    };

    for (const operation of operations) {
      test(`${operation}: is made, with the files and the data it promises`, async () => {
        const { request, roles, resources } = await bench.openCase(operation);
        assert.equal(maker().missing(request), null);
        const done = await make(request);
        assert.deepEqual(
          done.outputs.map(({ role }) => role),
          roles,
        );
        for (const output of done.outputs) await assertFile(output);
        assertIndexed(done.outputs);
        assert.doesNotMatch(text(done.data), /https?:/, 'a link of the upstream’s in the data');
        for (const { path } of done.outputs) {
          if (path !== undefined) assert.equal(at(done.data, path), null, `${path} waits for our link`);
        }
        const made = done.resources ?? [];
        assert.deepEqual(
          made.map(({ kind }) => kind),
          resources,
        );
        for (const { paths, upstreamId } of made) {
          assert.ok(paths.length > 0);
          for (const path of paths) assert.equal(String(at(done.data, path)), upstreamId, path);
        }
      });

      test(`${operation}: a create that was cut off is found again, or leaves nothing`, async () => {
        const { request } = await bench.openCase(operation);
        const handle = newHandle();
        await bench.behave({ reset_rate: 1, reset_when: 'after', applies_to: 'create' });
        const error = await maker()
          .submit(request, handle, channel(), neverAborts)
          .then(
            () => assert.fail('nothing was cut'),
            (reason: unknown) => reason,
          );
        assert.ok(error instanceof UpstreamError && error.kind === 'ambiguous', String(error));
        await bench.behaveWell();
        const found = await maker().lookup!(request, handle, channel(), neverAborts);
        if (request.immediate) return;
        assert.ok(found, 'the task was accepted and is not found');
        assert.equal(await bench.submits(handle), 1);
        const again = maker().submit(request, handle, channel(), neverAborts);
        await assert.rejects(again, { kind: 'duplicate' });
        assert.equal(await bench.submits(handle), 1);
      });
    }

    test('what was never sent is found nowhere', async () => {
      for (const operation of operations) {
        const { request } = await bench.openCase(operation);
        assert.equal(await maker().lookup!(request, newHandle(), channel(), neverAborts), null, operation);
      }
    });
  });
}

async function assertFile({ url, role }: UpstreamOutput): Promise<void> {
  const response = await fetch(url);
  assert.equal(response.status, 200, url);
  assert.match(response.headers.get('content-type') ?? '', typeOfRole[role]!, url);
  assert.ok((await response.arrayBuffer()).byteLength > 0);
}

/** Outputs of one role count up from the first, which needs no number. */
function assertIndexed(outputs: UpstreamOutput[]): void {
  const counts = new Map<string, number>();
  for (const { role, index = 0 } of outputs) {
    assert.equal(index, counts.get(role) ?? 0, role);
    counts.set(role, index + 1);
  }
}

function text(data: Json | undefined): string {
  return JSON.stringify(data ?? null, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
}

function at(data: Json | undefined, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (place, step) =>
        typeof place === 'object' && place !== null ? (place as Record<string, unknown>)[step] : undefined,
      data,
    );
}
