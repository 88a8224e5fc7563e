/** The platform's addresses: which route makes what. Queries are `GET <path>/{id}` and `GET <path>?pageNum&pageSize`. */

/** Films from text, pictures and sounds (legacy standard). */
export const KLING_PATHS = {
  text2video: '/v1/videos/text2video',
  image2video: '/v1/videos/image2video',
  multiImage2video: '/v1/videos/multi-image2video',
  omniVideo: '/v1/videos/omni-video',
  motionControl: '/v1/videos/motion-control',
  avatar: '/v1/videos/avatar/image2video',
  advancedLipSync: '/v1/videos/advanced-lip-sync',
} as const;

export type KlingPath = (typeof KLING_PATHS)[keyof typeof KLING_PATHS];

/** How a feature is asked for. */
export interface FeatureRoute {
  path: string;
  /** The route has a `model_name` of its own; absent: it knows one model only. */
  takesModel?: boolean;
  /** Answered at once. `data`: what was found; `task`: a task that is finished already. Absent: a task to poll. */
  immediate?: 'data' | 'task';
  /** Whose units it takes: of the video pack when absent. */
  costUnit?: 'image_unit' | 'try_on_unit';
  /** Each picture it makes takes a slot of the image pack (specs/kling.md §2.6); absent: one slot for the task. */
  slots?: 'pictures';
}

const multiElements = '/v1/videos/multi-elements';

/** Every feature of the catalogue and the legacy route that makes it; the new standard keeps these routes. */
export const FEATURE_ROUTES = {
  'video-extend': { path: '/v1/videos/video-extend' },
  'lip-sync-classic': { path: '/v1/videos/lip-sync' },
  'identify-face': { path: '/v1/videos/identify-face', immediate: 'data' },
  'lip-sync-advanced': { path: KLING_PATHS.advancedLipSync },
  effects: { path: '/v1/videos/effects' },
  'multi-elements-init': { path: `${multiElements}/init-selection`, immediate: 'data' },
  'multi-elements-add-selection': { path: `${multiElements}/add-selection`, immediate: 'data' },
  'multi-elements-delete-selection': { path: `${multiElements}/delete-selection`, immediate: 'data' },
  'multi-elements-clear-selection': { path: `${multiElements}/clear-selection`, immediate: 'data' },
  'multi-elements-preview-selection': { path: `${multiElements}/preview-selection`, immediate: 'data' },
  'multi-elements': { path: multiElements, takesModel: true },
  'image-recognize': { path: '/v1/videos/image-recognize', immediate: 'data' },
  'text-to-audio': { path: '/v1/audio/text-to-audio' },
  'video-to-audio': { path: '/v1/audio/video-to-audio' },
  'text-to-speech': { path: '/v1/audio/tts', immediate: 'task' },
  'text-to-image': {
    path: '/v1/images/generations',
    takesModel: true,
    costUnit: 'image_unit',
    slots: 'pictures',
  },
  'multi-image-to-image': {
    path: '/v1/images/multi-image2image',
    takesModel: true,
    costUnit: 'image_unit',
    slots: 'pictures',
  },
  'omni-image': {
    path: '/v1/images/omni-image',
    takesModel: true,
    costUnit: 'image_unit',
    slots: 'pictures',
  },
  'image-expand': { path: '/v1/images/editing/expand', costUnit: 'image_unit', slots: 'pictures' },
  'virtual-try-on': {
    path: '/v1/images/kolors-virtual-try-on',
    takesModel: true,
    costUnit: 'try_on_unit',
  },
  'ai-multi-shot': { path: '/v1/general/ai-multi-shot', costUnit: 'image_unit' },
  'custom-voice': { path: '/v1/general/custom-voices' },
  'custom-element': { path: '/v1/general/advanced-custom-elements' },
} satisfies Record<string, FeatureRoute>;

export type FeatureOperation = keyof typeof FEATURE_ROUTES;

/** Null for an operation the platform does not have. */
export function routeOf(operation: string): FeatureRoute | null {
  return Object.hasOwn(FEATURE_ROUTES, operation) ? FEATURE_ROUTES[operation as FeatureOperation] : null;
}

/** Presets and the end of what lives on, per kind of resource. */
export const RESOURCE_ROUTES = {
  voice: { presets: '/v1/general/presets-voices', remove: '/v1/general/delete-voices', id: 'voice_id' },
  element: {
    presets: '/v1/general/advanced-presets-elements',
    remove: '/v1/general/delete-elements',
    id: 'element_id',
  },
} as const;

/** The new standard: the model is in the path, queries are by id alone. */
export const NEW_TASKS_PATH = '/tasks';

const taskPaths = new Set<string>([
  ...Object.values(KLING_PATHS),
  ...Object.values(FEATURE_ROUTES).map(({ path }) => path),
]);

/** Whether tasks are made (and queried) under this legacy path. */
export function isTaskPath(path: unknown): path is string {
  return typeof path === 'string' && taskPaths.has(path);
}

const byOwnId = new Set<string>([
  KLING_PATHS.text2video,
  KLING_PATHS.image2video,
  KLING_PATHS.multiImage2video,
  KLING_PATHS.omniVideo,
  KLING_PATHS.motionControl,
]);

/** Whether the documentation says that a task can be asked for by its `external_task_id` here. */
export function isQueriedByOwnId(path: string): boolean {
  return byOwnId.has(path);
}

/** What the units of a task made at this path are counted in. */
export function costUnitAt(path: string): string {
  return costUnits.get(path) ?? 'unit';
}

const costUnits = new Map(
  Object.values(FEATURE_ROUTES).map((route: FeatureRoute) => [
    route.path as string,
    route.costUnit ?? 'unit',
  ]),
);
