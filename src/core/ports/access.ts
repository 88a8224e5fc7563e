/** Who asks, and what they are held to. */
import type { Limits } from '../limits.ts';

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
