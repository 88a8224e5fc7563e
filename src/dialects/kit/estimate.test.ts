import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Estimate } from '../../core/ports.ts';
import type { VideoRequest } from '../../core/request/types.ts';
import { createFakeGateway, testPrincipal } from './fake-gateway.ts';
import { estimateObject } from './estimate.ts';
import { looseVideo } from './video-request.ts';

async function estimateWith(request: Partial<VideoRequest>): Promise<Estimate> {
  const surface = {
    surface: 'openai.videos',
    model: 'kling-2.5',
    mode: null,
    operation: null,
    refusesInlineMedia: false,
    requiresAspectRatio: false,
    imagesMax: 3,
  };
  const gateway = createFakeGateway();
  const estimate = await gateway.createVideo(testPrincipal, looseVideo({}, surface), { dryRun: true });
  const resolved = { ...estimate.resolved, request: { ...estimate.resolved.request, ...request } };
  return { ...estimate, resolved };
}

describe('an estimate', () => {
  it('says what media are, never what is in them', async () => {
    const secret = 'iVBORw0KGgo'.repeat(100);
    const { canonical } = estimateObject(
      await estimateWith({
        firstFrame: { kind: 'inline', text: secret, source: 'image' },
        lastFrame: {
          kind: 'upload',
          bytes: Buffer.from(secret),
          filename: 'a.png',
          source: 'input_reference',
        },
        references: [{ kind: 'url', url: 'https://a.test/a.png', source: 'images[0]' }],
      }),
    );
    assert.ok(!JSON.stringify(canonical).includes('iVBOR'));
    assert.deepEqual(canonical.first_frame, { kind: 'inline', characters: 1100, source: 'image' });
    assert.deepEqual(canonical.references, [
      { kind: 'url', url: 'https://a.test/a.png', source: 'images[0]' },
    ]);
  });

  it('holds no bigint, so that it can always be written', async () => {
    const extensions = { element_list: [{ element_id: 829836802793406551n }] };
    const { canonical } = estimateObject(await estimateWith({ extensions }));
    assert.deepEqual(canonical.extensions, { element_list: [{ element_id: '829836802793406551' }] });
  });

  it('says the most that may be charged only where that is not known beforehand', async () => {
    const estimate = await estimateWith({});
    assert.equal(estimateObject(estimate).quantity_max, undefined);
    const quote = { ...estimate.quote, quantityMax: 30 };
    assert.equal(estimateObject({ ...estimate, quote }).quantity_max, 30);
  });
});
