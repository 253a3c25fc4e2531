import pLimit from 'p-limit';
import { probeGossip } from '../../consul/gossip/wire.ts';
import { whilePassing } from '../../consul/patience.ts';
import { collectEvidence } from '../../consul/quorum/evidence.ts';
import type { Finding } from '../../consul/quorum/finding.ts';
import { judgeQuorum } from '../../consul/quorum/quorum.ts';
import { probeRpc } from '../../consul/rpc/wire.ts';
import { count } from '../../count.ts';
import { Failure } from '../../failure.ts';
import type { AccessCheck } from '../../kubernetes/access.ts';
import { runInPod } from '../../kubernetes/streams/command.ts';
import { Agents } from '../../session/agents.ts';
import type { Cluster } from '../../session/cluster.ts';
import { pause } from '../../session/pause.ts';
import type { Run } from '../../session/run.ts';
import { requirePermissions } from '../preflight/permissions.ts';
import { carryOverPermissions } from '../registrations/carry-over.ts';
import { carriage, inspect, MOST_BYTES } from '../registrations/stash.ts';
import { type OldAgent, obstaclesTo } from './obstacle.ts';
import { refuse, remarksOn } from './refusal.ts';
import type { Takeover } from './takeover.ts';
import { type NewCertificates, needsTls } from './tls-obstacle.ts';

const PARALLEL = 8;
/** An election that is under way ends within it; a cluster without a leader is told of soon. */
const QUORUM_MS = 10_000;
const LOOK_MS = 500;
const AGENT_MS = 10_000;

/**
 * Asks everything that the takeover depends on, before the first write.
 * @param planning whoever plans need not be allowed to run anything in a pod: what is registered there is counted
 *   only, and whether all of it can be taken along shows at the deploy
 * @param certificates what new agents would begin with, where the old ones speak TLS
 * @returns whether the agents encrypt their gossip, and whether they verify each other's certificates
 * @throws Failure `adoption` with all that speaks against it, `forbidden` with the Role that is missing
 */
export async function surveyTakeovers(
  run: Run,
  cluster: Cluster,
  takeovers: readonly Takeover[],
  { planning = false, certificates }: { planning?: boolean; certificates?: NewCertificates | undefined } = {},
): Promise<{ encrypted: boolean; verified: boolean }> {
  if (takeovers.length === 0) return { encrypted: false, verified: false };
  const { namespace } = run.config;
  if (!planning) await requirePermissions(run, cluster, takeoverPermissions(namespace));
  const agents = new Agents(cluster.transport, namespace);
  try {
    const servers = takeovers.find(({ role, state }) => role === 'server' && state === 'fresh');
    const findings = servers ? await quorumOf(run, agents, servers) : [];
    const told = await inspectAll(run, agents, takeovers, planning ? undefined : cluster);
    // Where one agent verifies, all have to.
    const old = told.some(needsTls)
      ? await withCertificates(run, agents, told, planning ? undefined : cluster)
      : told;
    refuse(obstaclesTo(run.config, { takeovers, agents: old, findings, certificates }));
    const sessions = await countSessions(agents, takeovers, run.signal);
    for (const remark of remarksOn(run.config, old, sessions)) run.warn(remark);
    const held = old.reduce((sum, { holds }) => sum + holds, 0);
    run.log.info(
      `to take over: ${takeovers.map(({ planned, pods }) => `${planned.desired.metadata.name} with ${count(pods.length, 'pod')}`).join(', ')}; ${held} services and checks are registered there`,
    );
    const verified = old.some(needsTls);
    if (verified)
      run.log.info('RPC: the agents verify certificates; new ones begin with some of the same authority');
    return { encrypted: old.some(({ facts }) => facts?.encrypted), verified };
  } finally {
    agents.close();
  }
}

export function takeoverPermissions(namespace: string): AccessCheck[] {
  return [
    { verb: 'delete', group: 'apps', resource: 'statefulsets', namespace },
    ...carryOverPermissions(namespace),
  ];
}

async function quorumOf(run: Run, agents: Agents, { pods }: Takeover): Promise<Finding[]> {
  const expected = {
    servers: pods.map(({ name, ip = '' }) => ({ name, ip })),
    datacenter: run.config.datacenter,
  };
  const end = performance.now() + QUORUM_MS;
  for (;;) {
    const evidence = await Promise.all(
      pods.filter(({ running }) => running).map((pod) => collectEvidence(agents.client(pod), run.signal)),
    );
    const findings = judgeQuorum(evidence, expected);
    const settled = findings.every(({ passed, id }) => passed || id === 'quorum-members');
    if (settled || performance.now() >= end) return findings;
    await pause(LOOK_MS, run.signal);
  }
}

/** Pods of our own making are not replaced, and what they hold stays. */
async function inspectAll(
  run: Run,
  agents: Agents,
  takeovers: readonly Takeover[],
  cluster: Cluster | undefined,
): Promise<OldAgent[]> {
  const limit = pLimit(PARALLEL);
  return Promise.all(
    takeovers.flatMap(({ role, pods }) =>
      pods
        .filter(({ ours, terminating }) => !ours && !terminating)
        .map((pod) => limit(() => inspectOne(run, agents, { role, pod }, cluster))),
    ),
  );
}

async function inspectOne(
  run: Run,
  agents: Agents,
  { role, pod }: Pick<OldAgent, 'role' | 'pod'>,
  cluster: Cluster | undefined,
): Promise<OldAgent> {
  const { namespace } = run.config;
  const limit = AbortSignal.any([run.signal, AbortSignal.timeout(AGENT_MS)]);
  try {
    const client = agents.client(pod);
    const inspection = await inspect(client, limit);
    const { facts, holds } = inspection;
    const gossip = facts.encrypted
      ? await seen(limit, () => probeGossip(pod.name, agents.gossip(pod), limit))
      : undefined;
    const known = { role, pod, facts, holds, ...(gossip && { gossip }) };
    if (!cluster || holds === 0) return { ...known, obstacles: [] };
    const container = { namespace, pod: pod.name, container: pod.container };
    const { carried, obstacles } = await carriage(cluster.transport, container, inspection, limit);
    const bytes = Buffer.byteLength(JSON.stringify(carried));
    const tooMuch = bytes > MOST_BYTES ? [`what is registered there is too much (${bytes} bytes)`] : [];
    return { ...known, obstacles: [...obstacles, ...tooMuch] };
  } catch (error) {
    run.signal.throwIfAborted();
    const silence = limit.aborted ? `no answer within ${AGENT_MS / 1000} s` : Failure.from(error).what;
    return { role, pod, silence, holds: 0, obstacles: [] };
  }
}

/** Servers show theirs. That of a client is known to those alone whom it dials, so its file is read. */
async function withCertificates(
  run: Run,
  agents: Agents,
  old: readonly OldAgent[],
  cluster: Cluster | undefined,
): Promise<OldAgent[]> {
  const limit = pLimit(PARALLEL);
  const { namespace } = run.config;
  const look = async (one: OldAgent): Promise<OldAgent> => {
    const { role, pod, facts } = one;
    // One connection that breaks is no reason to refuse.
    const patience = { signal: run.signal, limitMs: AGENT_MS };
    if (role === 'server') {
      const rpc = await seen(run.signal, () =>
        whilePassing(patience, (both) => probeRpc(pod.name, agents.rpc(pod), both)),
      );
      return { ...one, ...(rpc && { rpc }) };
    }
    if (!cluster || !facts) return one;
    const command = ['cat', '--', facts.certificateFile];
    const container = { namespace, pod: pod.name, container: pod.container };
    const certificate = await seen(run.signal, () =>
      whilePassing(patience, (signal) => runInPod(cluster.transport, { ...container, command, signal })),
    );
    return { ...one, certificate: certificate ?? '' };
  };
  return Promise.all(old.map((one) => limit(() => look(one))));
}

/** Undefined where it cannot be seen, such as a port that a port-forward does not reach. */
async function seen<T>(signal: AbortSignal, look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/** A courtesy: where they may not be listed, nothing is said of them. */
async function countSessions(
  agents: Agents,
  takeovers: readonly Takeover[],
  signal: AbortSignal,
): Promise<number> {
  const pod = takeovers.flatMap(({ pods }) => pods).find(({ running }) => running);
  if (!pod) return 0;
  try {
    const { body } = await agents.client(pod).get<unknown[]>('/v1/session/list', { signal });
    return body.length;
  } catch {
    signal.throwIfAborted();
    return 0;
  }
}
