import pLimit from 'p-limit';
import type { ConsulClient } from '../client.ts';
import { SMOKE_SERVICE } from '../proofs/registration.ts';
import { readServiceNames, SERVERS } from './service-names.ts';

/** One line of the catalog. */
export interface Entry {
  kind: 'node' | 'service' | 'check';
  node: string;
  /** Of the service or the check, which is its own at its node; empty for the node itself. */
  id: string;
  /** Name of the service; of a check the id of the service that it is about, empty for the node. */
  service: string;
}

/** Nodes, instances of services and checks, by a key that is the same as long as they are. */
export type Catalog = ReadonlyMap<string, Entry>;

interface Instance {
  Node: string;
  ServiceID: string;
  ServiceName: string;
}

interface Check {
  Node: string;
  CheckID: string;
  ServiceID: string;
}

/** Thousands of nodes are some megabytes, through a port-forward. */
const TIMEOUT_MS = 30_000;
const PARALLEL = 8;
/** Of gossip, by the leader. */
const GOSSIP = 'serfHealth';

/**
 * The whole catalog, by one request for all nodes, one for all checks, and one for each name of a service, of which
 * there are fewer than nodes. What the leader itself registers, and what is registered for a proof, is left out.
 * @throws Failure `acl-denied` where ACLs hide some of it
 */
export async function readCatalog(server: ConsulClient, signal: AbortSignal): Promise<Catalog> {
  const get = async <T>(path: string, consistent = false) =>
    (await server.get<T>(path, { signal, query: { consistent }, timeoutMs: TIMEOUT_MS })).body;
  // The leader confirms that it still leads; what follows comes from the same one or a later one.
  const nodes = await get<{ Node: string }[]>('/v1/catalog/nodes', true);
  const checks = await get<Check[]>('/v1/health/state/any');
  const names = await readServiceNames(server, signal, TIMEOUT_MS);
  const limit = pLimit(PARALLEL);
  const instances = await Promise.all(
    names
      .filter((name) => name !== SERVERS && !name.startsWith(SMOKE_SERVICE))
      .map((name) => limit(() => get<Instance[]>(`/v1/catalog/service/${encodeURIComponent(name)}`))),
  );
  return catalogOf([
    ...nodes.map(({ Node }) => nodeEntry(Node)),
    ...instances.flat().map(instanceEntry),
    ...checks.map(checkEntry),
  ]);
}

/** What the catalog says of some nodes, by two requests for each: for a second look. */
export async function readNodes(
  server: ConsulClient,
  nodes: readonly string[],
  signal: AbortSignal,
): Promise<Catalog> {
  const limit = pLimit(PARALLEL);
  const entries = await Promise.all(nodes.map((node) => limit(() => readNode(server, node, signal))));
  return catalogOf(entries.flat());
}

async function readNode(server: ConsulClient, name: string, signal: AbortSignal): Promise<Entry[]> {
  const node = encodeURIComponent(name);
  const { body } = await server.get<{ Node?: unknown; Services?: { ID: string; Service: string }[] } | null>(
    `/v1/catalog/node-services/${node}`,
    { signal },
  );
  if (!body?.Node) return [];
  const { body: checks } = await server.get<Check[]>(`/v1/health/node/${node}`, { signal });
  return [
    nodeEntry(name),
    ...(body.Services ?? []).map(({ ID, Service }) =>
      instanceEntry({ Node: name, ServiceID: ID, ServiceName: Service }),
    ),
    ...checks.map(checkEntry),
  ];
}

function nodeEntry(node: string): Entry {
  return { kind: 'node', node, id: '', service: '' };
}

function instanceEntry({ Node, ServiceID, ServiceName }: Instance): Entry {
  return { kind: 'service', node: Node, id: ServiceID, service: ServiceName };
}

function checkEntry({ Node, CheckID, ServiceID }: Check): Entry {
  return { kind: 'check', node: Node, id: CheckID, service: ServiceID };
}

function catalogOf(entries: readonly Entry[]): Catalog {
  return new Map(
    entries
      .filter((entry) => !isOwn(entry))
      .map((entry) => [JSON.stringify([entry.kind, entry.node, entry.id]), entry]),
  );
}

function isOwn({ kind, id, service }: Entry): boolean {
  if (kind === 'node') return false;
  return service.startsWith(SMOKE_SERVICE) || (kind === 'service' ? service === SERVERS : id === GOSSIP);
}
