import { rollingOf } from '../change/rolling.ts';
import type { Catalog } from '../consul/catalog/catalog.ts';
import { entryNames } from '../consul/registrations/conservation.ts';
import type { Plan, PlannedObject } from '../kubernetes/apply/plan.ts';
import type { Agents } from '../session/agents.ts';
import type { Cluster } from '../session/cluster.ts';
import type { Run } from '../session/run.ts';
import { isServers } from '../session/servers.ts';
import type { Workloads } from '../session/workloads.ts';
import type { Takeover } from '../steps/adoption/takeover.ts';
import type { ServersState } from '../steps/proof/servers-state.ts';
import type { Conservation } from '../steps/registrations/catalog-before-after.ts';
import { rolledClients, surveyRoll } from '../steps/replacement/clients-survey.ts';

/**
 * What the catalog holds before a change, and what of it would go with a pod; a deploy that changes nothing does not
 * pay for it.
 * @returns the clients, where this run has to replace them itself for the sake of what they hold
 */
export async function lookAtRegistered(
  run: Run,
  cluster: Cluster,
  { planned: { objects }, takeovers }: { planned: Plan; takeovers: readonly Takeover[] },
  tools: { conservation: Conservation; state: ServersState; workloads: Workloads; agents: Agents },
): Promise<PlannedObject | undefined> {
  const { conservation, state, workloads } = tools;
  // Where there was nothing there is no agent.
  if (!objects.some(({ action, live }) => action !== 'none' && live)) return undefined;
  return run.phase('compare', 'Look at what is registered', async () => {
    // A takeover carries along what it replaces, of servers too.
    const ours = objects.filter((one) => !takeovers.some(({ planned }) => planned === one));
    const rolled = rolledClients(run, ours);
    await conservation.begin({ rolls: rolled !== undefined });
    warnOfServers(run, ours, workloads, conservation.catalog);
    const walked = rolled && (await surveyRoll(run, cluster, rolled, tools)) ? rolled : undefined;
    await state.begin();
    return walked;
  });
}

/** A server without a volume starts with nothing: what is registered there goes with its pod, and is told now. */
function warnOfServers(
  run: Run,
  objects: readonly PlannedObject[],
  workloads: Workloads,
  catalog: Catalog | undefined,
): void {
  if (run.config.serverStorage.kind !== 'ephemeral') return;
  const rolls = objects.some(
    (one) =>
      isServers(run, one) &&
      one.live &&
      one.action === 'change' &&
      one.imageInPods === undefined &&
      rollingOf(one.live, one.predicted),
  );
  const names = new Set(workloads.pods('server').map(({ name }) => name));
  const held = [...(catalog?.values() ?? [])].filter(({ kind, node }) => kind !== 'node' && names.has(node));
  if (!rolls || held.length === 0) return;
  run.warn(
    `Servers without volumes are replaced, and what is registered there goes with them: ${entryNames(held)}. Register at clients.`,
  );
}
