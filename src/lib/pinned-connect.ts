import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { buildConnector } from 'undici';
import type { AddressPolicy } from './address-policy.ts';
import { TransferFailed, UrlRefused } from './guarded-errors.ts';

/** All addresses of a host name, IPv4 and IPv6. */
export type Resolve = (hostname: string) => Promise<string[]>;

/** How the machine itself resolves names: hosts file, then DNS. */
export const systemResolve: Resolve = async (hostname) => {
  const found = await lookup(hostname, { all: true, order: 'verbatim' });
  return found.map(({ address }) => address);
};

/** A host with many addresses is tried only so often: each try may take the whole connect timeout. */
const triesMax = 4;

/**
 * A connector for undici that resolves the name itself, checks every address and connects to one that was
 * checked, under the name the URL gives (Host, SNI, certificate). So a name that resolves otherwise a moment
 * later gains nothing. It is asked for IP literals too, for which a `lookup` hook never would be. Without a
 * policy nothing is checked.
 */
export function createPinnedConnect(options: {
  policy: AddressPolicy | null;
  resolve: Resolve;
  /** Opens the socket; `hostname` is an IP address by then. */
  connect: buildConnector.connector;
}): buildConnector.connector {
  const { policy, resolve, connect } = options;

  async function addressesOf(hostname: string): Promise<string[]> {
    if (isIP(hostname)) {
      if (policy && !policy.allowsAddress(hostname)) throw notPublic();
      return [hostname];
    }
    let addresses: string[];
    try {
      addresses = await resolve(hostname);
    } catch (cause) {
      throw new UrlRefused('resolve', 'the host name cannot be resolved', { cause });
    }
    if (addresses.length === 0) throw new UrlRefused('resolve', 'the host name has no address');
    if (policy && !policy.allowsHost(hostname) && !addresses.every((each) => policy.allowsAddress(each))) {
      throw notPublic();
    }
    return addresses;
  }

  return (request, callback) => {
    addressesOf(request.hostname).then(
      (addresses) => {
        // SNI carries names only; for an IP literal the certificate is checked against the address.
        const servername =
          request.protocol === 'https:' && !isIP(request.hostname) ? request.hostname : undefined;
        const tryNext = (index: number): void => {
          connect({ ...request, hostname: addresses[index] as string, servername }, (error, socket) => {
            if (socket) return callback(null, socket);
            if (index + 1 < Math.min(addresses.length, triesMax)) return tryNext(index + 1);
            const failure = new TransferFailed('connect', 'the host cannot be connected to', {
              cause: error,
            });
            return callback(failure, null);
          });
        };
        tryNext(0);
      },
      (error: Error) => callback(error, null),
    );
  };
}

/** Says nothing of the address itself: it would tell strangers what our network looks like. */
export function notPublic(): UrlRefused {
  return new UrlRefused('address', 'the host is not on the public internet');
}
