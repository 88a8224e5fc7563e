/** What dialects ask of the gateway, and what they are. */
import type { Readable } from 'node:stream';
import type { Json } from '../../lib/json.ts';
import type { Warning } from '../errors.ts';
import type { Intent } from '../intent.ts';
import type { Currency } from '../money.ts';
import type { LooseFeature, ResolvedFeature, ResourceKind } from '../request/feature.ts';
import type { LooseVideo, ResolvedVideo } from '../request/types.ts';
import type { Task, TaskState } from '../task.ts';
import type { Webhooks } from '../webhook-ports.ts';
import type { Principal, ResponseStyle } from './access.ts';
import type { PriceView } from './admin.ts';
import type { FeatureSpec, ModelSpec, Quote } from './catalogue.ts';
import type { FileRow, ResourceRow, WalletRow } from './rows.ts';

/** Where a waiting task stands in its lane. */
export interface QueuePlace {
  /** 1: it is next. */
  position: number;
  /** About how long until it starts, by how the channel did lately; null: it has not made anything yet. */
  estimatedSeconds: number | null;
}

/** A task with everything a dialect needs to render it, links included. */
export interface TaskView {
  task: Task;
  /** Signed links to our own copies, valid until `expiresAt` (Unix seconds); null until completed. */
  links: {
    video: string;
    cover: string | null;
    watermarked: string | null;
    /** Every output in the order of `task.result.outputs`. */
    outputs: string[];
    expiresAt: number;
  } | null;
  /** Only while it waits; callers whose answers are strict are not told. */
  place?: QueuePlace;
  /** The answer to a repeat: nothing was created for it. */
  replayed?: true;
}

export interface FeatureEstimate {
  quote: Quote;
  resolved: ResolvedFeature;
  balanceAfterMicros: bigint;
  warnings: Warning[];
}

export interface Estimate {
  quote: Quote;
  resolved: ResolvedVideo;
  balanceAfterMicros: bigint;
  warnings: Warning[];
}

export interface CreateOptions {
  dryRun: boolean;
  /** From header or body, already a decimal string; null: none. */
  maxCost: string | null;
  /** From the header, as it was written; null: none. */
  priority: string | null;
  /** How a repeat of the request is recognised; null for a dry run, which has nothing to repeat. */
  intent: Intent | null;
}

/** How a create that is no dry run is asked for. */
export interface CreateOnce {
  dryRun: false;
  intent?: Intent | null;
}

export type Variant = 'video' | 'thumbnail' | 'spritesheet' | 'watermarked';

/** Bytes to be served: total size and a way to open a range of them. */
export interface Content {
  bytes: number;
  contentType: string;
  etag: string;
  /** Unix ms. */
  modifiedAt: number;
  filename: string;
  open(range?: { start: number; end: number }): Promise<Readable>;
}

export interface TaskQuery {
  /** Only tasks asked for at this surface. */
  surface?: string;
  order: 'asc' | 'desc';
  /** Keyset: tasks after this id in the chosen order. */
  after?: string;
  limit: number;
}

export interface TaskSearch {
  /** Any of them; absent: all. */
  states?: TaskState[];
  /** Unix ms, both included. */
  createdFrom: number;
  createdTo: number;
  cursor: string | null;
  limit: number;
}

/** What dialects ask of the gateway: the verbs, without any wire. */
export interface Gateway {
  createVideo(principal: Principal, loose: LooseVideo, options: CreateOnce): Promise<TaskView>;
  createVideo(principal: Principal, loose: LooseVideo, options: { dryRun: true }): Promise<Estimate>;
  /** A feature; where it is immediate, the view that comes back is final. */
  createFeature(principal: Principal, loose: LooseFeature, options: CreateOnce): Promise<TaskView>;
  createFeature(
    principal: Principal,
    loose: LooseFeature,
    options: { dryRun: true },
  ): Promise<FeatureEstimate>;
  /** What the account made and owns at some channel: voices, elements. Newest first. */
  listResources(
    principal: Principal,
    kind: ResourceKind,
    query: { page: number; pageSize: number },
  ): Promise<ResourceRow[]>;
  /** Throws `not_found`. */
  findResource(principal: Principal, kind: ResourceKind, id: string): Promise<ResourceRow>;
  /** Deletes it upstream, then here; throws `not_found`. */
  deleteResource(principal: Principal, kind: ResourceKind, id: string): Promise<ResourceRow>;
  /** What an upstream offers everyone (preset voices and elements), in the family's own words. */
  listPresets(
    principal: Principal,
    family: string,
    kind: ResourceKind,
    query: { page: number; pageSize: number },
  ): Promise<Json[]>;
  wallet(principal: Principal): Promise<WalletRow & { toppedUpMicros: bigint; currency: Currency }>;
  createFile(
    principal: Principal,
    input: {
      bytes: Buffer;
      filename: string;
      purpose: string;
      contentType: string | null;
      expiresAt: number | null;
    },
    intent?: Intent | null,
  ): Promise<FileRow & { replayed?: true }>;
  /** Throws `file_not_found`, for another account's too. */
  findFile(principal: Principal, id: string): Promise<FileRow>;
  listFiles(
    principal: Principal,
    query: { purpose?: string; order: 'asc' | 'desc'; after?: string; limit: number },
  ): Promise<{ files: FileRow[]; hasMore: boolean }>;
  deleteFile(principal: Principal, id: string): Promise<void>;
  fileContent(principal: Principal, id: string): Promise<Content>;
  /** The capability card of a public model name; null when there is none. */
  findModel(principal: Principal, name: string): ModelDetail | null;
  /** By task id or the account's own external id; hidden and foreign tasks are `task_not_found`. */
  findTask(principal: Principal, idOrExternalId: string): Promise<TaskView>;
  listTasks(principal: Principal, query: TaskQuery): Promise<{ tasks: TaskView[]; hasMore: boolean }>;
  /** Newest first. It may find fewer than asked for, even none, though more follow: null is the end, nothing else. */
  searchTasks(
    principal: Principal,
    search: TaskSearch,
  ): Promise<{ tasks: TaskView[]; cursor: string | null }>;
  /** Kling's numbered pages. */
  pageTasks(
    principal: Principal,
    query: { surface: string; page: number; pageSize: number },
  ): Promise<TaskView[]>;
  /** Cancels what was never submitted, hides what is finished, refuses what runs (`task_running`). */
  deleteTask(principal: Principal, idOrExternalId: string): Promise<void>;
  content(principal: Principal, taskId: string, variant: Variant): Promise<Content>;
  webhooks: Webhooks;
  listModels(principal: Principal): ModelSpec[];
  /** Those that the principal may use. */
  listModelCards(principal: Principal): ModelCard[];
}

/** `GET /v1/models/{id}`: what validation reads, published. */
export interface ModelDetail {
  card: ModelCard;
  spec: ModelSpec;
  features: FeatureSpec[];
  /** Tiers it can resolve to, with today's prices. */
  prices: PriceView[];
}

/** One entry of `GET /v1/models`. */
export interface ModelCard {
  id: string;
  ownedBy: string;
}

/** A northbound wire API: paths, fields, envelopes, status words, errors. One folder, one registry line. */
export interface Dialect<Routes> {
  id: string;
  /** Path prefixes whose unknown paths and errors are answered in this dialect's words, longest first. */
  prefixes: string[];
  /** Registers the routes on an encapsulated Fastify instance that has already authenticated the caller. */
  mount(routes: Routes, gateway: Gateway): void;
  /** Renders any refusal in this dialect's shape; also used where no route matched. */
  renderError(error: DialectError): { status: number; headers?: Record<string, string>; body: unknown };
  /** The body of a callback to a URL given in a request, on every status change; absent: no callbacks. */
  renderCallback?(view: TaskView): Json;
}

export interface DialectError {
  code: import('../errors.ts').ErrorCode;
  message: string;
  param: string | null;
  requestId: string;
  retryAfterMs: number | null;
  /** Style of the key that asked; `superset` where nobody is known yet. */
  responseStyle: ResponseStyle;
  /** Path of the request, for dialects that differ by door. */
  path: string;
}
