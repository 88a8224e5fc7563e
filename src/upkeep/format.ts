/**
 * A backup: one tar archive. First a header that says what it is, then the database, the media, the sealed secrets if
 * they were asked for, and last a manifest with the checksum of everything: what was cut off has none.
 */
import { z } from 'zod';

export const HEADER_ENTRY = 'reelay-backup.json';
export const DATABASE_ENTRY = 'database.sqlite';
export const MEDIA_PREFIX = 'media/';
export const SECRETS_ENTRY = 'secrets.sealed';
export const MANIFEST_ENTRY = 'manifest.json';

/** Headers, manifests and secrets are read into memory: no real one comes near. */
export const SMALL_ENTRY_MAX = 512 * 1024 * 1024;

export const FORMAT = 1;

export const headerSchema = z.object({
  format: z.number().int(),
  /** Of the program that made it. */
  version: z.string(),
  created_at: z.string(),
  /** Names of the root keys that open what is sealed in it; never the keys. */
  root_keys: z.array(z.string()),
  has_media: z.boolean(),
  has_secrets: z.boolean(),
});
export type BackupHeader = z.infer<typeof headerSchema>;

export const manifestSchema = z.object({
  entries: z.array(z.object({ name: z.string(), bytes: z.number(), sha256: z.string() })),
});
export type BackupManifest = z.infer<typeof manifestSchema>;

/** Something an operator can mend; the message is for him. */
export class UpkeepError extends Error {
  override name = 'UpkeepError';
}

/** What is told while it works: bytes done, and about how many there will be; null: nobody knows. */
export type OnProgress = (step: string, done: number, total: number | null) => void;
