/** Kling: what is sold of it, by which names, at which price. */
import type { AliasSpec, Family, ModelSpec } from '../../core/ports.ts';
import { aliases, type KlingAlias } from './aliases.ts';
import { billableQuantity, billableQuantityMax, surchargeOf } from './billing.ts';
import { resolveFilm } from './film.ts';
import { featureModels, featureTiersOf, features, resolveFeature } from './features/index.ts';
import { pictures } from './limits.ts';
import { modelOf, models, type KlingModel } from './models.ts';
import { prices } from './prices.ts';
import type { Case } from './refuse.ts';
import type { VideoRequest } from '../../core/request/types.ts';
import { resolveAvatar, resolveLipSync, resolveMotion } from './scenes.ts';
import { settle } from './settle.ts';
import { filmTiersOf, tierOf, tiers } from './tiers.ts';

export const kling: Family = {
  id: 'kling',
  title: 'Kling',
  models: [...models.map(withTiers), ...featureModels],
  aliases: aliases.map(aliasWithTiers),
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
  features,
  resolveFeature,
};

/** A model with all that it is billed by, pictures and the like included. */
function withTiers(model: KlingModel): ModelSpec {
  return { ...model, tiers: [...filmTiersOf(model), ...featureTiersOf(model.id)] };
}

function aliasWithTiers(alias: KlingAlias): AliasSpec {
  const tiers = alias.models.flatMap((id) => {
    const model = modelOf(id);
    return filmTiersOf(model, { ...alias, operations: alias.operations ?? model.operations });
  });
  return { ...alias, tiers: [...new Set(tiers)] };
}

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
