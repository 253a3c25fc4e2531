import { canonicalAddress } from '../address.ts';

/** A server, and where others are to find it. */
export interface AddressedServer {
  name: string;
  /** The address that it tells others. */
  has: string;
  /** That of its Service; undefined where there is none. */
  service: string | undefined;
}

export interface AddressTrouble extends AddressedServer {
  /** Of `taken` the Service of another server has the address now: it would be taken for that one. */
  kind: 'gone' | 'changed' | 'taken';
}

/** The servers that cannot be reached any more at what they tell others. */
export function addressTroubles<S extends AddressedServer>(servers: readonly S[]): (S & AddressTrouble)[] {
  const same = (one: string, other: string | undefined) =>
    other !== undefined && canonicalAddress(one) === canonicalAddress(other);
  return servers
    .filter(({ has, service }) => !same(has, service))
    .map((server) => {
      const isTaken = servers.some(({ name, service }) => name !== server.name && same(server.has, service));
      return { ...server, kind: isTaken ? 'taken' : server.service === undefined ? 'gone' : 'changed' };
    });
}
