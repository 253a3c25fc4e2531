import { Failure } from '../failure.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { recordName } from '../manifests/name.ts';
import type { Cluster } from '../session/cluster.ts';
import { deployedConfig } from '../session/deployed-config.ts';
import { type Live, withLive } from '../session/live.ts';
import type { Run } from '../session/run.ts';
import { storedKey } from '../session/stored.ts';
import { type Comparison, compare } from '../steps/drift/compare.ts';
import { type DeployRecord, readRecord } from '../steps/record/record.ts';

/** The record of what was deployed. @throws Failure `not-deployed` */
export async function recorded(run: Run, cluster: Cluster): Promise<DeployRecord> {
  const record = await readRecord(run, cluster);
  const { name, namespace } = run.config;
  const where = `ConfigMap/${recordName(name)} in namespace ${namespace}`;
  if (!record) {
    throw new Failure({
      reason: 'not-deployed',
      what: `there is no record of a deploy of "${name}" in namespace ${namespace}`,
      where,
      hint: 'Correct `name`, `namespace` or the cluster; or deploy once, which writes the record.',
    });
  }
  const { phase, run: by, at, history } = record.inventory;
  if (phase === 'applying' && history.length === 0) {
    throw new Failure({
      reason: 'not-deployed',
      what: `the first deploy of "${name}" has not come to its end: ${by} began at ${at}`,
      where,
      hint: 'Wait for it where it still runs; otherwise deploy again: that continues from what is there.',
    });
  }
  return record;
}

/** What was deployed and is there. */
export function present({ deployed, live }: Comparison): KubernetesObject[] {
  const there = new Set(live.map(storedKey));
  return deployed.filter((object) => there.has(storedKey(object)));
}

/** What was deployed, how it is now, and the servers and clients of it as they run. */
export interface Deployed {
  /** About the cluster as it was deployed. */
  run: Run;
  record: DeployRecord;
  comparison: Comparison;
  live: Live;
}

/** Reads what was deployed, under the lock, and does the work about that. @throws Failure `not-deployed` */
export async function withDeployed(
  asked: Run,
  cluster: Cluster,
  work: (deployed: Deployed) => Promise<void>,
): Promise<void> {
  // Again: the run that held the lock may have written another.
  const record = await recorded(asked, cluster);
  const comparison = await asked.phase('compare', 'Compare with what was deployed', () =>
    compare(asked, cluster, record),
  );
  const run = asked.about(deployedConfig(asked.config, comparison.deployed).config);
  await withLive(run, cluster, present(comparison), (live) => {
    live.workloads.judge(new Map(comparison.live.map((object) => [storedKey(object), object])));
    return work({ run, record, comparison, live });
  });
}
