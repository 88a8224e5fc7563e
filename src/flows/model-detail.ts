/**
 * The capability card of a public model name, from the very data that validation and pricing read.
 */
import type { ModelDetail } from '../core/ports.ts';
import { priceViews } from '../core/pricing.ts';
import type { FlowContext } from './context.ts';

/** Null when no model goes by that name. */
export function modelDetail(ctx: FlowContext, name: string): ModelDetail | null {
  const detail = ctx.catalogue.detail(name);
  if (detail === null) return null;
  const tiers = new Set(detail.tiers);
  const card = ctx.catalogue.modelCards.find((one) => one.id === detail.spec.id);
  return {
    card: card ?? { id: detail.spec.id, ownedBy: detail.family.id },
    spec: detail.spec,
    features: detail.features,
    prices: priceViews(ctx.priceBook).filter((price) => tiers.has(price.tier)),
  };
}
