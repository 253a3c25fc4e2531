import { BlockList, isIP } from 'node:net';
import { canonicalAddress } from '../address.ts';
import { names } from '../quorum/finding.ts';
import type { Instance } from './entry.ts';
import type { Ghost } from './ghost.ts';

/** Loopback, link-local, and any: every node has these for itself. */
const LOCAL = new BlockList();
LOCAL.addSubnet('127.0.0.0', 8);
LOCAL.addSubnet('169.254.0.0', 16);
LOCAL.addAddress('0.0.0.0');
LOCAL.addAddress('::1', 'ipv6');
LOCAL.addAddress('::', 'ipv6');
LOCAL.addSubnet('fe80::', 10, 'ipv6');

/**
 * Ids belong to their agent, and two agents may well have the same. That is trouble only where both announce one
 * address: then the application was registered at one of them and forgotten at the other.
 */
export function duplicates(instances: readonly Instance[]): Ghost[] {
  const byId = Map.groupBy(instances, ({ id }) => id);
  return [...byId].flatMap(([id, all]): Ghost[] => {
    const nodes = [...new Set(all.map(({ node }) => node))].sort();
    if (nodes.length < 2) return [];
    const explicit = all.filter(({ address }) => address !== '' && !isLocal(address));
    const places = new Set(
      explicit.map(({ name, address, port }) => JSON.stringify([name, canonicalAddress(address), port])),
    );
    const shared = places.size < explicit.length;
    const evidence = shared
      ? `${nodes.length} agents (${names(nodes)}) announce it under one address`
      : `${nodes.length} agents (${names(nodes)}) announce this id, each an address of its own`;
    const why = shared
      ? 'live agents announce it, and which of them is right only the application knows: name it in `deregister`, then let it register once'
      : 'ids belong to their agent, so this may be meant; if not, name it in `deregister`';
    return [{ class: 'duplicate', nodes, service: id, evidence, remedy: 'none', why, counts: shared }];
  });
}

/** Means another host at every agent that announces it. */
function isLocal(address: string): boolean {
  if (address.toLowerCase() === 'localhost') return true;
  const [ip = ''] = address.split('%');
  const family = isIP(ip);
  return family !== 0 && LOCAL.check(ip, family === 6 ? 'ipv6' : 'ipv4');
}
