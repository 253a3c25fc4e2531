import { z } from 'zod';
import type { ConsulClient } from '../client.ts';
import { readAllOf } from '../registrations/at-agent.ts';
import { readServiceNames } from './service-names.ts';

export interface CatalogNode {
  name: string;
  /** Empty where the catalog says none. */
  address: string;
  meta: Readonly<Record<string, string>>;
  /** By an agent, now or once: those have an id, and what is written to the catalog by hand has none. */
  announced: boolean;
}

/** One service as the catalog has it on one node. */
export interface Instance {
  node: string;
  id: string;
  name: string;
  /** Empty: that of its node. */
  address: string;
  port: number;
}

export interface CatalogCheck {
  node: string;
  id: string;
  /** Empty: of the node itself. */
  service: string;
  status: string;
}

const nodesAnswer = z
  .array(
    z.object({
      Node: z.string(),
      ID: z.string().optional(),
      Address: z.string().optional(),
      Meta: z.record(z.string(), z.string()).nullable().optional(),
    }),
  )
  .transform((nodes): CatalogNode[] =>
    nodes.map(({ Node, ID = '', Address = '', Meta }) => ({
      name: Node,
      address: Address,
      meta: Meta ?? {},
      announced: ID !== '',
    })),
  );

const checksAnswer = z
  .array(z.object({ Node: z.string(), CheckID: z.string(), ServiceID: z.string(), Status: z.string() }))
  .transform((checks): CatalogCheck[] =>
    checks.map(({ Node, CheckID, ServiceID, Status }) => ({
      node: Node,
      id: CheckID,
      service: ServiceID,
      status: Status,
    })),
  );

/** Go leaves out an address and a port that are none. */
const instancesAnswer = z
  .object({
    Services: z
      .array(
        z.object({
          ID: z.string(),
          Service: z.string(),
          Address: z.string().optional(),
          Port: z.number().optional(),
        }),
      )
      .nullable(),
  })
  .nullable();

/** A quorum stands behind what is read so: the leader asks it first. */
const CONSISTENT = { consistent: true } as const;

/** All nodes. @throws Failure `acl-denied` where ACLs hide nodes or services */
export async function readNodes(server: ConsulClient, signal: AbortSignal): Promise<CatalogNode[]> {
  const { body, aclDefault } = await server.get('/v1/catalog/nodes', { signal, query: CONSISTENT });
  if (aclDefault !== undefined) await readServiceNames(server, signal);
  return nodesAnswer.parse(body);
}

export async function readChecks(server: ConsulClient, signal: AbortSignal): Promise<CatalogCheck[]> {
  return checksAnswer.parse((await server.get('/v1/health/state/any', { signal, query: CONSISTENT })).body);
}

/** The services of one node; none where there is no such node. */
export async function readInstances(
  server: ConsulClient,
  node: string,
  signal: AbortSignal,
): Promise<Instance[]> {
  const path = `/v1/catalog/node-services/${encodeURIComponent(node)}`;
  const { body } = await server.get(path, { signal, query: CONSISTENT });
  return (instancesAnswer.parse(body)?.Services ?? []).map(({ ID, Service, Address, Port }) => ({
    node,
    id: ID,
    name: Service,
    address: Address ?? '',
    port: Port ?? 0,
  }));
}

/** Ids of the services that an agent itself holds. @throws Failure `acl-denied` where ACLs hide some of them */
export async function readHeld(agent: ConsulClient, signal: AbortSignal): Promise<Set<string>> {
  return new Set(Object.keys(await readAllOf(agent, 'services', signal)));
}
