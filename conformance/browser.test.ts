/**
 * A real browser without a key: it plays the link of a finished task, and shows the API reference from our own origin
 * alone.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { chromium, type Browser } from 'playwright-core';
import { call, type LooseJson } from '../test/helpers/processes.ts';
import { completed, startGateway, type TestGateway } from './support/gateway.ts';

const executablePath = ['chromium', 'chromium-browser', 'google-chrome']
  .flatMap((name) =>
    ['/usr/bin', ...(process.env.PATH ?? '').split(delimiter)].map((folder) => join(folder, name)),
  )
  .find((path) => existsSync(path));
const skip = executablePath === undefined ? 'there is no Chromium on this machine' : false;

describe('in a browser', { skip }, () => {
  let gateway: TestGateway;
  let browser: Browser;
  let elsewhere: Server;
  let video: LooseJson;

  before(async () => {
    gateway = await startGateway('full');
    browser = await chromium.launch({
      executablePath: executablePath!,
      args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'],
    });
    const created = await call(`${gateway.url}/v1/videos`, {
      key: gateway.keys.api_key,
      json: {
        model: 'kling-3.0',
        prompt: 'a kite over dunes',
        seconds: '3',
        metadata: { audio: true, aspect_ratio: '9:16' },
      },
    });
    assert.equal(created.status, 200, created.text);
    video = await completed(gateway, gateway.keys.api_key, created.body.id);
    // A page of somebody else's site that shows our film.
    elsewhere = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end('<!doctype html><link rel="icon" href="data:,"><video></video>');
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  });
  after(async () => {
    await browser?.close();
    elsewhere?.close();
    await gateway?.stop();
  });

  test('the link plays on a page of another site: true size, true length, the clock runs, seeking works', async () => {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`);
    // Runs inside the page, as text: its types are the browser's.
    const seen = (await page.evaluate(`(async () => {
      const video = document.querySelector('video');
      const happened = (name) => new Promise((resolve, reject) => {
        video.addEventListener(name, resolve, { once: true });
        video.addEventListener('error', () => reject(new Error(video.error?.message ?? 'error')), { once: true });
      });
      video.muted = true;
      const canPlay = happened('canplaythrough');
      video.src = ${JSON.stringify(video.video_url)};
      await canPlay;
      const { videoWidth, videoHeight, duration } = video;
      await video.play();
      while (video.currentTime < 0.5) await happened('timeupdate');
      const ranFor = video.currentTime;
      video.pause();
      const seeked = happened('seeked');
      video.currentTime = 2.5;
      await seeked;
      return { videoWidth, videoHeight, duration, ranFor, soughtTo: video.currentTime,
        hasSound: video.webkitAudioDecodedByteCount > 0 };
    })()`)) as LooseJson;
    assert.deepEqual([seen.videoWidth, seen.videoHeight], [720, 1280]);
    assert.ok(Math.abs(seen.duration - 3) < 0.2, `${seen.duration} s`);
    assert.ok(seen.ranFor >= 0.5);
    assert.equal(seen.soughtTo, 2.5);
    assert.equal(seen.hasSound, true, 'the sound track is decoded');
    await page.close();
  });

  test('the link opens in a tab of its own', async () => {
    const page = await browser.newPage();
    const response = await page.goto(video.video_url);
    assert.ok([200, 206].includes(response!.status()));
    await page.waitForFunction(`document.querySelector('video')?.videoWidth === 720`, null, {
      timeout: 10_000,
    });
    await page.close();
  });

  test('/docs shows every route, asks nobody but us, and reports no error', async () => {
    const page = await browser.newPage();
    const origins = new Set<string>();
    const failed: string[] = [];
    const errors: string[] = [];
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      if (protocol !== 'data:' && protocol !== 'blob:') origins.add(origin);
    });
    page.on('requestfailed', (request) => failed.push(request.url()));
    page.on('response', (response) => {
      if (response.status() >= 400) failed.push(`${response.status()} ${response.url()}`);
    });
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(`${message.text()} ${message.location().url}`);
    });
    page.on('pageerror', (error) => errors.push(error.message));

    await page.goto(`${gateway.url}/docs`, { waitUntil: 'networkidle' });
    await page.getByRole('button', { name: 'Videos (Kling)' }).first().waitFor({ timeout: 20_000 });
    // Groups of routes may be folded at first.
    const folded = page.getByRole('button', { name: /^Open Group - / });
    while ((await folded.count()) > 0) await folded.first().click();
    await page.getByText('Create a video').first().waitFor();
    const text = await page.evaluate<string>('document.body.innerText');
    for (const title of ['Create a video', 'Text to video', 'Image to video', 'List models'])
      assert.ok(text.includes(title), `${title} is shown`);
    assert.deepEqual([...origins], [gateway.url]);
    assert.deepEqual(errors, []);
    assert.deepEqual(failed, []);
    await page.close();
  });
});
