/** A segment never begins with a dot, which keeps `..`, and the store's own files, out of reach. */
const keyPattern = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]{0,199})*$/;

/** S3 allows 1024 bytes, most file systems 4096 for a whole path. */
const keyLengthMax = 512;

/** Keys are made by us, never taken from a request: a bad one is a bug, hence the TypeError. */
export function assertMediaKey(key: string): void {
  if (key.length > keyLengthMax || !keyPattern.test(key)) {
    throw new TypeError(`${JSON.stringify(key.slice(0, 100))} is no media key`);
  }
}

/** A prefix is the beginning of a key, down to nothing at all. */
export function assertMediaPrefix(prefix: string): void {
  if (prefix !== '') assertMediaKey(prefix.endsWith('/') ? `${prefix}x` : prefix);
}
