import type { ServerEvidence } from '../quorum/evidence.ts';
import type { Member } from '../quorum/evidence-answer.ts';
import type { CatalogCheck, CatalogNode, Instance } from './entry.ts';

export type MemberStatus = Member['status'];

/** Who is in the catalog, who is alive, who holds what: all that ghosts are told from. */
export interface Census {
  nodes: readonly CatalogNode[];
  /** Of the nodes that were looked into. */
  instances: readonly Instance[];
  checks: readonly CatalogCheck[];
  /** By node name. Alive where one server says so. */
  members: ReadonlyMap<string, MemberStatus>;
  /** Node names of the servers in Raft, voters or not. */
  peers: ReadonlySet<string>;
  /** What agents hold, by node name, of those that have answered. */
  held: ReadonlyMap<string, ReadonlySet<string>>;
  /** Names of nodes that have a pod, or will get one. */
  placed: ReadonlySet<string>;
  /** Names that this deployment gives to its agents. */
  ours: ReadonlySet<string>;
  /** Canonical addresses of all pods of the Kubernetes cluster; undefined where they may not be listed. */
  podAddresses?: ReadonlySet<string> | undefined;
}

const LIVELIEST: readonly MemberStatus[] = ['alive', 'leaving', 'failed', 'left', 'none'];

/** The members that any server knows, each as the liveliest that one of them takes it for. */
export function membersOf(
  evidence: readonly Pick<ServerEvidence, 'members'>[],
): Map<string, Pick<Member, 'status' | 'role' | 'ip'>> {
  const found = new Map<string, Pick<Member, 'status' | 'role' | 'ip'>>();
  for (const { name, status, role, ip } of evidence.flatMap(({ members }) => members ?? [])) {
    const before = found.get(name);
    if (before && LIVELIEST.indexOf(before.status) <= LIVELIEST.indexOf(status)) continue;
    found.set(name, { status, role, ip });
  }
  return found;
}

/** Its agent runs, so what it announces stands. */
export function isLive(status: MemberStatus | undefined): boolean {
  return status === 'alive' || status === 'leaving';
}

/**
 * Registered on purpose without an agent: by hand or by Consul ESM (`external-node`), by the mesh of consul-k8s
 * (`synthetic-node`), or by a tool that keeps the catalog and another one alike (`external-source`).
 * https://developer.hashicorp.com/consul/tutorials/connect-services/service-registration-external-services
 */
export function isExternal({ meta }: CatalogNode): boolean {
  return (
    meta['external-node'] === 'true' ||
    meta['synthetic-node'] === 'true' ||
    (meta['external-source'] ?? '') !== ''
  );
}
