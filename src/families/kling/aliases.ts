/**
 * Seed 003's names: each stands for several models and settles on one by what is asked for (specs/kling.md §6.1, §8
 * rows 1, 15, 20, 23). What an alias is billed as follows from the alias, not from the model that does the work.
 */
import type { AliasSpec } from '../../core/ports.ts';
import type { VideoOperation } from '../../core/request/types.ts';

export interface Wanted {
  operation: VideoOperation;
  sound: boolean;
}

export interface KlingAlias extends AliasSpec {
  /** First part of the tiers it is billed by. */
  tierStem: string;
  /** The scene the name itself means; null: any. */
  operation: VideoOperation | null;
  /** The grade the name itself means; null: as asked. */
  resolution: '720P' | '1080P' | null;
  settle(wanted: Wanted): string;
}

const isText = ({ operation }: Wanted): boolean => operation === 'text-to-video';

const general = { hidden: false, operation: null, resolution: null };
const byOneModel = (id: string, title: string, model: string): KlingAlias => ({
  ...general,
  id,
  title,
  tierStem: id,
  models: [model],
  settle: () => model,
});

export const aliases: KlingAlias[] = [
  byOneModel('kling-1.0', 'Kling 1.0', 'kling-v1'),
  {
    ...general,
    id: 'kling-1.5',
    title: 'Kling 1.5',
    tierStem: 'kling-1.5',
    models: ['kling-v1-5', 'kling-v1-6'],
    // Pictures settle on 1.5, which takes one.
    lacks: ['references'],
    // 1.5 makes film from pictures only; its successor takes the texts (row 23).
    settle: (wanted) => (isText(wanted) ? 'kling-v1-6' : 'kling-v1-5'),
  },
  byOneModel('kling-2.0', 'Kling 2.0', 'kling-v2-master'),
  {
    ...general,
    id: 'kling-2.1',
    title: 'Kling 2.1',
    tierStem: 'kling-2.1',
    models: ['kling-v2-1', 'kling-v2-1-master'],
    settle: (wanted) => (isText(wanted) ? 'kling-v2-1-master' : 'kling-v2-1'),
  },
  {
    ...general,
    id: 'kling-2.5',
    title: 'Kling 2.5',
    tierStem: 'kling-2.5',
    models: ['kling-v2-5-turbo', 'kling-v2-6'],
    // Sound and motion came with 2.6.
    settle: ({ operation, sound }) =>
      sound || operation === 'motion-control' ? 'kling-v2-6' : 'kling-v2-5-turbo',
  },
  // The new standard's name (§4): exactly this model, where `kling-2.5` may turn into 2.6.
  {
    ...byOneModel('kling-2.5-turbo', 'Kling 2.5 Turbo', 'kling-v2-5-turbo'),
    hidden: true,
    tierStem: 'kling-2.5',
  },
  // Seed 003's examples send it, its table does not list it (row 1); the new standard's name as well.
  {
    ...byOneModel('kling-2.6', 'Kling 2.6', 'kling-v2-6'),
    hidden: true,
    tierStem: 'kling-2.5',
  },
  byOneModel('kling-3.0', 'Kling 3.0', 'kling-v3'),
  byOneModel('kling-3.0-omni', 'Kling 3.0 Omni', 'kling-v3-omni'),
  byOneModel('kling-o1', 'Kling O1', 'kling-video-o1'),
  {
    ...byOneModel('kling-avatar-720p', 'Kling Avatar 720P', 'kling-v2-6'),
    operation: 'avatar',
    operations: ['avatar'],
    resolution: '720P',
  },
  {
    ...byOneModel('kling-avatar-1080p', 'Kling Avatar 1080P', 'kling-v2-6'),
    operation: 'avatar',
    operations: ['avatar'],
    resolution: '1080P',
  },
  {
    ...byOneModel('kling-identify-face', 'Kling lip-sync', 'kling-v2-6'),
    operation: 'lip-sync',
    operations: ['lip-sync'],
  },
];

const byName = new Map(aliases.map((alias) => [alias.id, alias]));

/** A requested name in the spelling of these tables. */
export function spelled(requestedModel: string): string {
  return requestedModel.trim().toLowerCase();
}

/** The alias of a requested name, in any case; null when the name is a model's own. */
export function aliasOf(requestedModel: string): KlingAlias | null {
  return byName.get(spelled(requestedModel)) ?? null;
}

/** Who makes avatars and lip-sync: upstreams have models of their own for them, known by this one's name. */
export const speakingModel = 'kling-v2-6';
