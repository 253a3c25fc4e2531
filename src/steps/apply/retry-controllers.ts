import type { PlannedObject } from '../../kubernetes/apply/plan.ts';
import { type KubernetesObject, NUDGE_MANAGER, objectName } from '../../kubernetes/object.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { type Stored, storedKey } from '../../session/stored.ts';

const ANNOTATION = 'consul-deploy/tried-again-at';

interface Counted {
  spec?: { replicas?: number };
  status?: { replicas?: number; desiredNumberScheduled?: number; currentNumberScheduled?: number };
}

/**
 * Makes the controllers of workloads that are short of pods and were not written try again. One whose pods were
 * refused does so by itself, too, but after pauses that grow to a quarter of an hour, and it does not hear that
 * the quota or the webhook has been repaired. Any change of the workload ends the pause.
 */
export async function retryControllers(
  run: Run,
  { transport, discovery }: Cluster,
  planned: readonly PlannedObject[],
  stored: Stored,
): Promise<void> {
  for (const { desired, live, action } of planned) {
    if (action !== 'none' || !live || !isShort(live)) continue;
    const { namespace, name } = desired.metadata;
    const { body } = await transport.request<KubernetesObject>({
      method: 'PATCH',
      path: discovery.resource(desired.apiVersion, desired.kind).path(namespace, name),
      query: { fieldManager: NUDGE_MANAGER },
      contentType: 'application/merge-patch+json',
      body: { metadata: { annotations: { [ANNOTATION]: new Date().toISOString() } } },
      signal: run.signal,
    });
    stored.set(storedKey(desired), body);
    run.known.changed = true;
    const known = run.known.objects.find(({ kind, name: named }) => kind === desired.kind && named === name);
    if (known) known.action = 'changed';
    run.log.info(`${objectName(desired)} is short of pods: its controller is made to try again`);
  }
}

function isShort({ kind, ...rest }: KubernetesObject): boolean {
  const { spec = {}, status = {} } = rest as Counted;
  if (kind === 'StatefulSet') return (status.replicas ?? 0) < (spec.replicas ?? 1);
  if (kind === 'DaemonSet')
    return (status.currentNumberScheduled ?? 0) < (status.desiredNumberScheduled ?? 0);
  return false;
}
