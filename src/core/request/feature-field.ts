/**
 * The words in which a family describes a feature's parameters: data, not code. `feature-judge.ts` reads requests by
 * them; names, limits and defaults are the family's own and stand on its wire as they stand here.
 */
import type { FeatureSpec } from '../ports.ts';
import type { Warning } from '../errors.ts';
import type { Json } from '../../lib/json.ts';
import type { MediaRole, ResourceKind } from './feature.ts';

/** A neighbour's value that decides about a field. */
export interface When {
  field: string;
  is: readonly string[];
}

interface Common {
  required?: boolean;
  /** Required when a neighbour has one of these values. */
  requiredWhen?: When;
}

/** Text with at most `max` characters. */
export interface TextField extends Common {
  kind: 'text';
  max: number;
  default?: string;
}

/** A number within bounds, both included; `decimals` limits what follows the point. */
export interface NumberField extends Common {
  kind: 'number';
  min: number;
  max: number;
  decimals?: number;
  default?: number;
}

export interface IntegerField extends Common {
  kind: 'integer';
  min: number;
  max: number;
  default?: number;
}

/** One of a closed list, in any case; a number that is written so counts (`5` for `"5"`). */
export interface WordField extends Common {
  kind: 'word';
  words: readonly string[];
  default?: string;
}

export interface FlagField extends Common {
  kind: 'flag';
  default?: boolean;
}

/** A picture, film or sound. `urlOnly`: the wire has no room for base64. */
export interface MediaField extends Common {
  kind: 'media';
  role: MediaRole;
  urlOnly?: boolean;
}

/** An id that is passed on as text. */
export interface IdField extends Common {
  kind: 'id';
}

/** The id of something an account owns; `digits`: ids of this kind are decimal numbers. */
export interface ResourceField extends Common {
  kind: 'resource';
  resource: ResourceKind;
  digits?: boolean;
}

export interface ListField extends Common {
  kind: 'list';
  min: number;
  max: number;
  of: Field;
}

export interface ObjectField extends Common {
  kind: 'object';
  fields: Fields;
  /** Groups of fields of which exactly one is to be given. */
  exactlyOne?: readonly (readonly string[])[];
  /** The field that is meant where a bare value stands for the object. */
  bare?: string;
}

/** A field that exists, but not here; `instead` says where. */
export interface UnavailableField extends Common {
  kind: 'unavailable';
  instead: string;
}

export type Field =
  | TextField
  | NumberField
  | IntegerField
  | WordField
  | FlagField
  | MediaField
  | IdField
  | ResourceField
  | ListField
  | ObjectField
  | UnavailableField;

export type Fields = Readonly<Record<string, Field>>;

/** A request that was read, for the rules that no single field can express. */
export interface Asked {
  operation: string;
  model: string;
  /** Judged values, defaults filled; media and resources are null here. */
  parameters: Record<string, Json>;
  /** Whether the caller gave a top-level field. */
  isGiven(name: string): boolean;
  /** Takes a field out again, with a note that it was. */
  drop(name: string, code: string, message: string): void;
  warnings: Warning[];
}

/** How much of which tier a request uses. */
export interface Bill {
  tier: string;
  quantity: number;
  /** The most that may be charged; absent: `quantity`. */
  quantityMax?: number;
  /** Charged by the output's whole seconds. */
  billsOutputLength?: boolean;
  /** Whole seconds of a film or sound that were asked for. */
  seconds?: number;
  /** How many results; absent: one. */
  count?: number;
}

/** A feature as its family describes it. */
export interface FeatureDescription extends Omit<FeatureSpec, 'tiers'> {
  /** The parameters; where models differ, a function of the model. */
  parameters: Omit<ObjectField, 'kind'> | ((model: string) => Omit<ObjectField, 'kind'>);
  /** The parameter that holds what people would call the prompt. */
  prompt?: string;
  /** Rules over several fields; throws GatewayError naming one of them. */
  check?(asked: Asked): void;
  bill(asked: Asked): Bill;
  /** Every tier that a model can resolve to. */
  tiersOf(model: string): string[];
}
