import { rollingOf, waitsForDeletion } from '../../change/rolling.ts';
import type { Catalog } from '../../consul/catalog/catalog.ts';
import { whilePassing } from '../../consul/patience.ts';
import type { Carriage } from '../../consul/registrations/portable.ts';
import { count } from '../../count.ts';
import { Failure } from '../../failure.ts';
import { missingPermissions, roleFor } from '../../kubernetes/access.ts';
import type { PlannedObject } from '../../kubernetes/apply/plan.ts';
import { AGENT_CONTAINER } from '../../manifests/name.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Agents } from '../../session/agents.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import type { Workloads } from '../../session/workloads.ts';
import { requirePermissions } from '../preflight/permissions.ts';
import { carryOverPermissions } from '../registrations/carry-over.ts';
import type { Conservation } from '../registrations/catalog-before-after.ts';
import { carriage, inspect, MOST_BYTES } from '../registrations/stash.ts';
import { batchSize, isOneByOne } from './batch.ts';

const PARALLEL = 8;
const AGENT_MS = 10_000;
/** Of more agents a connection to each would be a burden to the API server. */
const MOST_KEPT = 100;

/** The clients, where the plan replaces their pods or a run before this one was ended while it replaced them. */
export function rolledClients(
  run: Pick<Run, 'config'>,
  planned: readonly PlannedObject[],
): PlannedObject | undefined {
  return planned.find(({ desired, live, predicted, action, imageInPods }) => {
    const { kind, metadata } = desired;
    if (kind !== 'StatefulSet' && kind !== 'DaemonSet') return false;
    if (metadata.name !== `${run.config.name}-client` || action !== 'change' || !live) return false;
    // They stay, with what is registered there.
    if (imageInPods !== undefined) return false;
    // Somebody who asks for that replaces the pods.
    if (waitsForDeletion(desired)) return false;
    return rollingOf(live, predicted) !== undefined || waitsForDeletion(live);
  });
}

interface Tools {
  conservation: Conservation;
  workloads: Workloads;
  agents: Agents;
}

/**
 * Whether this run has to replace the clients itself, since some of them hold what would be lost with their pods.
 * Asks before the first write. Where the catalog cannot be read every client is asked itself: then they are replaced only
 * if each of them says that it holds nothing.
 * @param conservation with the catalog as it is; is told what comes from files
 * @throws Failure `registrations-lost` with what cannot be taken along or is not known, `acl-denied` where ACLs hide
 *   it, `forbidden` with the Role that is missing
 */
export async function surveyRoll(
  run: Run,
  cluster: Cluster,
  planned: PlannedObject,
  tools: Tools,
): Promise<boolean> {
  const { conservation, workloads } = tools;
  const underWay = planned.live !== undefined && waitsForDeletion(planned.live);
  const { catalog, unknown } = conservation;
  if (unknown) {
    if (underWay) throw cannotKnow(unknown, ['what a run before this one wrote down waits in the KV store']);
    const holding = await surveyed(workloads.pods('client'), tools, (pod) => saysNothing(run, tools, pod));
    if (holding.length > 0) throw cannotKnow(unknown, holding);
    run.log.info('the catalog cannot be read, but every client that runs says that it holds nothing');
    return false;
  }
  const holding = holdersOf(workloads, catalog);
  if (holding.length === 0 && !underWay) return needsWaves(run, cluster, planned, workloads);
  await requirePermissions(run, cluster, carryOverPermissions(run.config.namespace));
  const all = await surveyed(holding, tools, (pod) => obstaclesAt(run, cluster, tools, pod));
  if (all.length > 0) throw cannotCarry(all, 'Nothing was changed. ');
  run.log.info(
    underWay
      ? 'a run before this one was ended while it replaced the clients; this one goes on from there'
      : `${count(holding.length, 'client')} ${holding.length === 1 ? 'holds' : 'hold'} registrations, so this run replaces the clients, and carries those along`,
  );
  return true;
}

/**
 * Whether this run has to replace the clients since their controller would do so one at a time: `maxUnavailable` of a
 * StatefulSet needs the feature gate MaxUnavailableStatefulSet, which is off by default in Kubernetes 1.36, too:
 * https://github.com/kubernetes/kubernetes/blob/v1.36.3/pkg/registry/apps/statefulset/strategy.go
 */
async function needsWaves(
  run: Run,
  { transport }: Cluster,
  planned: PlannedObject,
  workloads: Workloads,
): Promise<boolean> {
  const size = batchSize(planned.desired, workloads.pods('client').length, run.config.clientMaxUnavailable);
  if (size === 1 || !isOneByOne(planned)) return false;
  const missing = await missingPermissions(transport, carryOverPermissions(run.config.namespace), run.signal);
  const told = 'the controller of a StatefulSet replaces one client at a time, so';
  run.log.info(
    missing.length > 0
      ? `${told} it takes its time: this run may not do it in waves, since these permissions are missing:\n${roleFor(missing)}`
      : `${told} this run replaces the clients, ${size} at a time`,
  );
  return missing.length === 0;
}

/** What lasts in the catalog beyond the proofs of this action, by the agents that will be replaced. */
function holdersOf(workloads: Workloads, catalog: Catalog | undefined): PodView[] {
  const nodes = new Set(
    [...(catalog?.values() ?? [])].flatMap(({ kind, node }) => (kind === 'node' ? [] : [node])),
  );
  return workloads.pods('client').filter((pod) => nodes.has(workloads.nodeName(pod)));
}

/** What speaks against the replacement of these; of many, no connections are kept. */
async function surveyed(
  pods: readonly PodView[],
  { workloads, agents }: Tools,
  ask: (pod: PodView) => Promise<string[]>,
): Promise<string[]> {
  const found: string[] = [];
  for (let at = 0; at < pods.length; at += PARALLEL) {
    found.push(...(await Promise.all(pods.slice(at, at + PARALLEL).map(ask))).flat());
    if (pods.length > MOST_KEPT) agents.keep(workloads.pods('server'));
  }
  return found;
}

/** Whether a client holds anything, by its own word. */
async function saysNothing(run: Run, tools: Tools, pod: PodView): Promise<string[]> {
  return asked(run, tools, pod, async (signal) => {
    const { holds } = await inspect(tools.agents.client(pod), signal);
    return holds > 0 ? [`${pod.name} holds ${count(holds, 'registration')}`] : [];
  });
}

async function obstaclesAt(run: Run, cluster: Cluster, tools: Tools, pod: PodView): Promise<string[]> {
  const { conservation, workloads, agents } = tools;
  return asked(run, tools, pod, async (signal) => {
    const inspection = await inspect(agents.client(pod), signal);
    if (inspection.holds === 0) return [];
    const where = { namespace: run.config.namespace, pod: pod.name, container: AGENT_CONTAINER };
    const found = await carriage(cluster.transport, where, inspection, signal);
    for (const { kind, id } of found.configured) conservation.configured(workloads.nodeName(pod), kind, id);
    const bytes = Buffer.byteLength(JSON.stringify(found.carried));
    const tooMuch = bytes > MOST_BYTES ? [`what is registered there is too much (${bytes} bytes)`] : [];
    return [...lostWith(found), ...tooMuch].map((obstacle) => `${pod.name}: ${obstacle}`);
  });
}

/** Asks an agent, again while that may help. One that does not run cannot be asked; perhaps this deploy repairs it. */
async function asked(
  run: Run,
  { workloads }: Tools,
  pod: PodView,
  ask: (signal: AbortSignal) => Promise<string[]>,
): Promise<string[]> {
  try {
    return await whilePassing({ signal: run.signal, limitMs: AGENT_MS }, async (signal) => {
      try {
        return await ask(signal);
      } catch (error) {
        run.signal.throwIfAborted();
        if (workloads.runs('client', pod, AGENT_CONTAINER)) throw error;
        run.warn(`${pod.name} does not run, so what is registered there cannot be taken along.`);
        return [];
      }
    });
  } catch (error) {
    run.signal.throwIfAborted();
    return [`${pod.name} does not tell what is registered there: ${Failure.from(error).what}`];
  }
}

/** What stands in a file comes back with the rendered configuration. */
export function lostWith({ obstacles, configured }: Pick<Carriage, 'obstacles' | 'configured'>): string[] {
  return obstacles.filter((obstacle) => !configured.some((one) => one.obstacle === obstacle));
}

export function cannotCarry(obstacles: readonly string[], left = ''): Failure {
  return new Failure({
    reason: 'registrations-lost',
    what: `the change replaces clients, and what is registered there cannot be taken along: ${obstacles[0]}`,
    where: 'clients',
    hint: `${left}Deregister what is named, deploy, and register it again; an agent that does not tell has to be repaired or removed first.`,
    details: obstacles.length > 1 ? obstacles : [],
  });
}

/** The catalog is not known, so that nobody can say what would go with the clients. */
function cannotKnow(unknown: Failure, holding: readonly string[]): Failure {
  const denied = unknown.reason === 'acl-denied';
  const cure = denied
    ? unknown.hint
    : 'Bring the servers back to a quorum first (`mode: verify` says what is missing), by a deploy that changes the servers alone if need be; or deregister what is named.';
  return new Failure({
    reason: denied ? 'acl-denied' : 'registrations-lost',
    what: `the change replaces clients, and what they hold is not known, since the catalog cannot be read: ${unknown.what}; ${holding[0]}`,
    where: unknown.where ?? 'clients',
    hint: `Nothing was changed. ${cure}`,
    details: holding.length > 1 ? holding : [],
    cause: unknown,
  });
}
