/** From a task's plan to a film: frames fetched, size settled, rendered once, in the background. */
import type { FilmPlan, FilmVariant, SimulatedTask } from '../providers/kit/simulator.ts';
import type { RenderedFile, Renderer, VideoJob } from './render/index.ts';
import type { Pictures } from './pictures.ts';

export interface Films {
  /** Begins to render, so that the film is there when it is asked for. */
  prepare(task: SimulatedTask): void;
  /** Waits for the render. Rejects when the renderer does. */
  film(task: SimulatedTask, variant: FilmVariant): Promise<RenderedFile>;
}

/** One is being drawn while the next one's pictures are fetched. */
const workingMax = 2;
/** Far more than there are slots at once. */
const waitingMax = 1000;

const ratios = { '16:9': 16 / 9, '9:16': 9 / 16, '1:1': 1 };
type Ratio = keyof typeof ratios;

/** Films are planned by simulators; pixels come from `renderer`. */
export function createFilms(renderer: Pick<Renderer, 'video'>, pictures: Pictures): Films {
  async function film(plan: FilmPlan, variant: FilmVariant): Promise<RenderedFile> {
    const [firstFrame, lastFrame] = await Promise.all(
      [plan.firstFrame, plan.lastFrame].map((source) => (source ? pictures.read(source) : null)),
    );
    const ratio = plan.aspectRatio ?? (await ratioOf(firstFrame ?? lastFrame ?? null));
    const { width, height } = sizeOf(plan.shortSide, ratio);
    const job: VideoJob = {
      width,
      height,
      seconds: plan.seconds,
      sound: plan.sound,
      prompt: plan.prompt,
      title: `${plan.title} · ${width}x${height} · ${Math.floor(plan.seconds)} s`,
    };
    if (firstFrame) job.firstFrame = firstFrame;
    // A reference that could not be fetched still begins the film: bytes that are no picture become a placeholder.
    else if (plan.firstFrame) job.firstFrame = new Uint8Array();
    if (lastFrame) job.lastFrame = lastFrame;
    if (variant === 'watermarked') job.watermark = true;
    return renderer.video(job);
  }

  // A plan that waits holds no pictures; a job that waits in the renderer does.
  const waiting: { plan: FilmPlan; variant: FilmVariant }[] = [];
  let working = 0;

  function enqueue(plan: FilmPlan, variant: FilmVariant): void {
    // What is left out is rendered when it is asked for.
    if (waiting.length < waitingMax) waiting.push({ plan, variant });
    if (working < workingMax) void work();
  }

  async function work(): Promise<void> {
    working++;
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      // Whoever downloads will meet the failure; nobody is waiting for it here.
      await film(next.plan, next.variant).catch(() => {});
    }
    working--;
  }

  return {
    prepare(task) {
      if (!task.film) return;
      enqueue(task.film, 'plain');
      if (task.film.watermark) enqueue(task.film, 'watermarked');
    },
    async film(task, variant) {
      if (!task.film) throw new Error(`task ${task.taskId} has no film`);
      return film(task.film, variant);
    },
  };
}

function sizeOf(shortSide: number, ratio: Ratio): { width: number; height: number } {
  const longSide = (shortSide / 9) * 16;
  if (ratio === '16:9') return { width: longSide, height: shortSide };
  return { width: shortSide, height: ratio === '9:16' ? longSide : shortSide };
}

/** The nearest by proportion; 16:9 for what cannot be read. */
async function ratioOf(picture: Uint8Array | null): Promise<Ratio> {
  if (!picture) return '16:9';
  try {
    // Loaded with the first picture: the library brings 18 MB of native code.
    const { default: sharp } = await import('sharp');
    const { width, height, orientation = 1 } = await sharp(picture).metadata();
    // Orientations from 5 on lie on their side (EXIF).
    const proportion = orientation >= 5 ? height / width : width / height;
    const distance = (ratio: Ratio) => Math.abs(Math.log(proportion / ratios[ratio]));
    return (Object.keys(ratios) as Ratio[]).reduce((best, one) =>
      distance(one) < distance(best) ? one : best,
    );
  } catch {
    return '16:9';
  }
}
