import type { Plan, PlannedObject } from '../kubernetes/apply/plan.ts';
import { stages } from '../kubernetes/apply/stage.ts';
import { isDefinition } from '../kubernetes/custom-resource.ts';
import type { Agents } from '../session/agents.ts';
import type { Cluster } from '../session/cluster.ts';
import type { Run } from '../session/run.ts';
import { isServers } from '../session/servers.ts';
import type { Stored } from '../session/stored.ts';
import type { Workloads } from '../session/workloads.ts';
import { takeOver } from '../steps/adoption/move.ts';
import type { Takeover } from '../steps/adoption/takeover.ts';
import { applyStage } from '../steps/apply/apply.ts';
import { movedOut } from '../steps/apply/moved-out.ts';
import { judgeNewKinds } from '../steps/apply/new-kinds.ts';
import { retryControllers } from '../steps/apply/retry-controllers.ts';
import type { Conservation } from '../steps/registrations/catalog-before-after.ts';
import { looserBudget } from '../steps/replacement/budget.ts';
import { walkClients } from '../steps/replacement/clients.ts';
import { fewerServers } from '../steps/replacement/fewer-servers.ts';
import { needsWalk, walkServers } from '../steps/replacement/servers.ts';
import { changeImage } from '../steps/restart/images.ts';
import type { Triage } from '../steps/triage/triage.ts';

interface ToApply {
  planned: Plan;
  takeovers: readonly Takeover[];
  /** The clients, where the run replaces them itself. */
  rolled: PlannedObject | undefined;
}

interface ApplyParts {
  workloads: Workloads;
  agents: Agents;
  triage: Triage;
  conservation: Conservation;
  stored: Stored;
}

/** One stage after the other. Servers and clients that run are replaced by the run; all else is written. */
export async function applyStages(
  run: Run,
  cluster: Cluster,
  { planned, takeovers, rolled }: ToApply,
  { workloads, agents, triage, conservation, stored }: ApplyParts,
): Promise<void> {
  const byObject = new Map(planned.objects.map((object) => [object.desired, object]));
  const budget = looserBudget(run, planned.objects);
  const written = fewerServers(run, planned.objects)?.budget ?? [];
  const notHere = [...movedOut(planned.objects), ...budget, ...written];
  for (const stage of stages(planned.objects.map(({ desired }) => desired))) {
    const parts = stage.flatMap((desired) => byObject.get(desired) ?? []);
    for (const takeover of takeovers.filter((one) => parts.includes(one.planned))) {
      await takeOver(run, cluster, takeover, {
        workloads,
        agents,
        observer: triage,
        stored,
        conservation,
      });
    }
    const taken = takeovers.map((takeover) => takeover.planned);
    const tools = { workloads, agents, observer: triage, stored, cluster };
    const walked = parts.find((part) => !taken.includes(part) && isServers(run, part) && needsWalk(part));
    if (walked?.imageInPods !== undefined) await changeImage(run, walked, tools);
    else if (walked) await walkServers(run, cluster, walked, tools);
    const inPods = parts.find((part) => part !== walked && part.imageInPods !== undefined);
    if (inPods) await changeImage(run, inPods, tools);
    const clients = parts.find((part) => part === rolled);
    if (clients) await walkClients(run, cluster, clients, { workloads, agents, stored, conservation });
    const rest = parts.filter(
      (part) =>
        part !== walked &&
        part !== inPods &&
        part !== clients &&
        !taken.includes(part) &&
        !notHere.includes(part),
    );
    await applyStage(run, cluster, rest, stored);
    if (stage.some(isDefinition)) {
      for (const [desired, judged] of await judgeNewKinds(run, cluster, planned.objects))
        byObject.set(desired, judged);
    }
  }
  await applyStage(run, cluster, budget, stored);
  await retryControllers(run, cluster, planned.objects, stored);
  workloads.judge(stored);
  const applied = run.known.objects.filter(({ action }) => action !== 'kept');
  const writes = applied.filter(({ action }) => action !== 'unchanged').length;
  run.log.info(writes === 0 ? 'nothing to write' : `${writes} of ${applied.length} objects written`);
}
