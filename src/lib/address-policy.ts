import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Which network addresses a URL from outside may lead to. */
export interface AddressPolicy {
  /** Whether this host name was allowed as such, so that its addresses need no check. */
  allowsHost(hostname: string): boolean;
  /** Whether an address (IPv4 or IPv6 text, without brackets) is public, or allowed although it is not. */
  allowsAddress(address: string): boolean;
}

/**
 * Public addresses only, except `allow`: host names, addresses or CIDRs. Throws TypeError for an entry that
 * is none of these.
 */
export function createAddressPolicy(allow: readonly string[]): AddressPolicy {
  const hosts = new Set<string>();
  const ranges: [Address, number][] = [];
  for (const entry of allow) {
    const text = normaliseHost(entry.trim());
    if (ipaddr.isValidCIDR(text)) ranges.push(ipaddr.parseCIDR(text));
    else if (ipaddr.isValid(text)) ranges.push(singleAddress(ipaddr.parse(text)));
    else if (/^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/.test(text)) hosts.add(text);
    else throw new TypeError(`${JSON.stringify(entry)} is neither a host name nor an address nor a CIDR`);
  }
  return {
    allowsHost: (hostname) => hosts.has(normaliseHost(hostname)),
    allowsAddress(text) {
      const parsed = parseAddress(text);
      if (!parsed) return false;
      const address = embeddedIPv4(parsed);
      return (
        isPublic(address) ||
        ranges.some((range) => address.kind() === range[0].kind() && address.match(range))
      );
    },
  };
}

/** Only complete addresses count. The library alone would read `127.1` as IPv4, and `::8.8.8.8` as IPv4-mapped. */
function parseAddress(text: string): Address | null {
  if (isIPv4(text)) return ipaddr.IPv4.parse(text);
  const canonical = isIPv6(text) ? URL.parse(`http://[${text}]/`)?.hostname : undefined;
  return canonical === undefined ? null : ipaddr.IPv6.parse(canonical.slice(1, -1));
}

/** Lower case, without brackets and without the dot of a fully qualified name. */
export function normaliseHost(hostname: string): string {
  return hostname
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}

function singleAddress(address: Address): [Address, number] {
  const meant = embeddedIPv4(address);
  return [meant, meant.kind() === 'ipv4' ? 32 : 128];
}

const mapped = ipaddr.IPv6.parseCIDR('::ffff:0:0/96');
const nat64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96');
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * The IPv4 address that IPv4-mapped and well-known NAT64 addresses lead to: it decides. All other forms that
 * embed one (6to4, Teredo, IPv4-compatible, local NAT64) are out of use and not public below.
 */
function embeddedIPv4(address: Address): Address {
  if (address instanceof ipaddr.IPv4) return address;
  if (!address.match(mapped) && !address.match(nat64)) return address;
  return new ipaddr.IPv4(address.toByteArray().slice(12));
}

/**
 * An allow-list: whatever the library gives a special name is refused, and of IPv6 only the block that IANA
 * hands out at all is accepted (the library calls everything else "unicast", `::127.0.0.1` included).
 */
function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast') return false;
  return address instanceof ipaddr.IPv4 || address.match(globalUnicast);
}
