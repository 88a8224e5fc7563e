/** Stills and sounds of a task: rendered when they are asked for, as they are small; the renderer keeps them. */
import type { FilePlan, ImagePlan } from '../providers/kit/simulator.ts';
import type { ImageJob, RenderedFile, Renderer } from './render/index.ts';
import type { Pictures } from './pictures.ts';

export interface Files {
  /** Waits for the render. Rejects when the renderer does, or was given without stills and sounds. */
  file(plan: FilePlan): Promise<RenderedFile>;
}

/** The content type of a plan's file. */
export function contentTypeOf(plan: FilePlan): string {
  if (plan.kind === 'image') return 'image/png';
  return plan.format === 'wav' ? 'audio/wav' : 'audio/mp4';
}

/** Where the source cannot be read, a still of its size is as large as this. */
const sizeDefault = { width: 1024, height: 1024 };
/** The largest still a simulated upstream makes (4k, wide). */
const sideMax = 6400;

export function createFiles(renderer: Partial<Renderer>, pictures: Pictures): Files {
  async function image(plan: ImagePlan): Promise<RenderedFile> {
    if (!renderer.image) throw new Error('this renderer draws no stills');
    const source = plan.source ? await pictures.read(plan.source) : null;
    const size = plan.size ?? (await sizeOf(source));
    const width = stretched(size.width, plan.stretch?.width);
    const height = stretched(size.height, plan.stretch?.height);
    const job: ImageJob = {
      width,
      height,
      prompt: plan.prompt,
      title: `${plan.title} · ${width}x${height}`,
      format: 'png',
    };
    // A source that could not be fetched is still shown: bytes that are no picture become a placeholder.
    if (plan.source) job.sourceImage = source ?? new Uint8Array();
    if (plan.watermark) job.watermark = true;
    return renderer.image(job);
  }

  return {
    async file(plan) {
      if (plan.kind === 'image') return image(plan);
      if (!renderer.sound) throw new Error('this renderer makes no sounds');
      return renderer.sound({ seconds: plan.seconds, text: plan.text, format: plan.format });
    },
  };
}

function stretched(side: number, factor = 1): number {
  return Math.max(2, Math.min(sideMax, Math.round(side * factor)));
}

async function sizeOf(picture: Uint8Array | null): Promise<{ width: number; height: number }> {
  if (!picture) return sizeDefault;
  try {
    // Loaded with the first picture: the library brings 18 MB of native code.
    const { default: sharp } = await import('sharp');
    const { autoOrient } = await sharp(picture).metadata();
    return { width: autoOrient.width, height: autoOrient.height };
  } catch {
    return sizeDefault;
  }
}
