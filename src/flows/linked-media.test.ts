import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChannelRow, TaskMaker } from '../core/ports.ts';
import type { FeatureRequest, TaskRequest } from '../core/request/feature.ts';
import type { Media } from '../core/request/types.ts';
import type { FlowContext } from './context.ts';
import { asAskedOf } from './linked-media.ts';

const row = { id: 'chan_1' } as ChannelRow;
const reachable = { channels: { mediaUrl: (_row: ChannelRow, key: string) => `https://us.example/${key}` } };
const unreachable = { channels: { mediaUrl: () => null } };

/** Takes films by URL only, as Kling does. */
const byUrlOnly = {
  missing: (request: TaskRequest) =>
    (request as FeatureRequest).media.some((use) => use.role === 'film' && use.media.kind !== 'url')
      ? 'films are taken by URL only'
      : null,
} as unknown as TaskMaker<TaskRequest>;
const takesAll = { missing: () => null } as unknown as TaskMaker<TaskRequest>;

function asking(media: Media): FeatureRequest {
  const picture: Media = { kind: 'inline', text: 'aGk=', source: 'image' };
  return {
    kind: 'feature',
    media: [
      { path: 'video_url', role: 'film', media },
      { path: 'image', role: 'picture', media: picture },
    ],
  } as FeatureRequest;
}
const stored: Media = {
  kind: 'stored',
  key: 'files/acct_1/film.mp4',
  contentType: 'video/mp4',
  bytes: 9,
  width: null,
  height: null,
  source: 'video_url',
};
const asked = (ctx: object, maker: TaskMaker<TaskRequest>, media: Media) =>
  (asAskedOf(ctx as FlowContext, row, maker, asking(media)) as FeatureRequest).media.map((use) => use.media);

test('a kept film is named by a link of ours where the upstream takes URLs only; pictures stay as they are', () => {
  const [film, picture] = asked(reachable, byUrlOnly, stored);
  assert.deepEqual(film, {
    kind: 'url',
    url: 'https://us.example/files/acct_1/film.mp4',
    source: 'video_url',
  });
  assert.equal(picture?.kind, 'inline');
});

test('bytes are sent where the upstream takes them', () => {
  assert.equal(asked(reachable, takesAll, stored)[0]?.kind, 'stored');
});

test('an upstream that cannot reach us gets no link, and says itself what is missing', () => {
  assert.equal(asked(unreachable, byUrlOnly, stored)[0]?.kind, 'stored');
});

test('a film that is not kept yet counts as one that will have a link', () => {
  const upload: Media = { kind: 'upload', bytes: new Uint8Array(3), filename: null, source: 'video_url' };
  assert.equal(asked(reachable, byUrlOnly, upload)[0]?.kind, 'url');
  assert.equal(asked(unreachable, byUrlOnly, upload)[0]?.kind, 'upload');
});
