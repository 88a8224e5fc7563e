/** Who makes it: channels, exchanges with upstreams, providers. */
import type { Clock } from '../../lib/clock.ts';
import type { Json } from '../../lib/json.ts';
import type { FeatureRequest, ResourceKind } from '../request/feature.ts';
import type { Media, VideoRequest } from '../request/types.ts';
import type { FailureCode, OutputRole } from '../task.ts';

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
  /** Where the upstream may push to for the task of this client reference; null when we cannot be reached. */
  callbackUrl(clientRef: string): string | null;
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
  | {
      status: 'failed';
      code: FailureCode;
      message: string;
      upstreamCode: string | null;
      /** Certainly nothing was made or charged, and later it may be: the task waits again instead of failing. */
      isRetryable?: true;
    }
  /** The upstream does not know it (any more). */
  | { status: 'unknown' };

/**
 * What an upstream counts towards its cap on what runs at once: so many units, in a pool of tasks that it counts
 * together (a resource pack, say). The pool's name is the provider's own.
 */
export interface Weight {
  pool: string;
  units: number;
}

/**
 * Makes tasks of one modality at one upstream. `ref` is opaque JSON that only this provider reads; the client
 * reference is our task id (of one made anew, `handleOf` it), which travels as the upstream's dedup handle.
 */
export interface TaskMaker<Request> {
  /** Says why this request cannot be made here, or null when it can. Pure: routing asks it. */
  missing(request: Request): string | null;
  /** What its task counts while it runs there; absent: one unit, in the one pool there is. Pure. */
  weigh?(request: Request): Weight;
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
  /** Its upstream has compliance switches, and is told of them where the channel's operator allows it. */
  passesComplianceSwitches?: true;
  /** Most units running at once in each pool of a channel that names no number itself; absent: no cap of ours. */
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
