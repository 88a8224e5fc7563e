/** A film that passed the check, as a create like all others. */
import type { FilmPlan } from '../kit/simulator.ts';
import type { Plan } from './simulator-check.ts';
import type { Creation } from './simulator-task.ts';

/** Pace in sandbox milliseconds, as at the official platform. */
const processingMs = 10_000;
const processingPerSecondMs = 2000;
/** Films run a little over what was asked. */
const overrunSeconds = 0.04;

export function filmCreation(plan: Plan): Creation {
  const durationSeconds = plan.seconds + overrunSeconds;
  return {
    type: 'AigcVideoTask',
    prompt: plan.prompt,
    reference: plan.reference,
    workMs: processingMs + plan.seconds * processingPerSecondMs,
    film: filmFor(plan, durationSeconds),
    files: [],
    input: {
      ModelName: 'Kling',
      ModelVersion: plan.version,
      Prompt: plan.prompt,
      SceneType: plan.scene ?? '',
      OutputConfig: {
        Duration: plan.seconds,
        Resolution: plan.resolution,
        AspectRatio: plan.aspectRatio ?? '',
      },
    },
    result: { kind: 'film', seconds: plan.seconds, durationSeconds },
    sessionId: plan.sessionId,
    sessionContext: plan.sessionContext,
  };
}

function filmFor(plan: Plan, seconds: number): FilmPlan {
  return {
    shortSide: plan.resolution === '1080P' ? 1080 : 720,
    aspectRatio: plan.aspectRatio,
    seconds,
    sound: plan.sound,
    prompt: plan.prompt,
    title: `Kling ${plan.version}${plan.scene ? ` · ${plan.scene}` : ''} · VOD`,
    firstFrame: plan.firstFrame,
    lastFrame: plan.lastFrame,
    watermark: false,
  };
}
