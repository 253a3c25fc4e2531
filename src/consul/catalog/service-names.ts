import { z } from 'zod';
import type { ConsulClient } from '../client.ts';
import { cutByAcls } from '../failure.ts';

/** Registered by the leader for each server. */
export const SERVERS = 'consul';

const namesAnswer = z.record(z.string(), z.unknown());
const PATH = '/v1/catalog/services';

/**
 * Names of all services in the catalog.
 * @throws Failure `acl-denied` where ACLs hide some of them. A request without a token is not told that
 *   (https://github.com/hashicorp/consul/blob/v1.22.7/agent/consul/rpc.go, maskResultsFilteredByACLs). But it does not
 *   see the service of the servers either, which every catalog has; unless a rule allows just that one.
 */
export async function readServiceNames(
  server: ConsulClient,
  signal: AbortSignal,
  timeoutMs?: number,
): Promise<string[]> {
  const { body, aclDefault } = await server.get(PATH, {
    signal,
    ...(timeoutMs !== undefined && { timeoutMs }),
  });
  const names = Object.keys(namesAnswer.parse(body));
  if (aclDefault !== undefined && !names.includes(SERVERS)) throw cutByAcls(server.name, PATH);
  return names;
}
