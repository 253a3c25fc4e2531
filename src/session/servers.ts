import { collectEvidence, type ServerEvidence } from '../consul/quorum/evidence.ts';
import type { PlannedObject } from '../kubernetes/apply/plan.ts';
import type { PodView } from '../rollout/pod.ts';
import type { Agents } from './agents.ts';
import type { Run } from './run.ts';
import type { Workloads } from './workloads.ts';

/** The servers that can be asked, ready or not, by ordinal. */
export function runningServers(workloads: Pick<Workloads, 'pods'>): PodView[] {
  return workloads.pods('server').filter(({ phase, ip }) => phase === 'Running' && ip !== undefined);
}

/** What each of these says, all asked at once. */
export function evidenceOfAll(
  pods: readonly PodView[],
  agents: Pick<Agents, 'client'>,
  signal: AbortSignal,
): Promise<ServerEvidence[]> {
  return Promise.all(pods.map((pod) => collectEvidence(agents.client(pod), signal)));
}

/** The StatefulSet of the servers, planned or live. */
export function isServers(run: Run, { desired }: PlannedObject): boolean {
  return desired.kind === 'StatefulSet' && desired.metadata.name === `${run.config.name}-server`;
}
