/** Names to models: all families behind one look-up. */
import type { AliasSpec, Family, FeatureSpec, ModelCard, ModelSpec } from './ports.ts';

/** What a public name stands for. */
export interface CatalogueEntry {
  family: Family;
  /** The catalogue's own spelling of the name. */
  name: string;
  /** The model; for an alias, all that the models behind it can do together. */
  model: ModelSpec;
  /** Null when the name is a model's. */
  alias: AliasSpec | null;
}

/** All that is known of a public name: what validation reads. */
export interface CatalogueDetail {
  family: Family;
  spec: ModelSpec;
  /** Features it can be asked for, each with the tiers this model resolves to. */
  features: FeatureSpec[];
  /** Tiers it can resolve to. */
  tiers: string[];
}

export interface Catalogue {
  families: readonly Family[];
  /** Every public model and alias, hidden ones left out. */
  models: ModelSpec[];
  /** The same names for `GET /v1/models`. */
  modelCards: ModelCard[];
  /** A model or alias by name, in any case; null when there is none. */
  find(name: string): CatalogueEntry | null;
  /** {@link find} with features and tiers. */
  detail(name: string): CatalogueDetail | null;
  /** A family by its id. Throws for an id that no request can carry. */
  family(id: string): Family;
}

/** Builds the catalogue. Throws when two families or models claim one name, or an alias points nowhere. */
export function createCatalogue(families: readonly Family[]): Catalogue {
  const byId = new Map<string, Family>();
  const byName = new Map<string, CatalogueEntry>();
  const models: ModelSpec[] = [];
  const modelCards: ModelCard[] = [];

  const add = (name: string, entry: CatalogueEntry): void => {
    const key = name.toLowerCase();
    if (byName.has(key)) throw new Error(`the catalogue has two models named ${name}`);
    byName.set(key, entry);
  };
  const list = (family: Family, model: ModelSpec): void => {
    models.push(model);
    modelCards.push({ id: model.id, ownedBy: family.id });
  };

  for (const family of families) {
    if (byId.has(family.id)) throw new Error(`the catalogue has two families named ${family.id}`);
    byId.set(family.id, family);
    for (const model of family.models) {
      const entry: CatalogueEntry = { family, name: model.id, model, alias: null };
      for (const name of [model.id, ...model.aliases]) add(name, entry);
      if (model.hidden !== true) list(family, model);
    }
    for (const alias of family.aliases) {
      const model = specOfAlias(family, alias);
      add(alias.id, { family, name: alias.id, model, alias });
      if (!alias.hidden) list(family, model);
    }
  }

  const find = (name: string): CatalogueEntry | null => byName.get(name.trim().toLowerCase()) ?? null;

  return {
    families,
    models,
    modelCards,
    find,
    detail(name) {
      const entry = find(name);
      return entry === null ? null : detailOf(entry);
    },
    family(id) {
      const family = byId.get(id);
      if (family === undefined) throw new Error(`no family is named ${id}`);
      return family;
    },
  };
}

function detailOf({ family, model, alias }: CatalogueEntry): CatalogueDetail {
  const tiers = model.tiers ?? [];
  // An alias is a name for films; features are asked of models by their own names.
  const features = alias === null ? family.features.filter(({ models }) => models.includes(model.id)) : [];
  return {
    family,
    spec: model,
    features: features.map((feature) => ({
      ...feature,
      tiers: feature.tiers.filter((tier) => tiers.includes(tier)),
    })),
    tiers,
  };
}

/** An alias as a model: the union of what the models behind it can do, as far as the name allows. */
function specOfAlias(family: Family, alias: AliasSpec): ModelSpec {
  const behind = alias.models.map((id) => {
    const model = family.models.find((candidate) => candidate.id === id);
    if (model === undefined) throw new Error(`the alias ${alias.id} names ${id}, which is no model`);
    return model;
  });
  const union = <Value>(read: (model: ModelSpec) => Value[]): Value[] => [...new Set(behind.flatMap(read))];
  const operations = alias.operations ?? union((model) => model.operations);
  // Lengths, ratios and features are those of ordinary films; a scene has its own, which follow from its media.
  const makesFilms = operations.includes('text-to-video') || operations.includes('image-to-video');
  return {
    id: alias.id,
    title: alias.title,
    aliases: [],
    operations,
    durations: makesFilms ? union((model) => model.durations).sort((one, other) => one - other) : [],
    resolutions: union((model) => model.resolutions),
    aspectRatios: makesFilms ? union((model) => model.aspectRatios) : [],
    features: makesFilms
      ? union((model) => model.features).filter((feature) => !alias.lacks?.includes(feature))
      : [],
    modes: union((model) => model.modes ?? []),
    tiers: alias.tiers ?? union((model) => model.tiers ?? []),
  };
}
