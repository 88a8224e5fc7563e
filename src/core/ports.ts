/**
 * The interfaces between modules. Vocabulary: STYLE §8 as kept in CONTRIBUTING.md: *dialect* is how it is
 * asked for, *family* what is sold, *provider* who makes it, *channel* one configured account there, *task* what
 * the caller sees, *attempt* one submission of it to one channel.
 */
import type { Readable } from 'node:stream';
import type { Json } from '../lib/json.ts';
import type { Clock } from '../lib/clock.ts';
import type { Currency } from './money.ts';
import type { Warning } from './errors.ts';
import type { Intent } from './intent.ts';
import type { Limits } from './limits.ts';
import type { SizeClaim } from './request/frame.ts';
import type {
  CameraControl,
  DynamicMask,
  LooseVideo,
  Media,
  Quality,
  ReferenceVideo,
  Resolution,
  ResolvedVideo,
  Shot,
  VideoOperation,
  VideoRequest,
} from './request/types.ts';
import type {
  FeatureMakes,
  FeatureRequest,
  LooseFeature,
  ResolvedFeature,
  ResourceKind,
} from './request/feature.ts';
import type { FailureCode, OutputRole, Task, TaskState } from './task.ts';
import type { DeliveryDetail, Webhooks, WebhookStore } from './webhook-ports.ts';

export type { Clock, Json };

// ---------------------------------------------------------------------------------------------- access

/** Who asks: an API key and the account it belongs to. */
export interface Principal {
  accountId: string;
  keyId: string;
  /** `strict` answers exactly the bare Kling envelope and refuses data URIs on `/v1/videos`. */
  responseStyle: ResponseStyle;
  /** What the key and its account are held to; absent: nothing. */
  limits?: readonly OwnedLimits[];
}

/** Limits, and whose they are: a key's or an account's. */
export interface OwnedLimits extends Limits {
  ownerId: string;
  owner: 'key' | 'account';
}

export type ResponseStyle = 'superset' | 'strict';

// ---------------------------------------------------------------------------------------------- catalogue

/** What one model can do, as data: validation and the public model page both read it. */
export interface ModelSpec {
  id: string;
  title: string;
  /** Other public names of exactly this model; matched case-insensitively like `id`. */
  aliases: string[];
  operations: VideoOperation[];
  /** Seconds that may be asked for, ascending. */
  durations: number[];
  resolutions: Resolution[];
  aspectRatios: string[];
  /** Capability words, e.g. `end_frame`, `sound`, `multi_shot`, `references`, `camera_control`. */
  features: string[];
  /** Quality switches of films (`std`, `pro`, `4k`); absent: it has none. */
  modes?: string[];
  /** Tiers it can resolve to, those of its features included. */
  tiers?: string[];
  /** Known to providers and look-ups, not listed to callers. */
  hidden?: boolean;
}

/** A public name that stands for several models and settles on one by what is asked (seed 003's `kling-2.1`). */
export interface AliasSpec {
  id: string;
  title: string;
  /** Hidden aliases resolve but are not listed. */
  hidden: boolean;
  /** Models it may settle on. */
  models: string[];
  /** What the name itself narrows the models to; absent: all they do. */
  operations?: VideoOperation[];
  /** Features that one of the models has, but that never settle on it under this name. */
  lacks?: string[];
  /** Tiers it can resolve to; absent: those of its models. */
  tiers?: string[];
}

/** A row of the price book: what one unit of a tier costs. */
export interface PriceRow {
  tier: string;
  /** What is counted: `second`, `image`, `call`, … */
  unit: string;
  /** Thousandths of the maker's official unit per unit (0.2 units per second = 200). */
  officialMilliUnits: number;
  /** Narrowing by operation, model or surcharge; the most specific row wins. */
  operation?: string;
  model?: string;
  /** The row holds only for requests that carry this surcharge (`surchargeOf`). */
  surcharge?: string;
  /** Least quantity that is charged. */
  quantityMin?: number;
}

export interface PictureLimits {
  contentTypes: string[];
  bytesMax: number;
  /** Shortest side, pixels. */
  sideMin: number;
  /** Longer side divided by the shorter one. */
  ratioMax: number;
}

export interface Family {
  id: string;
  title: string;
  models: ModelSpec[];
  aliases: AliasSpec[];
  /** What a picture must be, wherever it comes from; checked on those whose bytes we have. */
  pictures: PictureLimits;
  /** Every tier there is (the closed list of the grammar). */
  tiers: string[];
  prices: PriceRow[];
  /**
   * Judges a request whose generic fields are resolved: settles the model, applies the family's defaults, refuses
   * what lies outside the capability matrix (GatewayError naming field and allowed values), names its tier.
   */
  resolveVideo(draft: VideoDraft): { request: VideoRequest; warnings: Warning[] };
  tierOf(request: VideoRequest): string;
  /** Units that are charged for this request (seconds; lip-sync has a minimum). */
  billableQuantity(request: VideoRequest): number;
  /** The most units that may be charged; differs from `billableQuantity` only where the output's length counts. */
  billableQuantityMax(request: VideoRequest): number;
  /** What makes this request dearer than its tier's plain price (`ref`, `voice`); null: nothing. */
  surchargeOf(request: VideoRequest): string | null;
  /** What it sells beside films from text and pictures, described as data. */
  features: FeatureSpec[];
  /** Judges a feature by its description; throws GatewayError naming the field and the allowed values. */
  resolveFeature(loose: LooseFeature): ResolvedFeature;
}

/** A feature as others may know it: for routing, the model page and the coverage table. */
export interface FeatureSpec {
  operation: string;
  title: string;
  makes: FeatureMakes;
  /** The upstream answers at once; nothing is polled. */
  immediate: boolean;
  /** Models it can be asked of; the first is the default. */
  models: string[];
  tiers: string[];
}

/**
 * What core hands to a family: the loose input and the generic fields resolved so far. Null means that nobody asked;
 * defaults are the family's.
 */
export interface VideoDraft {
  loose: LooseVideo;
  requestedModel: string;
  /** What each field's winning claim was; the family adds its defaults and derivations here. */
  sources: Record<string, string>;
  /** Empty where nothing was written. */
  prompt: string;
  negativePrompt: string | null;
  seconds: number | null;
  /** From the fields that name a grade; `size` and `mode` speak for themselves. */
  resolution: Resolution | null;
  size: SizeClaim | null;
  /** `W:H`, any ratio; the family says which ones it takes. */
  aspectRatio: string | null;
  sound: boolean | null;
  mode: Quality | null;
  motionLevel: 'std' | 'pro' | null;
  scene: VideoOperation | null;
  firstFrame: Media | null;
  /** Pictures in a list: references or a first frame, as the model has it. */
  images: Media[];
  /** Pictures that were named references. */
  references: Media[];
  /** Pictures that came with other files and without a role. */
  unassigned: Media[];
  lastFrame: Media | null;
  referenceVideo: ReferenceVideo | null;
  cfgScale: number | null;
  cameraControl: CameraControl | null;
  staticMask: Media | null;
  dynamicMasks: DynamicMask[];
  multiShot: boolean | null;
  shotType: 'customize' | 'intelligence' | null;
  shots: Shot[] | null;
  voiceIds: string[];
  elementIds: string[];
  characterOrientation: 'image' | 'video' | null;
  keepOriginalSound: boolean | null;
  audio: Media | null;
  watermark: boolean;
  retention: VideoRequest['retention'];
  compliance: VideoRequest['compliance'];
  extensions: VideoRequest['extensions'];
}

/** The price of one request before acceptance: estimate, hold and charge all come from here. */
export interface Quote {
  tier: string;
  unit: string;
  quantity: number;
  /** The most that may be charged where the length is only known at the end; otherwise equal to `quantity`. */
  quantityMax: number;
  /** Where the output's length counts: the least that is charged; absent: one. */
  quantityMin?: number;
  unitPriceMicros: bigint;
  /** What is held: quantityMax × unit price. */
  amountMicros: bigint;
  currency: Currency;
  priceBook: string;
}

// ---------------------------------------------------------------------------------------------- tasks as dialects see them

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
  findModel(name: string): ModelDetail | null;
  /** By task id or the account's own external id; hidden and foreign tasks are `task_not_found`. */
  findTask(principal: Principal, idOrExternalId: string): Promise<TaskView>;
  listTasks(principal: Principal, query: TaskQuery): Promise<{ tasks: TaskView[]; hasMore: boolean }>;
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
  listModelCards(): ModelCard[];
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
  code: import('./errors.ts').ErrorCode;
  message: string;
  param: string | null;
  requestId: string;
  retryAfterMs: number | null;
  /** Style of the key that asked; `superset` where nobody is known yet. */
  responseStyle: ResponseStyle;
  /** Path of the request, for dialects that differ by door. */
  path: string;
}

// ---------------------------------------------------------------------------------------------- administration

/** What a new key's owner sees exactly once. */
export interface IssuedKey {
  id: string;
  apiKey: string;
  accessKey: string;
  secretKey: string;
}

/** A channel as operators see it: never the credential. */
export interface ChannelView extends Omit<ChannelRow, 'credentialSealed'> {
  /** Running and waiting now. */
  running: number;
  waiting: number;
}

/** What the admin API, the console and the CLI can do. Refusals are GatewayErrors. */
export interface Admin {
  listAccounts(query: PageQuery): Promise<Page<AccountRow>>;
  createAccount(input: { name: string }): Promise<AccountRow>;
  getAccount(id: string): Promise<AccountRow>;
  /** `limits: null` takes them away. */
  updateAccount(
    id: string,
    patch: { name?: string; status?: AccountRow['status']; limits?: Limits | null },
  ): Promise<AccountRow>;
  listKeys(accountId: string): Promise<KeyRow[]>;
  createKey(
    accountId: string,
    input: { name: string; responseStyle: ResponseStyle; limits?: Limits },
  ): Promise<IssuedKey>;
  updateKey(
    accountId: string,
    keyId: string,
    patch: { name?: string; limits?: Limits | null },
  ): Promise<KeyRow>;
  revokeKey(accountId: string, keyId: string): Promise<KeyRow>;
  topUp(
    accountId: string,
    input: { amountMicros: bigint; note: string | null },
    intent?: Intent | null,
  ): Promise<WalletRow & { replayed?: true }>;
  wallet(accountId: string): Promise<WalletRow>;
  ledger(accountId: string, query: PageQuery): Promise<Page<LedgerRow>>;
  verifyLedger(): Promise<LedgerVerdict>;
  listChannels(): Promise<ChannelView[]>;
  createChannel(input: ChannelInput): Promise<ChannelView>;
  getChannel(id: string): Promise<ChannelView>;
  updateChannel(id: string, patch: Partial<Omit<ChannelInput, 'provider'>>): Promise<ChannelView>;
  deleteChannel(id: string): Promise<void>;
  probeChannel(id: string): Promise<{ ok: boolean; message: string }>;
  listTasks(query: Parameters<Store['adminTasks']>[0]): Promise<Page<Task>>;
  taskRecord(id: string): Promise<TaskRecord>;
  webhooks: Webhooks;
  prices(): PriceView[];
}

export interface ChannelInput {
  name: string;
  provider: string;
  credential: unknown;
  baseUrl: string | null;
  priority: number;
  weight: number;
  concurrency: number | null;
  requestsPerSecond: number | null;
  enabled: boolean;
}

/** A price as it stands now, the operator's overrides included. */
export interface PriceView {
  tier: string;
  unit: string;
  operation: string | null;
  model: string | null;
  /** Holds only for requests with this surcharge (`ref`: a reference is given; `voice`: a voice is chosen). */
  surcharge?: string | null;
  unitPriceMicros: bigint;
  currency: Currency;
  quantityMin: number | null;
  source: 'default' | 'config';
}

// ---------------------------------------------------------------------------------------------- providers

/** One configured account at an upstream, opened for use by provider code. */
export interface Channel {
  id: string;
  /** Id of the provider that speaks to it. */
  provider: string;
  /** Origin and path prefix, without a trailing slash. */
  baseUrl: string;
  /** The decrypted credential, in the shape of the provider's schema. */
  credential: Json;
  /** Whether the operator lets compliance switches reach the upstream. */
  allowsComplianceSwitches: boolean;
  http: UpstreamHttp;
  clock: Clock;
  /** Bytes of a stored media item (inline and uploaded pictures). */
  readMedia(media: Media): Promise<{ bytes: Buffer; contentType: string }>;
  /** Where the upstream may push to for this task; null when we cannot be reached. */
  callbackUrl(taskId: string): string | null;
}

export interface UpstreamHttp {
  /**
   * One exchange with the channel's upstream. Throws UpstreamError: `unavailable` when no byte can have arrived
   * (refused, unresolvable), `ambiguous` for everything else that broke (timeout, reset).
   */
  request(request: {
    method: 'GET' | 'POST' | 'DELETE';
    url: string;
    headers: Record<string, string>;
    body?: string;
    timeoutMs: number;
    signal?: AbortSignal;
  }): Promise<{ status: number; headers: Record<string, string>; text: string }>;
}

/** One exchange as the flight recorder keeps it: redacted, cut to a few KB. */
export interface Exchange {
  at: number;
  method: string;
  /** Path and query only: never a host. */
  path: string;
  request: string | null;
  status: number | null;
  response: string | null;
  durationMs: number;
  error: string | null;
}

/** A file the upstream made. `url` is the source URL: never shown to callers. */
export interface UpstreamOutput {
  role: OutputRole;
  /** Dotted path in `data` where the link to our copy belongs; the provider leaves null there. */
  path?: string;
  /** Position among outputs of the same role; absent: the first. */
  index?: number;
  url: string;
  /** Upstream's own id of the file, where later features refer to it. */
  upstreamId: string | null;
  durationSeconds: number | null;
}

/** What upstream charges us, in its own units. */
export interface UpstreamCost {
  /** Decimal string. */
  amount: string;
  unit: string;
}

/** A voice, element or session as the upstream made it. */
export interface UpstreamResource {
  kind: ResourceKind;
  upstreamId: string;
  name: string | null;
  /** Dotted paths in `data` where the upstream's id stands; the public id takes its place. */
  paths: string[];
  data: Json;
  /** Unix ms; null: does not expire. */
  expiresAt: number | null;
}

/** What an attempt found or made beside files. */
export interface Found {
  data: Json;
  resources: UpstreamResource[];
}

/** What a poll or a push tells us about an attempt. */
export type Observation =
  | { status: 'submitted' }
  | { status: 'processing' }
  | {
      status: 'succeeded';
      outputs: UpstreamOutput[];
      cost: UpstreamCost | null;
      /** What was found or made beside files, in the family's own words, with the upstream's ids. */
      data?: Json;
      /** Things that live on at this channel: the flow gives each a public id and the account owns it. */
      resources?: UpstreamResource[];
    }
  | { status: 'failed'; code: FailureCode; message: string; upstreamCode: string | null }
  /** The upstream does not know it (any more). */
  | { status: 'unknown' };

/**
 * Makes tasks of one modality at one upstream. `ref` is opaque JSON that only this provider reads; the client
 * reference is our task id, which travels as the upstream's dedup handle.
 */
export interface TaskMaker<Request> {
  /** Says why this request cannot be made here, or null when it can. Pure: routing asks it. */
  missing(request: Request): string | null;
  submit(
    request: Request,
    clientRef: string,
    channel: Channel,
    signal: AbortSignal,
    /** With `observation` where the upstream answered at once. */
  ): Promise<{ ref: Json; observation?: Observation }>;
  poll(ref: Json, channel: Channel, signal: AbortSignal): Promise<Observation>;
  /** Many at once where the upstream can list; keyed by position in `refs`; null: no news of this one now. */
  pollMany?(refs: Json[], channel: Channel, signal: AbortSignal): Promise<(Observation | null)[]>;
  /** Whether an earlier submit arrived: its ref, or null when the upstream has certainly nothing. */
  lookup?(
    request: Request,
    clientRef: string,
    channel: Channel,
    signal: AbortSignal,
  ): Promise<{ ref: Json } | null>;
  /** Reads a push. Only a hint: it makes the next poll due now. Null when it is none of ours. */
  callback?(body: Json): { clientRef: string } | null;
}

/** Our adapter to an upstream API. Money never enters it. */
export interface Provider {
  id: string;
  title: string;
  /** Base URL of the real upstream, used when a channel names none; empty: every channel has to name one. */
  baseUrlDefault: string;
  /** JSON Schema of the credential an operator enters. */
  credentials: Json;
  /** Reads a credential an operator entered; throws GatewayError `invalid_value` naming what is wrong. */
  parseCredential(value: unknown): Json;
  /** What the simulator of this upstream accepts. */
  sandboxCredential: Json;
  /** Weight of its sandbox channel in routing; absent: 1. At 0 it serves only what no other simulator can. */
  sandboxWeight?: number;
  /** Priority of its sandbox channel; absent: 0. Below that it comes after all other simulators. */
  sandboxPriority?: number;
  /** Model ids of families that this provider can make. */
  serves: string[];
  /** Most tasks running at once on a channel that names no number itself; absent: no cap of ours. */
  concurrencyDefault?: number;
  /** A cheap authenticated call: whether the credential works, and a sentence that says what to mend if not. */
  probe(channel: Channel, signal: AbortSignal): Promise<{ ok: boolean; message: string }>;
  video?: TaskMaker<VideoRequest>;
  feature?: TaskMaker<FeatureRequest>;
  /** Presets, and the end of a resource, where the upstream has them. */
  resources?: {
    /** Absent: this upstream offers none. */
    presets?(
      kind: ResourceKind,
      query: { page: number; pageSize: number },
      channel: Channel,
      signal: AbortSignal,
    ): Promise<Json[]>;
    remove(kind: ResourceKind, upstreamId: string, channel: Channel, signal: AbortSignal): Promise<void>;
  };
}

// ---------------------------------------------------------------------------------------------- store

export interface AccountRow {
  id: string;
  name: string;
  status: 'active' | 'disabled';
  createdAt: number;
  /** Absent: none. */
  limits?: Limits;
}

export interface KeyRow {
  id: string;
  accountId: string;
  name: string;
  /** First and last characters of the API key, for people. */
  hint: string;
  accessKey: string;
  secretKeySealed: string;
  responseStyle: ResponseStyle;
  createdAt: number;
  revokedAt: number | null;
  /** Absent: none. */
  limits?: Limits;
}

/** A key that may be used, with what counts of its account. */
export interface UsableKey extends KeyRow {
  accountStatus: AccountRow['status'];
  accountLimits?: Limits;
}

export interface ChannelRow {
  id: string;
  name: string;
  provider: string;
  credentialSealed: string;
  /** null: the provider's default, or the sandbox for sandbox channels. */
  baseUrl: string | null;
  priority: number;
  weight: number;
  /** Most tasks running at once; null: the provider's default. */
  concurrency: number | null;
  requestsPerSecond: number | null;
  enabled: boolean;
  sandbox: boolean;
  createdAt: number;
  updatedAt: number;
}

export type AttemptState = 'submitting' | 'accepted' | 'made' | 'refused' | 'failed' | 'lost';

export interface AttemptRow {
  id: string;
  taskId: string;
  channelId: string;
  number: number;
  state: AttemptState;
  ref: Json | null;
  /** The process that is submitting, and until when it is trusted to (Unix ms). */
  owner: string;
  submitDeadlineAt: number;
  createdAt: number;
  acceptedAt: number | null;
  endedAt: number | null;
  outputs: UpstreamOutput[] | null;
  found: Found | null;
  cost: UpstreamCost | null;
  upstreamCode: string | null;
  message: string | null;
}

/** An open attempt with what the lane needs of its task. */
export interface OpenAttempt {
  attempt: AttemptRow;
  task: Task;
}

/** A thing that belongs to the account that made it and is pinned to the channel that knows it. */
export interface ResourceRow {
  /** Public id: decimal digits, because clients of this family send some of them as numbers. */
  id: string;
  accountId: string;
  kind: ResourceKind;
  channelId: string;
  upstreamId: string;
  name: string | null;
  data: Json;
  taskId: string | null;
  createdAt: number;
  expiresAt: number | null;
  deletedAt: number | null;
}

/** A file the account keeps with us. */
export interface FileRow {
  id: string;
  accountId: string;
  filename: string;
  purpose: string;
  contentType: string;
  bytes: number;
  width: number | null;
  height: number | null;
  mediaKey: string;
  createdAt: number;
  expiresAt: number | null;
}

export type LedgerKind = 'top_up' | 'adjustment' | 'hold' | 'settle' | 'release' | 'refund';
/** `available` and `held` are the account's; `revenue` and `funding` are the house's. */
export type LedgerBook = 'available' | 'held' | 'revenue' | 'funding';

export interface LedgerRow {
  id: string;
  /** Rows of one posting sum to zero. */
  postingId: string;
  accountId: string;
  kind: LedgerKind;
  book: LedgerBook;
  amountMicros: bigint;
  taskId: string | null;
  note: string | null;
  createdAt: number;
}

export interface WalletRow {
  accountId: string;
  availableMicros: bigint;
  heldMicros: bigint;
}

/** A fact with a dotted type, committed together with the change it describes: state history and outbox in one. */
export interface EventRow {
  id: string;
  type: string;
  accountId: string;
  taskId: string | null;
  data: Json;
  createdAt: number;
}

export interface NewTask {
  task: Task;
  /** Opened at once when the request itself will submit; null: the task waits for its lane. */
  attempt: { id: string; owner: string; submitDeadlineAt: number } | null;
  /** Committed with the task, so that after a crash a repeat finds both or neither. */
  remember?: RememberKey | RememberSending | null;
}

/** An idempotency key that is being used. */
export interface RememberKey {
  kind: 'key';
  /** An account's id, or `admin`: a key means nothing to anybody else. */
  scope: string;
  key: string;
  requestHash: string;
  expiresAt: number;
  /** What it named before, where that came to nothing and may be tried again. */
  replaces: string | null;
}

/** A create that an SDK sent and may send again by itself. */
export interface RememberSending {
  kind: 'sending';
  requestHash: string;
  retryCount: number;
}

/** What an idempotency key was used for. */
export interface UsedKey {
  requestHash: string;
  /** The task, the file, the posting it made. */
  subjectId: string;
  /** The first answer, where it cannot be rendered again from the subject. */
  response: Json;
}

export interface JobRow {
  id: string;
  queue: string;
  data: Json;
  attempts: number;
}

/** One page by keyset: `nextCursor` is null on the last one. */
export interface Page<Row> {
  rows: Row[];
  nextCursor: string | null;
}

export interface PageQuery {
  cursor: string | null;
  limit: number;
}

/**
 * Everything durable. Every method that changes something is one transaction and compares before it sets; a
 * method that found the state already moved on changes nothing and says so. Rejects with GatewayError
 * `unavailable` when the engine cannot commit (disk full, locked), and then nothing happened.
 */
export interface Store {
  // accounts, keys, channels
  createAccount(row: AccountRow): Promise<void>;
  /** `limits: null` takes them away. */
  updateAccount(
    id: string,
    patch: Partial<Pick<AccountRow, 'name' | 'status'>> & { limits?: Limits | null },
    at: number,
  ): Promise<AccountRow | null>;
  getAccount(id: string): Promise<AccountRow | null>;
  listAccounts(query: PageQuery): Promise<Page<AccountRow>>;
  createKey(row: KeyRow & { keyHash: string }): Promise<void>;
  listKeys(accountId: string): Promise<KeyRow[]>;
  /** Null when there is no such key. `limits: null` takes them away. */
  updateKey(
    input: { accountId: string; id: string; at: number },
    patch: { name?: string; limits?: Limits | null },
  ): Promise<KeyRow | null>;
  /** Null when there is no such key, or it is revoked already. */
  revokeKey(accountId: string, id: string, at: number): Promise<KeyRow | null>;
  /** Only keys that are not revoked, with the account's status. */
  findKeyByHash(keyHash: string): Promise<UsableKey | null>;
  findKeyByAccessKey(accessKey: string): Promise<UsableKey | null>;
  createChannel(row: ChannelRow): Promise<void>;
  updateChannel(id: string, patch: Partial<Omit<ChannelRow, 'id' | 'createdAt'>>): Promise<ChannelRow | null>;
  /** Deleted channels stay readable by id, so that their running tasks can be polled to the end. */
  deleteChannel(id: string, at: number): Promise<boolean>;
  getChannel(id: string): Promise<ChannelRow | null>;
  listChannels(): Promise<ChannelRow[]>;
  /** Channels, deleted ones included, that still have open attempts or waiting tasks. */
  channelsWithWork(): Promise<ChannelRow[]>;

  // tasks
  /**
   * Task + hold + event (+ attempt, + what recognises a repeat). Refuses with `duplicate_external_task_id`,
   * `insufficient_quota`, `concurrency_limit_exceeded`, `spend_limit_exceeded`, or with `request_in_progress` where
   * the idempotency key was used in the meantime.
   */
  acceptTask(input: NewTask): Promise<void>;
  /** Opens attempts for waiting tasks; answers the ids of those that were still waiting. */
  openAttempts(
    attempts: {
      id: string;
      taskId: string;
      channelId: string;
      owner: string;
      submitDeadlineAt: number;
      at: number;
    }[],
  ): Promise<string[]>;
  /** submitting -> accepted. False when it was no longer submitting. */
  acceptAttempt(input: { attemptId: string; ref: Json; at: number; exchanges: Exchange[] }): Promise<boolean>;
  /** submitting -> refused; the task goes back to waiting on `channelId` (the same or another). */
  refuseAttempt(input: {
    attemptId: string;
    at: number;
    upstreamCode: string | null;
    message: string;
    channelId: string;
    exchanges: Exchange[];
  }): Promise<boolean>;
  /** An attempt in doubt gets a new owner and deadline, so that it can be sent again with the same handle. */
  reopenAttempt(input: {
    attemptId: string;
    owner: string;
    submitDeadlineAt: number;
    at: number;
  }): Promise<boolean>;
  /** queued -> in_progress, with its event. False when it was not queued. */
  startTask(input: { taskId: string; at: number }): Promise<boolean>;
  /**
   * accepted -> made, and the job that will fetch the outputs. False when it was made already. With `atOnce`:
   * submitting -> made, because the answer to the submit was the end of it; the job is due at `fetchAt`, for who
   * submitted fetches by itself and may die meanwhile.
   */
  madeAttempt(input: {
    attemptId: string;
    at: number;
    outputs: UpstreamOutput[];
    found?: Found | null;
    cost: UpstreamCost | null;
    exchanges: Exchange[];
    atOnce?: { ref: Json; fetchAt: number };
  }): Promise<boolean>;
  /** Completed + settle + usage + event, or failed + release + event: one transaction. False when already final. */
  finishTask(input: FinishTask): Promise<boolean>;
  /** queued with no open attempt -> cancelled + release + event. False when it may have been submitted. */
  cancelTask(input: { taskId: string; at: number }): Promise<boolean>;
  /** Hides a final task from every dialect. */
  hideTask(input: { taskId: string; at: number }): Promise<boolean>;
  getTask(id: string): Promise<Task | null>;
  /** By id or by the account's own external id; hidden ones are not found. */
  findTask(accountId: string, idOrExternalId: string): Promise<Task | null>;
  listTasks(query: {
    accountId: string;
    surface?: string;
    order: 'asc' | 'desc';
    after?: string;
    limit: number;
  }): Promise<Task[]>;
  pageTasks(query: { accountId: string; surface: string; offset: number; limit: number }): Promise<Task[]>;
  /** For operators: hidden ones included. */
  adminTasks(
    query: PageQuery & {
      accountId?: string;
      state?: TaskState;
      channelId?: string;
      model?: string;
      tier?: string;
      createdFrom?: number;
      createdTo?: number;
    },
  ): Promise<Page<Task>>;
  /** Waiting tasks of a channel in order of arrival. */
  waitingTasks(channelId: string, limit: number): Promise<Task[]>;
  waitingCount(channelId: string): Promise<number>;
  /** Attempts `submitting` or `accepted` on a channel. */
  openAttemptsOf(channelId: string): Promise<OpenAttempt[]>;
  getAttempt(id: string): Promise<OpenAttempt | null>;
  /** The current attempt of a task, open or made. */
  currentAttempt(taskId: string): Promise<OpenAttempt | null>;
  /** Tasks that are not final although their deadline has passed. */
  overdueTasks(at: number, limit: number): Promise<Task[]>;
  /** Completed tasks whose files are due for deletion. */
  expiredMedia(at: number, limit: number): Promise<Task[]>;
  forgetMedia(input: { taskId: string; at: number }): Promise<boolean>;
  /** Tasks that are not final, by state (for metrics; never a count over finished ones). */
  taskCounts(): Promise<Partial<Record<TaskState, number>>>;
  /** The flight recorder: everything known of one task. */
  taskRecord(id: string): Promise<TaskRecord | null>;

  // resources and files
  /** The account's own, neither deleted nor expired at `at`. */
  findResource(accountId: string, kind: ResourceKind, id: string, at: number): Promise<ResourceRow | null>;
  /** Whether some account owns what an upstream calls so: then nobody else may name it directly. */
  isOwnedUpstream(kind: ResourceKind, upstreamId: string): Promise<boolean>;
  /** Whether the id is one of ours, whoever owns it, deleted and expired ones included. */
  isResourceId(kind: ResourceKind, id: string): Promise<boolean>;
  pageResources(query: {
    accountId: string;
    kind: ResourceKind;
    at: number;
    offset: number;
    limit: number;
  }): Promise<ResourceRow[]>;
  deleteResource(input: { accountId: string; kind: ResourceKind; id: string; at: number }): Promise<boolean>;
  createFile(row: FileRow, remember?: RememberKey | null): Promise<void>;
  findFile(accountId: string, id: string, at: number): Promise<FileRow | null>;
  listFiles(query: {
    accountId: string;
    purpose?: string;
    order: 'asc' | 'desc';
    after?: string;
    limit: number;
    at: number;
  }): Promise<FileRow[]>;
  deleteFile(accountId: string, id: string): Promise<FileRow | null>;
  expiredFiles(at: number, limit: number): Promise<FileRow[]>;
  /** Sum of an account's top-ups and adjustments. */
  toppedUp(accountId: string): Promise<bigint>;

  // repeats
  /** What a key was used for, unless that is longer ago than keys are kept. */
  findUsedKey(scope: string, key: string, at: number): Promise<UsedKey | null>;
  /**
   * The task of an earlier sending of this request, sent since `since`; null when there is none that a sending with
   * this count or a later one has not been given already. Gives each task to one sending of a count only.
   */
  claimSending(input: {
    keyId: string;
    requestHash: string;
    retryCount: number;
    since: number;
  }): Promise<string | null>;
  /** Forgets keys that expired and sendings before `sentBefore`; answers how many, at most about `limit` of each. */
  forgetRepeats(input: { at: number; sentBefore: number; limit: number }): Promise<number>;

  // money
  /** Money in or a signed correction; a correction below zero available is refused with `insufficient_quota`. */
  post(input: {
    accountId: string;
    kind: 'top_up' | 'adjustment';
    amountMicros: bigint;
    note: string | null;
    at: number;
    /** Kept with the wallet as it is afterwards (`{availableMicros, heldMicros}` as texts). */
    remember?: RememberKey | null;
  }): Promise<LedgerRow[]>;
  getWallet(accountId: string): Promise<WalletRow>;
  listLedger(accountId: string, query: PageQuery): Promise<Page<LedgerRow>>;
  verifyLedger(): Promise<LedgerVerdict>;

  // jobs, events, and whoever is told of them
  jobs: JobStore;
  webhooks: WebhookStore;
  getEvent(id: string): Promise<EventRow | null>;
  listEvents(query: PageQuery & { accountId?: string; taskId?: string }): Promise<Page<EventRow>>;

  /**
   * Runs `listener` after a commit that touched the topic: `lane:<channelId>` (a task began to wait there),
   * `jobs:<queue>`, `channels`, `keys`, `deliveries`.
   */
  onCommit(topic: string, listener: () => void): () => void;
  /** Throws when the engine cannot be reached. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Counts within a window of time that begins with the first count; a restart may begin anew. */
export interface Counters {
  /** Counts one more; answers how many there are in this window, and how long it still lasts. */
  count(name: string): Promise<{ count: number; resetMs: number }>;
}

/** Rows behind the Jobs port on the embedded engine. */
export interface JobStore {
  /** Adds a job that is due at `runAt`; answers its id. Changes add theirs in their own transaction. */
  enqueue(job: { queue: string; data: Json; runAt: number; at: number }): Promise<string>;
  claim(input: { queue: string; limit: number; leaseUntil: number; at: number }): Promise<JobRow[]>;
  complete(id: string): Promise<void>;
  /** Runs again at `runAt`, or is buried when null. */
  fail(id: string, input: { runAt: number | null; error: string }): Promise<void>;
  /** Makes every job of the queue due so much sooner, and its leases end: the clock was put back. */
  bringForward(queue: string, byMs: number): Promise<void>;
  /** When the next job of the queue is due, Unix ms; null when none waits. */
  nextRunAt(queue: string): Promise<number | null>;
}

export interface FinishTask {
  taskId: string;
  attemptId: string | null;
  at: number;
  exchanges: Exchange[];
  outcome:
    | {
        state: 'completed';
        result: TaskResultInput;
        chargeMicros: bigint;
        quantity: number;
        /** Rows that come into being with the result. */
        resources?: ResourceRow[];
        /** Where the upstream answered at once and the attempt was never seen running. */
        cost?: UpstreamCost | null;
      }
    | {
        state: 'failed';
        code: FailureCode;
        message: string;
        attemptState: 'failed' | 'refused' | 'lost' | null;
      };
}

export type TaskResultInput = NonNullable<Task['result']>;

export interface TaskRecord {
  task: Task;
  attempts: AttemptRow[];
  events: EventRow[];
  exchanges: (Exchange & { attemptId: string })[];
  ledger: LedgerRow[];
  usage: UsageRow[];
  deliveries: DeliveryDetail[];
}

export interface UsageRow {
  id: string;
  accountId: string;
  taskId: string;
  tier: string;
  unit: string;
  quantity: number;
  amountMicros: bigint;
  cost: UpstreamCost | null;
  createdAt: number;
}

export interface LedgerVerdict {
  ok: boolean;
  /** Rows read. */
  entries: number;
  sumMicros: bigint;
  /** Each a sentence that names the account or task and both figures. */
  mismatches: string[];
}

// ---------------------------------------------------------------------------------------------- media and jobs

/** Stored bytes by key. Keys are `/`-separated safe segments; a put is atomic and replaces. */
export interface MediaStore {
  put(
    key: string,
    source: Buffer | Readable,
    options?: { contentType?: string },
  ): Promise<{ bytes: number; sha256: string }>;
  /** `end` is inclusive; `bytes` is the whole file's size. Null when there is no such key. */
  open(
    key: string,
    range?: { start: number; end: number },
  ): Promise<{ stream: Readable; bytes: number } | null>;
  stat(key: string): Promise<{ bytes: number; modifiedAt: number } | null>;
  /** For tools that need a file; null for remote stores. */
  localPath(key: string): string | null;
  /** Deleting what is not there is no error. */
  delete(key: string): Promise<void>;
  list(prefix: string): AsyncIterable<{ key: string; bytes: number; modifiedAt: number }>;
}

/** Background work: at least once, retried with back-off, leased so that a dead worker's job comes back. */
export interface Jobs {
  work(
    queue: string,
    options: { concurrency: number; leaseMs: number; attemptsMax: number },
    handler: (job: JobRow, signal: AbortSignal) => Promise<void>,
  ): void;
  /** Stops claiming, waits for handlers in hand. */
  stop(): Promise<void>;
}
