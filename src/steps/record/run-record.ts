import type { RunRecord } from '../../inventory/inventory.ts';
import { driftedObjects } from '../../report/section/drift.ts';
import type { Run } from '../../session/run.ts';
import { ROLES, type Workloads } from '../../session/workloads.ts';
import { leaderOf } from '../proof/describe-cluster.ts';
import type { QuorumLook } from '../proof/quorum-watch.ts';

/** What this run saw, for the record; to be called when the cluster is proven. */
export function runRecord(
  run: Run,
  workloads: Pick<Workloads, 'pods'>,
  look: Pick<QuorumLook, 'evidence' | 'held'>,
): RunRecord {
  const { config, known, commitMs, failedWrites } = run;
  const leader = leaderOf(look);
  const { led } = look.held ?? {};
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
    ...(known.consulVersion !== undefined && { consulVersion: known.consulVersion }),
    ...(known.image !== undefined && { image: known.image }),
    ...(known.gossip !== undefined && { gossip: known.gossip }),
    ...(known.tls !== undefined && { tls: known.tls }),
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
