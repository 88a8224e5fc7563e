import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** A list of addresses and ranges (CIDR) and whether one is on it. An IPv4 address inside IPv6 counts as IPv4. */
export interface AddressList {
  includes(address: string): boolean;
}

/** Throws TypeError for an entry that is neither an address nor a range. */
export function createAddressList(entries: readonly string[]): AddressList {
  const ranges = entries.map(parseRange);
  return {
    includes(text) {
      if (isIP(text) === 0) return false;
      const address = ipaddr.process(text);
      return ranges.some(([range, bits]) => address.kind() === range.kind() && address.match(range, bits));
    },
  };
}

function parseRange(entry: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  const text = entry.trim();
  // The library alone would read `10.1` as an address.
  const [address = '', bits] = text.split('/');
  if (isIP(address) !== 0) {
    if (bits !== undefined && ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
    if (bits === undefined) {
      const single = ipaddr.process(text);
      return [single, single.kind() === 'ipv4' ? 32 : 128];
    }
  }
  throw new TypeError(`${JSON.stringify(entry)} is neither an IP address nor a range like 203.0.113.0/24`);
}
