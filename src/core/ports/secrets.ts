/** Root keys, and what is sealed with them. */
import type { SealKey } from '../../lib/seal.ts';

/** Columns that hold sealed texts; each has its own way to name the row that a text belongs to. */
export type SealedKind = 'secret-key' | 'credential' | 'signing-secret' | 'old-signing-secret';

/** One sealed text of a row. */
export interface SealedValue {
  kind: SealedKind;
  /** Of the row. */
  id: string;
  sealed: string;
}

/** A root key that is or was in use here; the store knows its name only. */
export interface RootKeyRow {
  id: string;
  firstUsedAt: number;
  retiredAt: number | null;
}

/** Sealed texts at rest, whatever they are for. */
export interface SealedStore {
  /** How many texts are sealed with each key. */
  counts(): Promise<{ keyId: string; number: number }[]>;
  /** Texts of one kind that are not sealed with the key, by row id after `after`. */
  sealedWithOthers(query: {
    kind: SealedKind;
    keyId: string;
    after: string;
    limit: number;
  }): Promise<SealedValue[]>;
  /** Puts texts in place of others; one that was changed meanwhile stays. Answers how many were put. */
  reseal(values: (SealedValue & { resealed: string })[]): Promise<number>;
  /** Every root key that ever was in use, the oldest first. */
  rootKeys(): Promise<RootKeyRow[]>;
  /** Writes down that the key is in use. */
  noteRootKey(input: { id: string; at: number }): Promise<void>;
  /** The key is in use no more. */
  retireRootKey(input: { id: string; at: number }): Promise<void>;
}

/** The root keys at hand. The lists are live: whoever reads them again sees the keys of that moment. */
export interface RootKeys {
  /** `file`: kept in the data directory and made by us; `configuration`: given by the operator. */
  readonly source: 'file' | 'configuration';
  /** Seals with the first, opens with all. */
  readonly keyring: readonly SealKey[];
  /** Signs links to our own content and the URLs upstreams push to with the first, accepts all. */
  readonly linkKeys: readonly Uint8Array[];
  /** Makes a new key that seals from now on; only where we keep them. On the disk before it answers. */
  renew(): void;
  /** Forgets one that is not the current; only where we keep them. */
  forget(keyId: string): void;
}

export interface SecretsStatus {
  source: RootKeys['source'];
  currentKeyId: string;
  /** When it was first used here, Unix ms. */
  currentSince: number;
  /** Texts sealed with the current key. */
  sealed: number;
  /** Every other key that is at hand or that something is sealed with. */
  others: { keyId: string; isAtHand: boolean; sealed: number }[];
  /** Texts that could not be opened at the last pass, hence were left as they are. */
  unopened: number;
  /** Texts are being sealed anew. */
  isResealing: boolean;
  /** What stopped the last step; it is tried again. */
  fault: string | null;
}

/** What operators can do about root keys. */
export interface SecretKeeper {
  status(): Promise<SecretsStatus>;
  /**
   * Makes a new root key where we keep it (unless texts still wait for the last one) and begins to seal everything
   * anew. Refuses with `conflict` where the operator gives the key and nothing is sealed with another.
   */
  rotate(): Promise<SecretsStatus>;
}
