/** Kling: what is sold of it, by which names, at which price. */
import { GatewayError } from '../../core/errors.ts';
import type { Family } from '../../core/ports.ts';
import { aliases } from './aliases.ts';
import { billableQuantity, billableQuantityMax, surchargeOf } from './billing.ts';
import { resolveFilm } from './film.ts';
import { pictures } from './limits.ts';
import { models } from './models.ts';
import { prices } from './prices.ts';
import type { Case } from './refuse.ts';
import type { VideoRequest } from '../../core/request/types.ts';
import { resolveAvatar, resolveLipSync, resolveMotion } from './scenes.ts';
import { settle } from './settle.ts';
import { tierOf, tiers } from './tiers.ts';

export const kling: Family = {
  id: 'kling',
  title: 'Kling',
  models,
  aliases,
  pictures,
  tiers,
  prices,
  tierOf,
  billableQuantity,
  billableQuantityMax,
  surchargeOf,
  resolveVideo(draft) {
    const judged = settle(draft);
    const request = resolve(judged);
    // Fields that decided something else and have no place of their own in the answer.
    for (const field of ['size', 'scene']) delete draft.sources[field];
    return { request, warnings: judged.warnings };
  },
  features: [],
  resolveFeature(loose) {
    throw new GatewayError('not_found', `Kling has no feature ${loose.operation}.`);
  },
};

function resolve(judged: Case): VideoRequest {
  switch (judged.operation) {
    case 'text-to-video':
    case 'image-to-video':
      return resolveFilm(judged);
    case 'motion-control':
      return resolveMotion(judged);
    case 'avatar':
      return resolveAvatar(judged);
    case 'lip-sync':
      return resolveLipSync(judged);
  }
}
