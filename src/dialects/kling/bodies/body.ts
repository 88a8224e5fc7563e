/** What the bodies of all features have in common. */
import { z } from 'zod';
import { flag, fromText, id, media, object, text, textOrNumber } from '../../kit/fields.ts';

/** Fields of the envelope, not of the feature. */
const envelope = {
  callback_url: text('Where every change of the task is posted to.'),
  external_task_id: id('Your own id of the task, unique in your account; finds it again.'),
  max_cost: textOrNumber('Refuse the request when it would cost more, a decimal.', ['1.50']),
};

/** The body of a feature that starts a task. */
export function taskBody<Shape extends z.ZodRawShape>(
  componentId: string,
  description: string,
  shape: Shape,
  example: Record<string, unknown>,
) {
  return plainBody(componentId, description, { ...shape, ...envelope }, example);
}

/** A body without the envelope fields: of what is answered at once, and of deletions. */
export function plainBody<Shape extends z.ZodRawShape>(
  componentId: string,
  description: string,
  shape: Shape,
  example: Record<string, unknown>,
) {
  return z
    .looseObject(shape, { error: 'must be a JSON object' })
    .meta({ id: componentId, description, example });
}

export const modelName = (names: string, examples: string[]) =>
  text(`Model: ${names}. \`model\` says the same.`, examples);

export const prompt = (what: string, charactersMax: number) =>
  text(`${what}, at most ${charactersMax} characters.`);

export const videoId = id('The film: id of a task of yours that made one, at most 30 days old.');
export const videoUrl = media('The film: a public https URL, or a file uploaded here; instead of video_id.');
export const sessionId = text('The session that the step before answered; it lives 24 hours.');

export const watermarkInfo = z
  .preprocess(
    fromText,
    z
      .union([object({ enabled: flag('Whether a watermarked copy is made too.') }), z.boolean(), z.string()])
      .nullish(),
  )
  .optional()
  .meta({ description: '`{"enabled": true}`: a watermarked copy is made too.' });
