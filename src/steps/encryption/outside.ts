import { canonicalAddress } from '../../consul/address.ts';
import { readAgentFacts } from '../../consul/agent/facts.ts';
import type { ServerEvidence } from '../../consul/quorum/evidence.ts';
import type { EncryptionStep } from '../../report/result/encryption-step.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Live } from '../../session/live.ts';
import type { Run } from '../../session/run.ts';
import { runningServers } from '../../session/servers.ts';
import { checkOutsideAgents, type OutsideConcern, outsideAgents } from '../preflight/outside-agents.ts';
import type { GossipGoal } from './settle-gossip.ts';
import type { TlsGoal } from './settle-tls.ts';
import { encryptionToCome } from './to-come.ts';

type Asked = Pick<Live, 'workloads' | 'agents'>;

/**
 * Agents that are no pods of this deployment get no files from its Secrets: a change of what all agents have to have would
 * cut them off. Asked when every agent is there; where ACLs hide members it goes on, with a warning.
 * @throws Failure `unfit-cluster` with who they are
 */
export async function refuseOutsideAgents(run: Run, live: Asked, what: 'gossip' | 'TLS'): Promise<void> {
  const onUnknown = () =>
    run.warn(
      `No server lists all members, so it is not known whether there are agents outside of this deployment: a change of ${what} cuts them off.`,
    );
  const left = 'The encryption was not changed.';
  await checkOutsideAgents(run, live, undefined, { ...concern(what), left, onUnknown });
}

/**
 * The same before the first write, for all that a deploy has yet to do to the agents that run. Where no server tells, it is
 * asked again before the change itself: the deploy may be what brings the servers back.
 */
export async function refuseOutsideAgentsBefore(
  run: Run,
  live: Asked,
  { gossip, tls }: { gossip: GossipGoal; tls: TlsGoal },
): Promise<void> {
  const steps = encryptionToCome(run, gossip, tls);
  if (steps.length === 0) return;
  await live.workloads.untilSynced(run.signal);
  // Where the agents have a key of their own it goes into the Secret, and stays the same.
  const isKept = gossip.goal === 'strict' && !gossip.files && (await isEncrypted(run, live));
  const [first] = steps.filter((step) => step.is !== 'key-into-secret' && (!isKept || !isWayOfGossip(step)));
  if (!first) return;
  const what = isWayOfGossip(first) || first.is === 'another-key' ? 'gossip' : 'TLS';
  await checkOutsideAgents(run, live, undefined, { ...concern(what), onUnknown: () => undefined });
}

function isWayOfGossip(step: EncryptionStep): boolean {
  return step.is === 'way' && step.what === 'gossip';
}

async function isEncrypted({ signal }: Run, { workloads, agents }: Asked): Promise<boolean> {
  const [server] = runningServers(workloads);
  try {
    return server !== undefined && (await readAgentFacts(agents.client(server), signal)).encrypted;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

function concern(what: 'gossip' | 'TLS'): OutsideConcern {
  const files = what === 'gossip' ? 'key' : 'certificates';
  return {
    about: `the encryption of ${what === 'gossip' ? 'gossip' : 'RPC'} is to change`,
    loss: 'would be cut off, since nobody gives them the new files',
    left: 'Nothing was changed.',
    where: ({ config }) => `the members of datacenter ${config.datacenter}`,
    cure: {
      known: `Take these agents out of the cluster first (\`consul leave\`), and let them join again when it is done, with the ${files} in the Secrets; or leave the encryption as it is.`,
      unknown: 'Deploy again when the servers can be asked.',
    },
  };
}

/** Who is a member and no pod, or a pod and no member, by what the servers say. */
export function strangersAmong(evidence: readonly ServerEvidence[], pods: readonly PodView[]): string[] {
  const members = evidence.flatMap((one) => one.members ?? []);
  const known = new Set(members.flatMap(({ name, ip }) => [name, canonicalAddress(ip)]));
  const missing = pods.filter(({ name, ip = name }) => !known.has(name) && !known.has(canonicalAddress(ip)));
  return [
    ...(outsideAgents(evidence, pods) ?? []).map((one) => `${one} is a member and no pod`),
    ...missing.map(({ name }) => `${name} is no member`),
  ];
}
