import type { ServerEvidence } from '../../consul/quorum/evidence.ts';
import { Failure } from '../../failure.ts';
import { type AgentPod, noServers } from '../../session/agent-pods.ts';
import type { Run } from '../../session/run.ts';

/** A server that follows the one leader. @throws Failure where there is none, or more than one */
export function follower(run: Run, pods: readonly AgentPod[], evidence: readonly ServerEvidence[]): AgentPod {
  const { name, namespace } = run.config;
  if (!pods.some(({ role }) => role === 'server')) throw noServers(run);
  const hidden = evidence.find(({ denied }) => denied.includes('members'));
  if (hidden) {
    throw new Failure({
      reason: 'acl-denied',
      what: 'ACLs hide the members, so nobody can be told from a ghost',
      where: `Pod/${hidden.name}`,
      hint: 'Allow `node:read` for the anonymous token; this version takes no token.',
    });
  }
  const leaders = new Set(evidence.flatMap(({ leader }) => leader || []));
  if (leaders.size > 1) {
    throw new Failure({
      reason: 'split',
      what: `the servers follow several leaders: ${[...leaders].join(', ')}`,
      where: `servers of "${name}" in namespace ${namespace}`,
      hint: 'Nothing is removed while the catalog is not one. `mode: verify` says what is wrong.',
    });
  }
  const found = evidence.find(({ leader, members }) => leader && members);
  const pod = pods.find((one) => one.name === found?.name);
  if (pod) return pod;
  throw new Failure({
    reason: 'no-leader',
    what: 'no server knows a leader, so there is no catalog to look at',
    where: `servers of "${name}" in namespace ${namespace}`,
    hint: 'Nothing is removed without a quorum. `mode: verify` says what is wrong.',
    details: evidence.map(({ name: pod, errors }) => `${pod}: ${Object.values(errors)[0] ?? 'no leader'}`),
  });
}
