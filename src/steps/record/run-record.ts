import type { RunRecord } from '../../inventory/inventory.ts';
import { driftedObjects } from '../../report/section/drift.ts';
import type { Run } from '../../session/run.ts';
import { ROLES, type Workloads } from '../../session/workloads.ts';
import type { ProvenCluster } from '../proof/proven-cluster.ts';

/** What this run has proven, for the record. */
export function runRecord(
  run: Run,
  workloads: Pick<Workloads, 'pods'>,
  { leader, led, version, image, commitMs, failedWrites, gossip, tls }: ProvenCluster,
): RunRecord {
  const { config, known } = run;
  return {
    at: run.startedAt,
    mode: config.mode === 'verify' ? 'verify' : 'deploy',
    changed: known.changed,
    verdictMs: known.timings.verdict ?? run.now(),
    ...(commitMs !== undefined && { commitMs: Math.round(commitMs) }),
    ...(failedWrites !== undefined && { failedWrites }),
    ...(config.mode === 'verify' && { drift: driftedObjects(known.drift ?? []) }),
    ...(leader !== undefined && { leader }),
    ...(led && { led }),
    ...(version !== undefined && { consulVersion: version }),
    image,
    ...(gossip !== undefined && { gossip }),
    ...(tls !== undefined && { tls }),
    restarts: restarts(workloads),
  };
}

/** Of thousands of clients only those that have restarted are kept: a pod that is not named had none so far. */
function restarts(workloads: Pick<Workloads, 'pods'>): Record<string, number> {
  const counts = ROLES.flatMap((role) =>
    workloads
      .pods(role)
      .filter((pod) => role === 'server' || pod.restarts > 0)
      .map((pod): [string, number] => [pod.uid, pod.restarts]),
  );
  return Object.fromEntries(counts);
}
