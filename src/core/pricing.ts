/**
 * The price book and the one function from which estimate, hold and charge come. Amounts are integers of micro-units
 * throughout; official units convert exactly.
 */
import { createHash } from 'node:crypto';
import type { Catalogue } from './catalogue.ts';
import { parseMicros, type Currency } from './money.ts';
import type { Family, PriceRow, PriceView, Quote } from './ports.ts';
import type { ResolvedFeature, TaskRequest } from './request/feature.ts';
import type { VideoRequest } from './request/types.ts';

/** An operator's price for a tier, as it stands in the configuration file. */
export interface PriceOverride {
  tier: string;
  /** Decimal amount per unit in the gateway's currency. */
  unit_price: string | number;
  operation?: string | undefined;
  model?: string | undefined;
  surcharge?: string | undefined;
}

interface Price {
  tier: string;
  unit: string;
  operation: string | null;
  model: string | null;
  surcharge: string | null;
  unitPriceMicros: bigint;
  quantityMin: number | null;
  source: 'default' | 'config';
}

export interface PriceBook {
  currency: Currency;
  /** Follows from currency and prices alone, so that a charge can be recomputed. */
  version: string;
  prices: ReadonlyMap<string, readonly Price[]>;
}

/** One official unit is $0.14 or ¥1 (specs/kling.md §7.3): micro-units per thousandth of it. */
const MICROS_PER_MILLI_UNIT: Readonly<Record<Currency, bigint>> = { USD: 140n, CNY: 1000n };

/**
 * Default prices in a currency, overlaid by the operator's. An override takes the place of every default it covers:
 * without narrowing all of its tier, with `operation` those of that operation. Throws Error naming the tier for an
 * override of something that does not exist, and for a tier that would be left without a price.
 */
export function createPriceBook(
  families: readonly Family[],
  currency: Currency,
  overrides: readonly PriceOverride[] = [],
): PriceBook {
  const prices = new Map<string, Price[]>();
  for (const family of families) {
    for (const tier of family.tiers) prices.set(tier, []);
    for (const row of family.prices) pricesOf(prices, row.tier).push(defaultPrice(row, currency));
  }
  overrides.forEach((override, index) => overlay(prices, families, override, index));
  for (const [tier, rows] of prices) {
    if (!rows.some((row) => breadthOf(row) === 0)) throw new Error(`the tier ${tier} has no plain price`);
    // The most specific row first, so that the first that fits is the one that counts.
    rows.sort((one, other) => breadthOf(other) - breadthOf(one));
  }
  return { currency, version: versionOf(currency, prices), prices };
}

function defaultPrice(row: PriceRow, currency: Currency): Price {
  return {
    tier: row.tier,
    unit: row.unit,
    operation: row.operation ?? null,
    model: row.model ?? null,
    surcharge: row.surcharge ?? null,
    unitPriceMicros: BigInt(row.officialMilliUnits) * MICROS_PER_MILLI_UNIT[currency],
    quantityMin: row.quantityMin ?? null,
    source: 'default',
  };
}

function overlay(
  prices: Map<string, Price[]>,
  families: readonly Family[],
  override: PriceOverride,
  index: number,
): void {
  const rows = prices.get(override.tier);
  const place = `prices[${index}]`;
  if (rows === undefined) throw new Error(`${place}: there is no tier ${JSON.stringify(override.tier)}`);
  const unitPriceMicros = parseMicros(override.unit_price);
  if (unitPriceMicros === null || unitPriceMicros < 0n) {
    throw new Error(`${place}: unit_price of ${override.tier} must be a decimal with at most six decimals`);
  }
  checkNarrowing(families, override, place);
  const price: Price = {
    tier: override.tier,
    unit: rows[0]?.unit ?? 'second',
    operation: override.operation ?? null,
    model: override.model ?? null,
    surcharge: override.surcharge ?? null,
    unitPriceMicros,
    quantityMin: rows[0]?.quantityMin ?? null,
    source: 'config',
  };
  const kept = rows.filter((row) => !covers(price, row));
  prices.set(override.tier, [...kept, price]);
}

/** A narrowing that names nothing would silently never apply. */
function checkNarrowing(families: readonly Family[], override: PriceOverride, place: string): void {
  const models = families.flatMap((family) => family.models);
  const operations = new Set<string>([
    ...models.flatMap((model) => model.operations),
    ...families.flatMap((family) => family.features.map((feature) => feature.operation)),
  ]);
  const operation = override.operation;
  if (operation !== undefined && !operations.has(operation)) {
    throw new Error(`${place}: there is no operation ${JSON.stringify(operation)}`);
  }
  if (override.model !== undefined && !models.some((model) => model.id === override.model)) {
    throw new Error(`${place}: there is no model ${JSON.stringify(override.model)}`);
  }
  const surcharge = override.surcharge;
  if (
    surcharge !== undefined &&
    !families.some((family) => family.prices.some((row) => row.surcharge === surcharge))
  ) {
    throw new Error(`${place}: there is no surcharge ${JSON.stringify(surcharge)}`);
  }
}

/** Whether every request that `narrow` prices is one that `wide` prices too. */
function covers(wide: Price, narrow: Price): boolean {
  return (
    (wide.operation === null || wide.operation === narrow.operation) &&
    (wide.model === null || wide.model === narrow.model) &&
    (wide.surcharge === null || wide.surcharge === narrow.surcharge)
  );
}

/** How narrow a row is: a model says more than an operation, a surcharge more than both. */
function breadthOf(price: Price): number {
  return (
    (price.surcharge === null ? 0 : 4) + (price.model === null ? 0 : 2) + (price.operation === null ? 0 : 1)
  );
}

function pricesOf(prices: Map<string, Price[]>, tier: string): Price[] {
  const rows = prices.get(tier);
  if (rows === undefined) throw new Error(`a price names the tier ${tier}, which its family does not have`);
  return rows;
}

function versionOf(currency: Currency, prices: ReadonlyMap<string, readonly Price[]>): string {
  const lines = [...prices.values()].flat().map((price) => {
    const { tier, unit, operation, model, surcharge, unitPriceMicros, quantityMin } = price;
    return [tier, unit, operation, model, surcharge, unitPriceMicros, quantityMin].join('\t');
  });
  const digest = createHash('sha256').update(lines.sort().join('\n')).digest('hex');
  return `${currency.toLowerCase()}-${digest.slice(0, 16)}`;
}

/** Prices a resolved request: what the estimate shows, the hold reserves and the charge takes. */
export function quote(request: VideoRequest, family: Family, priceBook: PriceBook): Quote {
  const quantity = family.billableQuantity(request);
  const quantityMax = family.billableQuantityMax(request);
  const surcharge = family.surchargeOf(request);
  return quoteOf({ request, tier: family.tierOf(request), surcharge, quantity, quantityMax }, priceBook);
}

/** {@link quote} for a feature, whose tier and quantity its family has named already. */
export function quoteFeature(resolved: ResolvedFeature, priceBook: PriceBook): Quote {
  return quoteOf({ ...resolved, surcharge: null }, priceBook);
}

interface Priced {
  request: Pick<TaskRequest, 'operation' | 'model' | 'billsOutputLength'>;
  tier: string;
  surcharge: string | null;
  quantity: number;
  quantityMax: number;
}

function quoteOf({ request, tier, surcharge, ...billed }: Priced, priceBook: PriceBook): Quote {
  const price = priceBook.prices
    .get(tier)
    ?.find(
      (row) =>
        (row.operation === null || row.operation === request.operation) &&
        (row.model === null || row.model === request.model) &&
        (row.surcharge === null || row.surcharge === surcharge),
    );
  if (price === undefined) throw new Error(`the price book has no price for ${tier}`);
  const least = price.quantityMin ?? 0;
  const quantity = Math.max(billed.quantity, least);
  const quantityMax = Math.max(billed.quantityMax, quantity);
  return {
    tier,
    unit: price.unit,
    quantity,
    quantityMax,
    ...(request.billsOutputLength === true && least > 0 && { quantityMin: least }),
    unitPriceMicros: price.unitPriceMicros,
    amountMicros: BigInt(quantityMax) * price.unitPriceMicros,
    currency: priceBook.currency,
    priceBook: priceBook.version,
  };
}

/** {@link quote} for callers that know the catalogue only. */
export function quoteVideo(request: VideoRequest, catalogue: Catalogue, priceBook: PriceBook): Quote {
  return quote(request, catalogue.family(request.family), priceBook);
}

/**
 * What a finished task is charged: the quoted quantity, or, where the output's length counts, its whole seconds (the
 * maker rounds to the nearest), at least one (or the tier's least) and never more than was held.
 */
export function chargeFor(
  quoted: Quote,
  request: Pick<TaskRequest, 'billsOutputLength'>,
  outputSeconds: number | null,
): { quantity: number; amountMicros: bigint } {
  const known = request.billsOutputLength === true && outputSeconds !== null && outputSeconds > 0;
  const quantity = known
    ? Math.min(Math.max(Math.round(outputSeconds), quoted.quantityMin ?? 1), quoted.quantityMax)
    : quoted.quantity;
  return { quantity, amountMicros: BigInt(quantity) * quoted.unitPriceMicros };
}

/** All prices as they stand now, for operators. */
export function priceViews(priceBook: PriceBook): PriceView[] {
  return viewsOf([...priceBook.prices.values()].flat(), priceBook.currency);
}

/** The prices of some tiers, in the order of the tiers, for a model's page. */
export function pricesOfTiers(priceBook: PriceBook, tiers: readonly string[]): PriceView[] {
  return viewsOf(
    tiers.flatMap((tier) => priceBook.prices.get(tier) ?? []),
    priceBook.currency,
  );
}

function viewsOf(prices: readonly Price[], currency: Currency): PriceView[] {
  return prices.map(({ tier, unit, operation, model, surcharge, ...price }) => ({
    tier,
    unit,
    operation,
    model,
    surcharge,
    unitPriceMicros: price.unitPriceMicros,
    currency,
    quantityMin: price.quantityMin,
    source: price.source,
  }));
}
