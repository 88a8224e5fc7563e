/** The request bodies as routes document them: each with the founding documents' own example (seeds 000 and 003). */
import { z } from 'zod';
import { klingVideoRequest, videoGenerationRequest } from './video-request.ts';

export const klingVideoBody = withExample(klingVideoRequest, {
  model_name: 'kling-v1-6',
  prompt: 'A cat playing with a ball of yarn in a sunny room',
  mode: 'std',
  duration: '5',
  aspect_ratio: '16:9',
});

export const videoGenerationBody = withExample(videoGenerationRequest, {
  model: 'kling-2.5',
  prompt: 'A cat playing with a ball of yarn in a sunny room',
  seconds: '5',
  metadata: { output_config: { resolution: '720P', aspect_ratio: '16:9' } },
});

/**
 * Adds to what is registered: `.meta()` would make a second schema of the same name, which OpenAPI cannot hold. The
 * word is OpenAPI's `example`: zod drops JSON Schema's `examples` from a body that is transformed on its way in.
 */
function withExample<Schema extends z.ZodType>(schema: Schema, example: z.input<Schema>): Schema {
  z.globalRegistry.add(schema, { ...schema.meta(), example });
  return schema;
}
