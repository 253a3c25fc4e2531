import { isIPv6 } from 'node:net';

/** The one spelling of an IPv6 address (RFC 5952): DNS, gossip and Kubernetes each have their own. */
export function canonicalAddress(address: string): string {
  // One with a zone means nothing to another machine, and no URL takes it.
  if (!isIPv6(address) || address.includes('%')) return address;
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

/** The DNS record that an address is in. */
export function recordType(address: string): 'A' | 'AAAA' {
  return isIPv6(address) ? 'AAAA' : 'A';
}
