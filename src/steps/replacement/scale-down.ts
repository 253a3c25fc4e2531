import { claimNames, specOf, withReplicas } from '../../change/workload.ts';
import { isInRaft, leave, prune, raftIdOf, removePeer } from '../../consul/agent/departure.ts';
import { isPassing } from '../../consul/failure.ts';
import { catchUpOf } from '../../consul/quorum/catch-up.ts';
import type { ServerEvidence } from '../../consul/quorum/evidence.ts';
import { setMinQuorum } from '../../consul/quorum/min-quorum.ts';
import { quorumWhileLeaving } from '../../consul/quorum/voter-loss.ts';
import { Failure } from '../../failure.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Agents } from '../../session/agents.ts';
import type { Cluster } from '../../session/cluster.ts';
import { pause } from '../../session/pause.ts';
import type { Run } from '../../session/run.ts';
import { evidenceOfAll, runningServers } from '../../session/servers.ts';
import type { Stored } from '../../session/stored.ts';
import type { Workloads } from '../../session/workloads.ts';
import { applyStage } from '../apply/apply.ts';
import { tellOutcome } from '../removal/removal.ts';
import { type FewerServers, told } from './fewer-servers.ts';
import { handOver } from './leadership.ts';
import { isUsersMatter } from './voter-minimum.ts';

const LOOK_MS = 150;
/** Longer than an agent takes to leave: Serf's leave, and 5 s for Raft. */
const LEAVING_MS = 30_000;

interface Tools {
  cluster: Cluster;
  workloads: Workloads;
  agents: Agents;
  /** As the API server has it, where what is written is what is planned. */
  stored: Stored;
}

interface Leaver {
  name: string;
  /** How many servers stay when it has left. */
  staying: number;
}

/**
 * Takes servers out of the cluster one at a time, the last ordinal first: each hands over the leadership, leaves Raft and
 * gossip while the others are a quorum without it, and only then its pod goes. Where a run is ended in between, what runs
 * is a whole cluster of as many servers as there are, and the next run goes on.
 *
 * Comes before anything else is written: what configures fewer servers must not be read by one that will go. With
 * `bootstrap_expect: 1` and no data it would found a cluster of its own.
 */
export async function removeServers(run: Run, fewer: FewerServers, tools: Tools): Promise<void> {
  const { leaving, before, budget } = fewer;
  await applyStage(run, tools.cluster, budget, tools.stored);
  const forgotten: Promise<void>[] = [];
  for (const [index, name] of leaving.entries()) {
    const step = run.step(name);
    const leaver = { name, staying: before - 1 - index };
    const evidence = await untilItMayLeave(run, name, tools, (why) => step.waitsFor(why));
    step.waitsFor(undefined);
    const id = raftIdOf(evidence, name);
    if (id !== undefined) await depart(run, leaver, id, tools);
    await stop(run, fewer, leaver, tools);
    if (id !== undefined) await takeOut(run, name, id, tools);
    // Gossip takes some 9 s to tell everybody, which nobody has to wait for here.
    forgotten.push(forget(run, name, tools));
    step.done('removed');
    tellKept(run, fewer, name);
  }
  await Promise.all(forgotten);
  run.log.settled('scale-down');
}

function evidenceOf(run: Run, { workloads, agents }: Tools): Promise<ServerEvidence[]> {
  return evidenceOfAll(runningServers(workloads), agents, run.signal);
}

async function untilItMayLeave(
  run: Run,
  name: string,
  tools: Tools,
  waitsFor: (why: string) => void,
): Promise<ServerEvidence[]> {
  for (;;) {
    const evidence = await evidenceOf(run, tools);
    const outcome = quorumWhileLeaving(evidence, [name]);
    const others = evidence.filter((said) => said.name !== name).map((said) => said.name);
    const catchUp = catchUpOf(evidence, others);
    if (outcome.quorum === 'kept' && catchUp.state !== 'behind') return evidence;
    const why = catchUp.state === 'behind' ? catchUp.why : told([name], outcome);
    waitsFor(why);
    run.log.progress(`${name} has to wait: ${why}`, 'scale-down');
    await pause(LOOK_MS, run.signal);
  }
}

/** From now on it is no voter and no member; its agent ends by itself. */
async function depart(run: Run, leaver: Leaver, id: string, tools: Tools): Promise<void> {
  const { workloads, agents } = tools;
  const { name, staying } = leaver;
  await lowerMinQuorum(run, leaver, tools);
  await handOver(run, { workloads, agents }, { awayFrom: name });
  const pod = runningServers(workloads).find((one) => one.name === name);
  // One that does not run is taken out when its pod has gone.
  if (!pod) return;
  let refused: unknown;
  run.known.changed = true;
  run.known.left = `${name} was told to leave the cluster, and its pod is still there. Run again: the next run goes on from there.`;
  // Answers when the agent has ended, which nobody has to wait for.
  leave(agents.client(pod), run.signal).catch((error: unknown) => {
    if (!isPassing(error)) refused = error;
  });
  const until = performance.now() + LEAVING_MS;
  while ((await inRaft(run, name, id, tools)) !== false) {
    if (refused !== undefined || performance.now() >= until) throw stays(name, staying + 1, refused);
    run.log.progress(`${name} is leaving: Raft may still count it`, 'scale-down');
    await pause(LOOK_MS, run.signal);
  }
  run.log.info(`${name} has left Raft and gossip`);
}

/** Autopilot keeps at least so many voters; with as many as there were it would not remove one that fails on its way. A server can leave all the same. */
async function lowerMinQuorum(run: Run, { name, staying }: Leaver, tools: Tools): Promise<void> {
  if (isUsersMatter(run)) return;
  for (;;) {
    const pod = tools.workloads.pods('server').find((one) => one.ready && one.name !== name);
    let why = pod ? 'somebody else writes its settings' : 'no other server is ready';
    try {
      if (pod && (await setMinQuorum(tools.agents.client(pod), staying, run.signal)) !== 'raced') return;
    } catch (error) {
      run.signal.throwIfAborted();
      why = Failure.from(error).what;
      if (!isPassing(error)) return run.warn(`MinQuorum stays as it is: ${why}`);
    }
    const servers = `${staying} ${staying === 1 ? 'server' : 'servers'}`;
    run.log.progress(`${name} has to wait until autopilot expects ${servers}: ${why}`, 'scale-down');
    await pause(LOOK_MS, run.signal);
  }
}

/** The pod goes, by one ordinal less. All else of the StatefulSet stays as it is. */
async function stop(
  run: Run,
  { planned }: FewerServers,
  { name, staying }: Leaver,
  { cluster, workloads }: Tools,
): Promise<void> {
  const desired = withReplicas(appliable(planned.live), staying);
  // Not what is written of it in the end.
  const stored: Stored = new Map();
  await applyStage(run, cluster, [{ ...planned, desired }], stored);
  for (;;) {
    const { version } = workloads.observation;
    const pod = workloads.observation.pods().find((one) => one.name === name);
    if (!pod) return;
    const why = pod.terminating ? 'is ending' : 'is still there: its controller has yet to remove it';
    run.log.progress(`the pod of ${name} ${why}`, 'scale-down');
    await workloads.changedSince(version, run.signal);
  }
}

/** A server that could not leave, or came back in the moment before its pod went. */
async function takeOut(run: Run, name: string, id: string, tools: Tools): Promise<void> {
  for (;;) {
    const found = await inRaft(run, name, id, tools);
    if (found === false) return;
    const [pod] = runningServers(tools.workloads).filter((one) => one.name !== name);
    let why = found ? 'no other server runs' : 'no other server tells who votes';
    try {
      if (found && pod) {
        why = 'a server was asked to remove it';
        await removePeer(tools.agents.client(pod), id, run.signal);
        run.log.info(`Raft has removed the voter ${id}, which was ${name}`);
      }
    } catch (error) {
      run.signal.throwIfAborted();
      // Raft may have removed it a moment before, and says then that it does not know it.
      const failure = Failure.from(error);
      if (failure.reason === 'forbidden') throw error;
      why = failure.what;
    }
    run.log.progress(`Raft may still count ${name}, which has gone: ${why}`, 'scale-down');
    await pause(LOOK_MS, run.signal);
  }
}

/** What is left of it in gossip is in nobody's way but of one that comes again under its name. */
async function forget(run: Run, name: string, { workloads, agents }: Tools): Promise<void> {
  const [pod] = runningServers(workloads).filter((one) => one.name !== name);
  if (!pod) return;
  try {
    await prune(agents.client(pod), name, run.signal);
  } catch (error) {
    // Nobody waits for it before the others have left, too.
    if (run.signal.aborted) return;
    run.log.info(`gossip remembers ${name} for a while: ${Failure.from(error).what}`);
  }
}

async function inRaft(run: Run, name: string, id: string, tools: Tools): Promise<boolean | undefined> {
  const evidence = await evidenceOf(run, tools);
  return isInRaft(
    evidence.filter((said) => said.name !== name),
    id,
  );
}

function stays(name: string, servers: number, refused: unknown): Failure {
  const why = refused === undefined ? undefined : Failure.from(refused);
  return new Failure({
    reason: why?.reason === 'forbidden' ? 'acl-denied' : 'quorum',
    what: `${name} does not leave the cluster: ${why?.what ?? `Raft still counts it ${LEAVING_MS / 1000} s after it was asked to`}`,
    where: `Pod/${name}`,
    hint:
      why?.reason === 'forbidden'
        ? 'Allow `agent_prefix "" { policy = "write" }` for the token that requests without one get (`acl.tokens.default` of the servers, or the anonymous token), and run again.'
        : 'See its log. Run again: the next run goes on from here.',
    details: [`The cluster runs with ${servers} servers.`],
    cause: refused,
  });
}

/** Its volume has what it knew, for whoever wants that back. A server that comes again does not get it (returning-claims.ts). */
function tellKept(run: Run, { planned: { live } }: FewerServers, pod: string): void {
  if (specOf(live).persistentVolumeClaimRetentionPolicy?.whenScaled === 'Delete') return;
  const { namespace = run.config.namespace } = live.metadata;
  for (const name of claimNames(live, pod)) {
    tellOutcome(run, { kind: 'PersistentVolumeClaim', name, namespace }, 'kept');
    run.log.info(`PersistentVolumeClaim/${name} is kept`);
  }
}

/** Without what only the API server writes. */
function appliable({ apiVersion, kind, metadata, spec }: KubernetesObject): KubernetesObject {
  const { name, namespace, labels, annotations } = metadata;
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      ...(labels && { labels }),
      ...(annotations && { annotations }),
    },
    spec,
  };
}
