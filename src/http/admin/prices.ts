import { z } from 'zod';
import type { Admin, PriceView } from '../../core/ports.ts';
import { moneyField, pageOf, renderList, renderMoney, type AdminRoutes } from './kit.ts';

const price = z
  .object({
    tier: z.string(),
    unit: z.string(),
    operation: z.string().nullable(),
    model: z.string().nullable(),
    surcharge: z.string().nullable(),
    unit_price: moneyField,
    currency: z.enum(['USD', 'CNY']),
    quantity_min: z.number().nullable().meta({ description: 'Least quantity that is charged.' }),
    source: z.enum(['default', 'config']),
  })
  .meta({ id: 'Price' });

export function addPriceRoutes(routes: AdminRoutes, admin: Admin): void {
  routes.get(
    '/admin/v1/prices',
    { schema: { summary: 'Prices as they stand now', response: { 200: pageOf(price) } } },
    () => renderList(admin.prices(), renderPrice),
  );
}

function renderPrice(view: PriceView): z.infer<typeof price> {
  return {
    tier: view.tier,
    unit: view.unit,
    operation: view.operation,
    model: view.model,
    surcharge: view.surcharge ?? null,
    unit_price: renderMoney(view.unitPriceMicros),
    currency: view.currency,
    quantity_min: view.quantityMin,
    source: view.source,
  };
}
