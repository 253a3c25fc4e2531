import { X509Certificate } from 'node:crypto';
import pLimit from 'p-limit';
import { readAgentFacts } from '../../consul/agent/facts.ts';
import { whilePassing } from '../../consul/patience.ts';
import type { RpcSeen } from '../../consul/rpc/state.ts';
import { probeRpc } from '../../consul/rpc/wire.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Agents } from '../../session/agents.ts';
import type { Run } from '../../session/run.ts';
import { PARALLEL } from './encryption-watch.ts';

/**
 * What is seen of each of these agents: servers on the wire, and what all say of how they dial.
 * @param certificate in PEM, that the servers are to show
 */
export async function rpcSeen(
  { signal }: Pick<Run, 'signal'>,
  agents: Pick<Agents, 'client' | 'rpc'>,
  { servers, clients }: { servers: readonly PodView[]; clients: readonly PodView[] },
  certificate: string | undefined,
): Promise<Map<PodView, RpcSeen>> {
  const limit = pLimit(PARALLEL);
  const facts = (pod: PodView) =>
    whilePassing({ signal }, (both) => readAgentFacts(agents.client(pod), both));
  const all = [
    ...servers.map((pod) =>
      limit(async (): Promise<[PodView, RpcSeen]> => {
        const { dialsWithTls, announcesTls } = await facts(pod);
        const wire = await whilePassing({ signal }, (both) => probeRpc(pod.name, agents.rpc(pod), both));
        const servesOurs = isSame(wire.certificate, certificate);
        const server = { takesPlaintext: wire.takesPlaintext, servesOurs, isAnnounced: announcesTls };
        return [pod, { dialsWithTls, server }];
      }),
    ),
    ...clients.map((pod) =>
      limit(async (): Promise<[PodView, RpcSeen]> => {
        const { dialsWithTls } = await facts(pod);
        return [pod, { dialsWithTls }];
      }),
    ),
  ];
  return new Map(await Promise.all(all));
}

function isSame(shown: X509Certificate | undefined, certificate: string | undefined): boolean {
  if (!shown || !certificate) return false;
  return shown.fingerprint256 === new X509Certificate(certificate).fingerprint256;
}
