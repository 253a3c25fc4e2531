import { podsOf, withPartition } from '../../change/workload.ts';
import { count } from '../../count.ts';
import type { PlannedObject } from '../../kubernetes/apply/plan.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { isServers } from '../../session/servers.ts';
import type { Stored } from '../../session/stored.ts';
import { waitFor } from '../../session/wait-for.ts';
import type { Role } from '../../session/workloads.ts';
import { applyStage } from '../apply/apply.ts';
import type { Conservation } from '../registrations/catalog-before-after.ts';
import { walkClients } from '../replacement/clients.ts';
import { walkServers } from '../replacement/servers.ts';
import { NewImage } from './new-image.ts';
import { oldAgents, restartRole } from './restart.ts';
import type { RestartTools } from './restart-one.ts';

/** As it is written first: no pod is replaced for the new template. */
export function withKeptPodsOf(planned: PlannedObject): PlannedObject {
  const { desired, live, imageInPods } = planned;
  if (imageInPods === undefined || !live) return planned;
  return { ...planned, desired: withPartition(desired, podsOf(live)) };
}

interface Tools extends RestartTools {
  cluster: Cluster;
  stored: Stored;
  conservation: Pick<Conservation, 'succeeded'>;
}

/**
 * Gives the containers of agents that run their new image, in the pods that they have: servers one at a time, each only while
 * Raft can do without it, the leader last; then clients in waves. Whoever has not got it then, since it does not run, is
 * replaced as for any other change.
 */
export async function changeImages(run: Run, planned: readonly PlannedObject[], tools: Tools): Promise<void> {
  const { workloads } = tools;
  const due = planned.flatMap((workload) => {
    if (workload.imageInPods === undefined) return [];
    const role: Role = isServers(run, workload) ? 'server' : 'client';
    return [{ role, workload, image: workload.imageInPods }];
  });
  const done: string[] = [];
  for (const { role } of due) workloads.walked.add(role);
  try {
    for (const one of due) {
      const changed = await changeImage(run, one, tools);
      if (changed > 0) done.push(count(changed, one.role));
      workloads.walked.delete(one.role);
    }
  } finally {
    for (const { role } of due) workloads.walked.delete(role);
  }
  if (done.length === 0) return;
  run.check({
    id: 'image-started',
    title: 'Image',
    group: 'servers',
    expected: 'every agent has started with its new image, in the pod that it had',
    observed: done.join(' and '),
    passed: true,
  });
}

/** @returns how many of its agents have started with it */
async function changeImage(
  run: Run,
  { role, workload, image }: { role: Role; workload: PlannedObject; image: string },
  tools: Tools,
): Promise<number> {
  const { workloads, cluster, stored } = tools;
  const { name } = workload.desired.metadata;
  // Until then nobody knows the revision of the new template.
  await waitFor(run, workloads, { topic: 'image' }, (missing) =>
    workloads.updateRevision(role) !== undefined
      ? true
      : missing(`${name} is not seen by its controller yet`),
  );
  const renewal = new NewImage(run, { role, image }, tools);
  const restart = { role, renewal, workload, started: new Set<string>() };
  const old = await oldAgents(restart, tools);
  if (old.length > 0) await restartRole(run, restart, old, tools);
  const pods = workloads.pods(role);
  const isAll =
    pods.length === podsOf(workload.desired) && pods.every((pod) => workloads.isPresent(role, pod));
  if (isAll) await applyStage(run, cluster, [workload], stored);
  else if (role === 'server') await walkServers(run, cluster, workload, tools);
  else await walkClients(run, cluster, workload, tools);
  workloads.judge(stored);
  // One that was gone when its turn came has been replaced.
  return restart.started.size;
}
