import { canonicalAddress } from '../../consul/address.ts';
import type { ServerEvidence } from '../../consul/quorum/evidence.ts';
import { Failure } from '../../failure.ts';
import type { PlannedObject } from '../../kubernetes/apply/plan.ts';
import { advertisedBy } from '../../manifests/server/address.ts';
import type { Agents } from '../../session/agents.ts';
import type { Run } from '../../session/run.ts';
import { isServers, untilServersAllow } from '../../session/servers.ts';
import type { Workloads } from '../../session/workloads.ts';

/** A pod that has just gone is a member until gossip has noticed. */
const PATIENCE_MS = 15_000;
const MOST_NAMED = 10;

/** Servers that are to advertise their Service's address and not their pod's any more. */
export function movesToServices(run: Run, objects: readonly PlannedObject[]): boolean {
  const servers = objects.find((one) => isServers(run, one));
  if (!servers?.live || servers.action === 'none') return false;
  return advertisedBy(servers.live) === 'pod' && advertisedBy(servers.desired) === 'service';
}

/**
 * Asks the servers, before the first write, for agents that are no pods of this deployment: the address of a Service
 * cannot be reached from outside of Kubernetes, so these would lose their servers.
 * @throws Failure `unfit-cluster` where there are such agents, or no server tells
 */
export async function checkOutsideAgents(
  run: Run,
  live: {
    workloads: Pick<Workloads, 'pods' | 'observation' | 'untilSynced'>;
    agents: Pick<Agents, 'client'>;
  },
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const about = 'servers are to move to the addresses of Services';
  await untilServersAllow(run, live, { about, patienceMs }, (evidence) => {
    const ours = new Set(
      live.workloads.observation.pods().flatMap(({ name, ip = name }) => [name, canonicalAddress(ip)]),
    );
    const outside = outsideAgents(evidence, ours);
    if (outside?.length === 0) return undefined;
    const why = outside
      ? `agents from outside: ${outside.slice(0, MOST_NAMED).join(', ')}`
      : 'no server lists all members';
    return { why, failure: () => refusal(run, outside) };
  });
}

/** Agents that are alive, by name and address; undefined where no server has told all of them. */
function outsideAgents(evidence: readonly ServerEvidence[], ours: ReadonlySet<string>): string[] | undefined {
  const told = evidence.flatMap(({ members, denied }) =>
    members && !denied.includes('members') ? [members] : [],
  );
  if (told.length === 0) return undefined;
  const others = told.flat().filter(({ name, ip, status }) => {
    return status === 'alive' && !ours.has(name) && !ours.has(canonicalAddress(ip));
  });
  return [...new Set(others.map(({ name, ip }) => `${name} (${ip})`))].sort();
}

function refusal(run: Run, outside: readonly string[] | undefined): Failure {
  const named = outside?.slice(0, MOST_NAMED) ?? [];
  const more = (outside?.length ?? 0) - named.length;
  return new Failure({
    reason: 'unfit-cluster',
    what: outside
      ? `${outside.length === 1 ? '1 agent is a member and no pod' : `${outside.length} agents are members and no pods`} of this deployment, and may not reach the servers at the addresses of Services`
      : 'whether agents from outside are members is not known: no server lists them all',
    where: `StatefulSet/${run.config.name}-server`,
    hint: `Nothing was changed. Keep \`server-addresses: pod\`${outside ? ', or take these agents out of the cluster first' : ' until the servers can be asked'}.`,
    details: [...named, ...(more > 0 ? [`and ${more} more`] : [])],
  });
}
