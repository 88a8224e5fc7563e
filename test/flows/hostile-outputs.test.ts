/**
 * What an upstream, or whoever sits where it points to, may send in place of a file: it is recognised by its bytes, never
 * unpacked, bounded in size and time, and costs nothing until a real one is there.
 */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { persistOutput } from '../../src/flows/persist-output.ts';
import { story as storyOnBoth, type World } from './harness.ts';
import { film, png, sends } from './local-server.ts';

/** What is refused here never comes near a database: one engine tells as much as two. */
const story = (tell: (world: World) => Promise<void>) => storyOnBoth(tell, { embeddedOnly: true });

function box(type: string, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(body.length + 8);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, body]);
}

/** A box that says it is as long as this. */
function lyingBox(type: string, length: bigint): Buffer {
  const head = Buffer.alloc(16);
  head.writeUInt32BE(1);
  head.write(type, 4, 'latin1');
  head.writeBigUInt64BE(length, 8);
  return head;
}

/** A movie header of version 1: times and length in 64 bits. */
function movieHeader(timescale: number, duration: bigint): Buffer {
  const body = Buffer.alloc(108);
  body.writeUInt8(1);
  body.writeUInt32BE(timescale, 20);
  body.writeBigUInt64BE(duration, 24);
  return box('mvhd', body);
}

const brand = film.subarray(0, 24);

/** Begins an answer and never ends it; with `drip`, says a little now and then. */
function hangs(head: Buffer, drip: boolean) {
  return (response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': 1_000_000 });
    response.write(head);
    if (!drip) return;
    const timer = setInterval(() => response.write('x'), 50);
    response.on('close', () => clearInterval(timer));
  };
}

/** The film is made, and this is what lies where it should be; later the real one does. */
async function isNotTakenFor(world: World, answer: (response: ServerResponse) => void): Promise<void> {
  world.server.answers.set('/film.mp4', answer);
  const { task } = await world.create();
  world.make(task.id);
  await world.advance(60_000);
  assert.notEqual(await world.state(task.id), 'completed');
  assert.deepEqual(await world.wallet(), { available: 99, held: 1 });
  assert.deepEqual(await world.stored('outputs/'), []);
  world.server.answers.set('/film.mp4', sends(film));
  await world.advance(300_000);
  assert.equal(await world.state(task.id), 'completed');
  assert.deepEqual(await world.wallet(), { available: 99, held: 0 });
}

describe('in place of a film', () => {
  const script = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
  const bomb = gzipSync(Buffer.alloc(32 * 1024 * 1024));
  const fakes: [string, Buffer | string, Record<string, string>?][] = [
    ['a film that was packed', gzipSync(film), { 'content-encoding': 'gzip' }],
    ['a packed bomb', bomb, { 'content-encoding': 'gzip' }],
    ['a packed bomb that calls itself packed twice', gzipSync(bomb), { 'content-encoding': 'gzip, gzip' }],
    ['an archive', Buffer.from('PK\x03\x04\x14\0\0\0\b\0', 'latin1')],
    [
      'an archive after the name of a film',
      Buffer.concat([Buffer.from('ftypisom'), Buffer.from('PK\x03\x04')]),
    ],
    ['a picture that holds a script', script, { 'content-type': 'image/svg+xml' }],
    ['a playlist', `#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:1/x.ts\n`],
    ['a document', '%PDF-1.7 '],
    ['a program', Buffer.from('\x7fELF\x02\x01\x01', 'latin1')],
    ['a still in the container of films', Buffer.from('\0\0\0\x18ftypavif\0\0\0\0avifmif1', 'latin1')],
    ['noise', Buffer.alloc(100_000, 0xa5)],
  ];
  for (const [name, body, headers] of fakes) {
    test(
      `${name} is not kept`,
      story((world) =>
        isNotTakenFor(world, (response) => {
          response.writeHead(200, { 'content-type': 'video/mp4', ...headers }).end(body);
        }),
      ),
    );
  }

  test(
    'more bytes than were announced, fewer, and none at all, are not kept',
    story(async (world) => {
      await isNotTakenFor(world, (response) => {
        response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': film.length + 50 });
        response.write(film);
        setImmediate(() => response.destroy());
      });
    }),
  );

  for (const drip of [false, true]) {
    test(
      `one that never comes to its end ${drip ? '(it drips)' : '(it hangs)'} is left when its job's time is over`,
      story(async (world) => {
        world.server.answers.set('/film.mp4', sends('', 'text/plain', 503));
        const { task } = await world.create();
        world.make(task.id);
        await world.advance(4_000);
        const { attempts } = await world.record(task.id);
        world.server.answers.set('/film.mp4', hangs(film, drip));
        const lease = new AbortController();
        const asked = world.server.requests.length;
        const work = { taskId: task.id, attemptId: attempts[0]!.id };
        const fetching = persistOutput(world.ctx, work, false, lease.signal);
        while (world.server.requests.length === asked) await new Promise((resolve) => setTimeout(resolve, 5));
        lease.abort(new Error('the lease ended'));
        await assert.rejects(fetching, /the lease ended/);
        assert.deepEqual(await world.stored('outputs/'), []);
        world.server.answers.set('/film.mp4', sends(film));
        await world.advance(60_000);
        assert.equal(await world.state(task.id), 'completed');
      }),
    );
  }
});

describe('a film', () => {
  async function completes(world: World, bytes: Buffer, contentType = 'video/mp4') {
    world.server.answers.set('/film.mp4', sends(bytes, contentType));
    const { task } = await world.create();
    world.make(task.id);
    await world.advance(10_000);
    const done = await world.task(task.id);
    assert.equal(done.state, 'completed');
    assert.deepEqual(await world.wallet(), { available: 99, held: 0 });
    assert.ok(await world.ledgerIsSound());
    return done.result!;
  }

  test(
    'that says it lasts longer than the universe costs what was asked for',
    story(async (world) => {
      const { durationSeconds } = await completes(
        world,
        Buffer.concat([brand, box('moov', movieHeader(1, 2n ** 62n)), film.subarray(24)]),
      );
      // Its upstream’s word counts instead.
      assert.equal(durationSeconds, 5.1);
    }),
  );

  for (const said of [1e18, 1e300, Infinity, NaN, -5, '9'.repeat(30)] as number[]) {
    test(
      `of which its upstream says that it lasts ${String(said).slice(0, 8)} seconds has a length or none`,
      story(async (world) => {
        const { task } = await world.create();
        const url = `${world.server.origin}/film.mp4`;
        const output = { role: 'video' as const, url, upstreamId: null, durationSeconds: said };
        world.upstream.set(task.id, { status: 'succeeded', outputs: [output], cost: null });
        await world.advance(10_000);
        const done = await world.task(task.id);
        assert.deepEqual([done.state, done.result?.durationSeconds], ['completed', null]);
        assert.deepEqual(await world.wallet(), { available: 99, held: 0 });
        await world.record(task.id);
      }),
    );
  }

  for (const [name, bytes] of [
    [
      'whose boxes lie about their length',
      Buffer.concat([brand, lyingBox('moov', 2n ** 63n), Buffer.alloc(64)]),
    ],
    ['whose boxes are no longer than nothing', Buffer.concat([brand, Buffer.alloc(1_000_000)])],
    [
      'of a hundred thousand boxes',
      Buffer.concat([
        brand,
        Buffer.concat(Array.from({ length: 100_000 }, () => box('free'))),
        box('moov', movieHeader(1000, 5000n)),
      ]),
    ],
    [
      'of boxes within boxes within boxes',
      Buffer.concat([
        brand,
        Array.from({ length: 3_000 }).reduce<Buffer>((inner) => box('moov', inner), Buffer.alloc(0)),
      ]),
    ],
    [
      'whose cover is larger than a cover',
      Buffer.concat([
        brand,
        box(
          'moov',
          box(
            'udta',
            box(
              'meta',
              Buffer.alloc(4),
              box('ilst', box('covr', box('data', Buffer.alloc(9 * 1024 * 1024, 0xff)))),
            ),
          ),
        ),
      ]),
    ],
  ] as const) {
    test(
      `${name} is still the caller’s`,
      story(async (world) => {
        const { outputs } = await completes(world, bytes);
        assert.equal(outputs[0]!.bytes, bytes.length);
      }),
    );
  }

  for (const contentType of [
    '__proto__',
    'constructor',
    'toString',
    'VIDEO/MP4; charset=utf-8',
    '../../x',
    'text/html',
    '',
  ]) {
    test(
      `of the type "${contentType}" is kept under a name of ours`,
      story(async (world) => {
        const { outputs } = await completes(world, film, contentType);
        assert.deepEqual(
          outputs.map(({ key, contentType: kept }) => [key.slice(key.lastIndexOf('/')), kept]),
          [['/video.mp4', 'video/mp4']],
        );
      }),
    );
  }
});

describe('a picture from a caller', () => {
  const inline = (width: number, height: number) => ({ image: png(width, height).toString('base64') });

  test(
    'that names more pixels than any camera takes is refused before money moves',
    story(async (world) => {
      for (const [width, height] of [
        [65_535, 65_535],
        [20_000, 10_001],
        [2 ** 31 - 1, 2 ** 31 - 1],
      ] as const) {
        await assert.rejects(
          world.create({ ...inline(width, height), model_name: 'kling-v2-1', mode: 'pro' }),
          {
            code: 'invalid_value',
            message: /million pixels/,
          },
        );
      }
      assert.deepEqual(await world.wallet(), { available: 100, held: 0 });
    }),
  );

  test(
    'of the largest cameras there are is taken',
    story(async (world) => {
      await world.create({ ...inline(16_384, 12_200), model_name: 'kling-v2-1', mode: 'pro' });
    }),
  );
});
