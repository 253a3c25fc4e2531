import pLimit from 'p-limit';
import { rollingOf, waitsForDeletion } from '../change/rolling.ts';
import type { Carriage } from '../consul/carried.ts';
import type { Catalog } from '../consul/catalog.ts';
import { Failure } from '../failure.ts';
import type { PlannedObject } from '../kubernetes/plan.ts';
import type { PodView } from '../rollout/pod.ts';
import type { Agents } from './agents.ts';
import type { Cluster } from './connect.ts';
import type { Conservation } from './conservation.ts';
import { handoverPermissions } from './handover.ts';
import { requirePermissions } from './permission.ts';
import { carriage, inspect, MOST_BYTES } from './registrations.ts';
import type { Run } from './run.ts';
import type { Workloads } from './workloads.ts';

const PARALLEL = 8;
const AGENT_MS = 10_000;

/** The clients, where the plan replaces their pods or a run before this one was ended while it replaced them. */
export function rolledClients(
  run: Pick<Run, 'config'>,
  planned: readonly PlannedObject[],
): PlannedObject | undefined {
  return planned.find(({ desired, live, predicted, action }) => {
    const { kind, metadata } = desired;
    if (kind !== 'StatefulSet' && kind !== 'DaemonSet') return false;
    if (metadata.name !== `${run.config.name}-client` || action !== 'change' || !live) return false;
    // Somebody who asks for that replaces the pods.
    if (waitsForDeletion(desired)) return false;
    return rollingOf(live, predicted) !== undefined || waitsForDeletion(live);
  });
}

/**
 * Whether this run has to replace the clients itself, since some of them hold what would be lost with their pods.
 * Asks before the first write.
 * @param conservation with the catalog as it is, where anybody could tell; is told what comes from files
 * @throws Failure `registrations-lost` with what cannot be taken along, `forbidden` with the Role that is missing
 */
export async function surveyRoll(
  run: Run,
  cluster: Cluster,
  planned: PlannedObject,
  { conservation, workloads, agents }: { conservation: Conservation; workloads: Workloads; agents: Agents },
): Promise<boolean> {
  const underWay = planned.live !== undefined && waitsForDeletion(planned.live);
  const holding = holdersOf(workloads, conservation.catalog);
  if (holding.length === 0 && !underWay) return false;
  await requirePermissions(run, cluster, handoverPermissions(run.config.namespace));
  const limit = pLimit(PARALLEL);
  const obstacles = await Promise.all(
    holding.map((pod) =>
      limit(() =>
        obstaclesAt(run, cluster, agents, pod, ({ kind, id }) =>
          conservation.configured(workloads.nodeName(pod), kind, id),
        ),
      ),
    ),
  );
  const all = obstacles.flat();
  if (all.length > 0) throw cannotCarry(all, 'Nothing was changed. ');
  run.log.info(
    underWay
      ? 'a run before this one was ended while it replaced the clients; this one goes on from there'
      : `${holding.length} clients hold registrations, so this run replaces the clients one by one, and carries those along`,
  );
  return true;
}

/** What lasts in the catalog beyond the proofs of this action, by the agents that are to be replaced. */
function holdersOf(workloads: Workloads, catalog: Catalog | undefined): PodView[] {
  const nodes = new Set(
    [...(catalog?.values() ?? [])].flatMap(({ kind, node }) => (kind === 'node' ? [] : [node])),
  );
  return workloads.pods('client').filter((pod) => nodes.has(workloads.nodeName(pod)));
}

async function obstaclesAt(
  run: Run,
  cluster: Cluster,
  agents: Agents,
  pod: PodView,
  isConfigured: (one: Carriage['configured'][number]) => void,
): Promise<string[]> {
  const limit = AbortSignal.any([run.signal, AbortSignal.timeout(AGENT_MS)]);
  try {
    const { facts, registrations, holds } = await inspect(agents.client(pod), limit);
    if (holds === 0) return [];
    const where = { namespace: run.config.namespace, pod: pod.name, container: AGENT_CONTAINER };
    const found = await carriage(cluster.transport, where, facts, registrations, limit);
    found.configured.forEach(isConfigured);
    const bytes = Buffer.byteLength(JSON.stringify(found.carried));
    const tooMuch = bytes > MOST_BYTES ? [`what is registered there is too much (${bytes} bytes)`] : [];
    return [...lostWith(found), ...tooMuch].map((obstacle) => `${pod.name}: ${obstacle}`);
  } catch (error) {
    run.signal.throwIfAborted();
    // An agent that does not run holds nothing any more that could be read; perhaps this deploy mends it.
    if (pod.ready) {
      const why = limit.aborted ? `no answer within ${AGENT_MS / 1000} s` : Failure.from(error).what;
      return [`${pod.name} does not tell what is registered there: ${why}`];
    }
    run.warn(`${pod.name} does not run, so what is registered there cannot be taken along.`);
    return [];
  }
}

export const AGENT_CONTAINER = 'consul';

/** What stands in a file comes back with the rendered configuration. */
export function lostWith({ obstacles, configured }: Pick<Carriage, 'obstacles' | 'configured'>): string[] {
  return obstacles.filter((obstacle) => !configured.some((one) => one.obstacle === obstacle));
}

export function cannotCarry(obstacles: readonly string[], left = ''): Failure {
  return new Failure({
    reason: 'registrations-lost',
    what: `the change replaces clients, and what is registered there cannot be taken along: ${obstacles[0]}`,
    where: 'clients',
    hint: `${left}Deregister what is named, deploy, and register it again; an agent that does not tell has to be mended or removed first.`,
    details: obstacles.length > 1 ? obstacles : [],
  });
}
