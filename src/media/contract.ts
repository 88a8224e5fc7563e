import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import type { MediaStore } from '../core/ports.ts';

/**
 * What every media store promises. `make` opens an empty store; `dispose` removes what it holds. Called at the
 * top of the implementation's own test file.
 */
export function testMediaStore(
  name: string,
  make: () => Promise<{ store: MediaStore; dispose: () => Promise<void> }>,
): void {
  describe(`media store: ${name}`, () => {
    let store: MediaStore;
    let dispose: () => Promise<void>;
    before(async () => ({ store, dispose } = await make()));
    after(() => dispose());

    async function read(key: string, range?: { start: number; end: number }): Promise<Buffer | null> {
      const opened = await store.open(key, range);
      return opened && buffer(opened.stream);
    }
    async function keys(prefix: string): Promise<string[]> {
      return (await Array.fromAsync(store.list(prefix))).map(({ key }) => key);
    }

    test('what was put is read back, from a buffer or a stream, with size and SHA-256', async () => {
      for (const content of [Buffer.from('hello'), Buffer.alloc(0), randomBytes(1_500_000)]) {
        const sha256 = createHash('sha256').update(content).digest('hex');
        const slices = [content.subarray(0, 1000), content.subarray(1000)].filter((each) => each.length > 0);
        for (const source of [content, Readable.from(slices, { objectMode: false })]) {
          assert.deepEqual(await store.put('round/trip.bin', source, { contentType: 'video/mp4' }), {
            bytes: content.length,
            sha256,
          });
          assert.deepEqual(await read('round/trip.bin'), content);
          assert.equal((await store.open('round/trip.bin'))?.stream.destroy().destroyed, true);
        }
      }
    });

    test('a range is inclusive and ends with the file; the size told is the whole', async () => {
      await store.put('range.bin', Buffer.from('0123456789'));
      assert.equal((await read('range.bin', { start: 0, end: 0 }))?.toString(), '0');
      assert.equal((await read('range.bin', { start: 2, end: 5 }))?.toString(), '2345');
      assert.equal((await read('range.bin', { start: 7, end: 99 }))?.toString(), '789');
      const opened = await store.open('range.bin', { start: 2, end: 5 });
      opened?.stream.destroy();
      assert.equal(opened?.bytes, 10);
      await assert.rejects(store.open('range.bin', { start: 5, end: 4 }), RangeError);
    });

    test('what is not there is null, and deleting it no error', async () => {
      assert.equal(await store.open('absent/file'), null);
      assert.equal(await store.stat('absent/file'), null);
      await store.delete('absent/file');
      await store.put('here/file', Buffer.from('x'));
      assert.equal(await store.open('here'), null);
      assert.equal(await store.stat('here'), null);
      assert.equal(await store.stat('here/file/below'), null);
      await store.delete('here/file');
      await store.delete('here/file');
      assert.equal(await store.stat('here/file'), null);
    });

    test('stat tells size and time', async () => {
      const before = Date.now();
      await store.put('stat.bin', Buffer.alloc(123));
      const found = await store.stat('stat.bin');
      assert.equal(found?.bytes, 123);
      // Stores may keep whole seconds.
      assert.ok(Math.abs((found?.modifiedAt ?? 0) - before) < 60_000);
    });

    test('a put replaces as a whole: readers see the old or the new, never a mixture', async () => {
      const size = 400_000;
      await store.put('replaced.bin', Buffer.alloc(size, 0));
      let writing = true;
      const writer = (async () => {
        for (let round = 1; round <= 10; round++) await store.put('replaced.bin', Buffer.alloc(size, round));
        writing = false;
      })();
      while (writing) {
        const content = await read('replaced.bin');
        assert.equal(content?.length, size);
        assert.ok(content.equals(Buffer.alloc(size, content[0])), 'mixed');
      }
      await writer;
    });

    test('a put whose source fails leaves no trace, and what was there before stays', async () => {
      const failing = () =>
        Readable.from(
          (async function* () {
            yield Buffer.alloc(100_000);
            throw new Error('upstream went away');
          })(),
          { objectMode: false },
        );
      await assert.rejects(store.put('failed/new.bin', failing()), /upstream went away/);
      assert.equal(await store.stat('failed/new.bin'), null);
      await store.put('failed/old.bin', Buffer.from('old'));
      await assert.rejects(store.put('failed/old.bin', failing()), /upstream went away/);
      assert.equal((await read('failed/old.bin'))?.toString(), 'old');
      assert.deepEqual(await keys('failed/'), ['failed/old.bin']);
    });

    test('a source that is broken already fails the put', async () => {
      const source = new Readable({ read() {} });
      source.on('error', () => {});
      source.destroy(new Error('broken before'));
      await assert.rejects(store.put('broken.bin', source));
      assert.equal(await store.stat('broken.bin'), null);
    });

    test('list yields keys below a prefix in byte order', async () => {
      const all = ['list/a-b', 'list/a.b', 'list/a/1', 'list/a/2/x', 'list/ab', 'list/b', 'list0'];
      for (const key of all.toReversed()) await store.put(key, Buffer.from(key));
      assert.deepEqual(await keys('list'), all);
      assert.deepEqual(await keys('list/'), all.slice(0, 6));
      assert.deepEqual(await keys('list/a'), all.slice(0, 5));
      assert.deepEqual(await keys('list/a/'), ['list/a/1', 'list/a/2/x']);
      assert.deepEqual(await keys('list/a/2/x'), ['list/a/2/x']);
      assert.deepEqual(await keys('nothing/'), []);
      const [first] = await Array.fromAsync(store.list('list/a-b'));
      assert.equal(first?.bytes, 8);
      assert.ok((await keys('')).length >= all.length);
    });

    test('many puts and deletes at once do not get into each other’s way', async () => {
      await Promise.all(
        Array.from({ length: 60 }, async (_, index) => {
          const key = `busy/${index % 3}/${index}.bin`;
          await store.put(key, Buffer.from(String(index)));
          if (index % 2 === 0) await store.delete(key);
        }),
      );
      assert.equal((await keys('busy/')).length, 30);
      for (const key of await keys('busy/')) await store.delete(key);
      assert.deepEqual(await keys('busy/'), []);
    });

    test('keys that could lead elsewhere are refused everywhere', async () => {
      const bad = [
        '',
        '/',
        '/etc/passwd',
        '..',
        '../x',
        'a/../b',
        'a/./b',
        'a//b',
        'a/',
        '.hidden',
        'a/.b',
        'a\\b',
        'a b',
        'ä',
        'a\0',
        'a\n',
        'a%2fb',
        'x'.repeat(600),
      ];
      for (const key of bad) {
        await assert.rejects(store.put(key, Buffer.from('x')), TypeError, key);
        await assert.rejects(store.open(key), TypeError, key);
        await assert.rejects(store.stat(key), TypeError, key);
        await assert.rejects(store.delete(key), TypeError, key);
        assert.throws(() => store.localPath(key), TypeError, key);
      }
      assert.throws(() => store.list('../'), TypeError);
    });
  });
}
