import type { Config } from '../../config/config.ts';
import type { AccessCheck } from '../../kubernetes/access.ts';
import { phaseTitle } from '../../report/phase.ts';
import type { Run } from '../../session/run.ts';
import { clusterState, type ProvenCluster } from '../proof/proven-cluster.ts';
import { Triage } from '../triage/triage.ts';
import { OneFault } from './fault.ts';
import type { Chaos } from './heal.ts';

/** What the faults of this run need. */
export function faultPermissions({ chaos, namespace }: Pick<Config, 'chaos' | 'namespace'>): AccessCheck[] {
  return chaos.length > 0 ? [{ verb: 'delete', group: '', resource: 'pods', namespace }] : [];
}

/**
 * Breaks what is proven, one fault after the other, and watches it heal with no help of this action.
 * @param proven before the first of them
 * @returns what is proven after the last of them, and the pods that were deleted
 * @throws Failure `not-healed`
 */
export async function makeFaults(
  parts: Omit<Chaos, 'observer'>,
  proven: ProvenCluster,
): Promise<{ proven: ProvenCluster; deleted: string[] }> {
  const { run, workloads, cluster } = parts;
  const deleted: string[] = [];
  let latest = proven;
  for (const fault of run.config.chaos) {
    // Each has its own, which knows nothing of the trouble before.
    const triage = new Triage(run, workloads, cluster.transport);
    try {
      await run.phase(fault, phaseTitle(fault), async () => {
        const one = new OneFault(fault, { ...parts, observer: triage }, triage);
        const healed = await one.make();
        if (!healed) return;
        latest = { ...latest, ...clusterState(run, workloads, healed.look) };
        deleted.push(healed.victim.name);
      });
    } finally {
      triage.close();
    }
  }
  return { proven: latest, deleted };
}

/**
 * How the cluster was left, when all has healed.
 * @param isRecorded this run is in the record
 */
export function tellDeleted(run: Run, deleted: readonly string[], isRecorded: boolean): void {
  if (deleted.length === 0) return;
  run.known.left = { is: 'healed', pods: deleted, isRecorded };
}
