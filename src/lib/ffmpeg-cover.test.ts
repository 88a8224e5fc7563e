import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { coverByFfmpeg } from './ffmpeg-cover.ts';

const isThere = (() => {
  try {
    execFileSync('ffmpeg', ['-version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describe('a cover drawn by ffmpeg', { skip: isThere ? false : 'there is no ffmpeg on the path' }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'reelay-cover-'));
  const film = join(folder, 'film.mp4');
  let connections = 0;
  const trap = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  const make = (path: string, size: string, ...more: string[]): void => {
    const source = ['-f', 'lavfi', '-i', `color=size=${size}:rate=1`, '-t', '1'];
    execFileSync('ffmpeg', ['-nostdin', '-v', 'error', ...source, ...more, path]);
  };

  before(async () => {
    make(film, '64x64');
    await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve));
  });
  after(() => {
    trap.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('is a JPEG of its first frame, drawn once for all who ask meanwhile', async () => {
    const drawings = Array.from({ length: 20 }, () => coverByFfmpeg(film, 'video/mp4'));
    const [first, ...others] = await Promise.all(drawings);
    assert.equal(first!.subarray(0, 3).toString('hex'), 'ffd8ff');
    for (const other of others) assert.equal(other, first);
  });

  test('is not drawn from what is no film, whatever it is called', async () => {
    const { port } = trap.address() as AddressInfo;
    const lists = {
      'a playlist of a stranger’s': `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:${port}/secret.ts\n#EXT-X-ENDLIST\n`,
      'a playlist of our own files': `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://${film}\n#EXT-X-ENDLIST\n`,
      'a list of parts': `ffconcat version 1.0\nfile '${film}'\nfile http://127.0.0.1:${port}/x.mp4\n`,
      'a session description': `v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video ${port} RTP/AVP 96\n`,
      'a manifest': `<?xml version="1.0"?><MPD><BaseURL>http://127.0.0.1:${port}/</BaseURL></MPD>`,
      'a picture that refers': `<svg xmlns="http://www.w3.org/2000/svg"><image href="http://127.0.0.1:${port}/"/></svg>`,
    };
    for (const [name, text] of Object.entries(lists)) {
      const path = join(folder, 'hostile.m3u8');
      writeFileSync(path, text);
      for (const contentType of ['video/mp4', 'video/quicktime', 'video/webm', 'text/plain', '__proto__'])
        assert.equal(await coverByFfmpeg(path, contentType), null, `${name} as ${contentType}`);
    }
    assert.equal(connections, 0);
  });

  test('is not drawn of frames that would take the memory of the machine', async () => {
    const huge = join(folder, 'huge.mov');
    make(huge, '8192x8192', '-c:v', 'mjpeg');
    assert.equal(await coverByFfmpeg(huge, 'video/quicktime'), null);
  });
});
