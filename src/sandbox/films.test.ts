import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FilmPlan, SimulatedTask } from '../providers/kit/simulator.ts';
import { createFilms } from './films.ts';
import type { Pictures } from './pictures.ts';
import type { RenderedFile, VideoJob } from './render/index.ts';

const plan: FilmPlan = {
  shortSide: 1080,
  aspectRatio: '16:9',
  seconds: 5.04,
  sound: true,
  prompt: 'a cat',
  title: 'kling-v3 · text2video',
  firstFrame: null,
  lastFrame: null,
  watermark: false,
};
const taskWith = (changes: Partial<FilmPlan> = {}) =>
  ({ taskId: '1', film: { ...plan, ...changes } }) as SimulatedTask;
const noPictures: Pictures = { keep: () => 'kept', read: async () => null };

/** A renderer whose films are finished by hand. */
function handRenderer() {
  const jobs: VideoJob[] = [];
  const finish: (() => void)[] = [];
  return {
    jobs,
    finish,
    video(job: VideoJob): Promise<RenderedFile> {
      jobs.push(job);
      return new Promise((resolve) => finish.push(() => resolve({ path: '/dev/null', bytes: 0 })));
    },
  };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('films', () => {
  test('are drawn two at a time in the background, the watermarked variant after the plain one', async () => {
    const renderer = handRenderer();
    const films = createFilms(renderer, noPictures);
    films.prepare(taskWith({ prompt: 'first', watermark: true }));
    films.prepare(taskWith({ prompt: 'second' }));
    await turn();
    const drawn = () => renderer.jobs.map((job) => `${job.prompt}${job.watermark ? ' (watermarked)' : ''}`);
    assert.deepEqual(drawn(), ['first', 'first (watermarked)']);
    renderer.finish[0]!();
    await turn();
    assert.deepEqual(drawn(), ['first', 'first (watermarked)', 'second']);
  });

  test('that are asked for do not wait behind those that are not', async () => {
    const renderer = handRenderer();
    const films = createFilms(renderer, noPictures);
    for (let count = 0; count < 5; count++) films.prepare(taskWith());
    const asked = films.film(taskWith({ prompt: 'asked for' }), 'plain');
    await turn();
    assert.ok(renderer.jobs.some((job) => job.prompt === 'asked for'));
    for (const finish of renderer.finish) finish();
    assert.equal((await asked).bytes, 0);
  });

  test('that cannot be drawn in the background stop nothing', async () => {
    let tries = 0;
    const video = async () => {
      tries++;
      throw new Error('no memory');
    };
    const films = createFilms({ video }, noPictures);
    for (let count = 0; count < 5; count++) films.prepare(taskWith());
    await turn();
    assert.equal(tries, 5);
    await assert.rejects(films.film(taskWith(), 'plain'), /no memory/);
  });

  test('have the size of their grade and ratio', async () => {
    const renderer = handRenderer();
    const films = createFilms(renderer, noPictures);
    for (const aspectRatio of ['16:9', '9:16', '1:1', null] as const) {
      void films.film(taskWith({ aspectRatio }), 'plain');
    }
    await turn();
    assert.deepEqual(
      renderer.jobs.map((job) => `${job.width}x${job.height}`),
      ['1920x1080', '1080x1920', '1080x1080', '1920x1080'],
    );
    assert.equal(renderer.jobs[0]!.title, 'kling-v3 · text2video · 1920x1080 · 5 s');
  });
});
