import { unreachable } from '../../consul/failure.ts';
import { whilePassing } from '../../consul/patience.ts';
import { peeringNames } from '../../consul/peerings.ts';
import { Failure } from '../../failure.ts';
import type { Agents } from '../../session/agents.ts';
import type { Run } from '../../session/run.ts';
import { runningServers } from '../../session/servers.ts';
import type { Workloads } from '../../session/workloads.ts';

const PATIENCE_MS = 15_000;

/**
 * Asks, before the servers move to the addresses of Services, for clusters that this one is peered with: those dial the
 * addresses that the servers advertise, and a Service cannot be reached from outside of Kubernetes.
 * @throws Failure `unfit-cluster` where there are peerings, or no server tells
 */
export async function checkPeerings(
  run: Run,
  { workloads, agents }: { workloads: Pick<Workloads, 'pods'>; agents: Pick<Agents, 'client'> },
  limitMs = PATIENCE_MS,
): Promise<void> {
  const names = await whilePassing({ signal: run.signal, limitMs }, async (signal) => {
    const [server] = runningServers(workloads);
    if (!server) throw unreachable('the servers', 'none of them runs');
    return peeringNames(agents.client(server), signal);
  }).catch((error: unknown) => {
    run.signal.throwIfAborted();
    throw refusal(
      run,
      `whether this cluster is peered with others is not known: ${Failure.from(error).what}`,
      'Keep `server-addresses: pod`, or let the anonymous token read peerings (`peering = "read"`).',
    );
  });
  if (names.length === 0) return;
  throw refusal(
    run,
    `this cluster is peered with ${names.join(', ')}, which may not reach the servers at the addresses of Services`,
    'Keep `server-addresses: pod`.',
  );
}

function refusal({ config }: Run, what: string, hint: string): Failure {
  return new Failure({
    reason: 'unfit-cluster',
    what,
    where: `StatefulSet/${config.name}-server`,
    hint: `Nothing was changed. ${hint}`,
  });
}
