import type { Config } from '../config.ts';
import type { Clock } from '../core/ports.ts';
import { openStore } from '../store/index.ts';
import { UpkeepError } from './format.ts';

/**
 * Gives up a root key that is lost for good, so that a start no longer asks for it; answers how many secrets are lost
 * with it. Throws UpkeepError where a gateway runs on the same directory, or nothing is sealed with the key.
 */
export async function forgetRootKey(config: Config, clock: Clock, keyId: string): Promise<number> {
  const { dataDir: directory, databaseUrl } = config;
  const store = await openStore({ directory, databaseUrl, clock }).catch((error: Error) => {
    throw new UpkeepError(error.message, { cause: error });
  });
  try {
    const number = (await store.sealed.counts()).find((each) => each.keyId === keyId)?.number ?? 0;
    if (number === 0) throw new UpkeepError(`Nothing is sealed with a root key ${keyId}.`);
    const at = clock.now();
    await store.sealed.noteRootKey({ id: keyId, at });
    await store.sealed.retireRootKey({ id: keyId, at });
    return number;
  } finally {
    await store.close();
  }
}
