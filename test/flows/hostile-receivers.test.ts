/**
 * Receivers of webhooks and callbacks that mean harm: what they answer is read as far as it matters, never unpacked,
 * never followed, and a name that changes its mind about where it leads gains nothing.
 */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { post } from '../../src/flows/deliver.ts';
import { callbackSigner } from '../../src/flows/webhook-secrets.ts';
import { createGuardedHttp } from '../../src/lib/guarded-http.ts';
import { ACCOUNT_ID, story as storyOnBoth, type World } from './harness.ts';

/** What is refused here never comes near a database: one engine tells as much as two. */
const story = (tell: (world: World) => Promise<void>) => storyOnBoth(tell, { embeddedOnly: true });

type Answer = (response: ServerResponse) => void;

async function told(world: World, url: string, type: string, guarded = world.ctx.guarded) {
  const sender = await callbackSigner(world.ctx, ACCOUNT_ID);
  return post({ ...world.ctx, guarded }, { url, sender, id: 'msg_1', type, eventId: 'evt_1', body: '{}' });
}

const endless: Answer = (response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  const more = (): void => {
    while (!response.destroyed && response.write(' '.repeat(65_536)));
    if (!response.destroyed) response.once('drain', more);
  };
  more();
};

describe('a receiver', () => {
  const answers: [string, Answer][] = [
    ['whose answer never ends', endless],
    [
      'whose answer is a packed bomb',
      (response) =>
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(32 * 1024 * 1024))),
    ],
    ['whose answer is nested without end', (response) => response.writeHead(200).end('['.repeat(60_000))],
    [
      'whose answer announces gigabytes',
      (response) => response.writeHead(200, { 'content-length': 2 ** 40 }).write('{'),
    ],
    [
      'whose answer names a prototype',
      (response) => response.writeHead(200).end('{"__proto__":{"code":5},"code":0}'),
    ],
  ];
  for (const [name, answer] of answers) {
    for (const type of ['task.completed', 'consume.charge']) {
      test(
        `${name} has received its ${type}`,
        story(async (world) => {
          world.server.answers.set('/hook', answer);
          const { status, error } = await told(world, `${world.server.origin}/hook`, type);
          assert.deepEqual({ status, error }, { status: 200, error: null });
        }),
      );
    }
  }

  for (const status of [301, 302, 303, 307, 308]) {
    test(
      `that sends us on with ${status} is not followed`,
      story(async (world) => {
        world.server.answers.set('/hook', (response) =>
          response.writeHead(status, { location: `${world.server.origin}/elsewhere` }).end(),
        );
        const posted = await told(world, `${world.server.origin}/hook`, 'task.completed');
        assert.match(posted.error!, /redirects are not followed/);
        assert.deepEqual(
          world.server.requests.map(({ path }) => path),
          ['/hook'],
        );
      }),
    );
  }

  test(
    'whose name leads elsewhere by the time it is told gains nothing',
    story(async (world) => {
      let connections = 0;
      const trap = createServer((socket) => {
        connections++;
        socket.destroy();
      });
      await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve));
      const url = `http://receiver.example:${(trap.address() as AddressInfo).port}/`;
      const replies = [
        ['127.0.0.1'],
        ['8.8.8.8', '127.0.0.1'],
        ['::1'],
        ['::ffff:127.0.0.1'],
        ['0.0.0.0'],
        [],
      ];
      let lookups = 0;
      const guarded = createGuardedHttp({
        allow: [],
        userAgent: 'test',
        resolve: async () => replies[lookups++ % replies.length]!,
      });
      try {
        // Its form is that of any public host, so it may be registered.
        guarded.checkUrl(url);
        for (const _ of replies) {
          const posted = await told(world, url, 'task.completed', guarded);
          assert.equal(posted.status, null);
          assert.match(posted.error!, /not on the public internet|no address/);
        }
        assert.equal(lookups, replies.length, 'every delivery asks anew');
        assert.equal(connections, 0);
      } finally {
        await guarded.close();
        trap.close();
      }
    }),
  );
});
