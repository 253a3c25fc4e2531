import { isSmaller } from '../../change/volume-size.ts';
import type { PlannedObject } from '../../kubernetes/apply/plan.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Cluster } from '../../session/cluster.ts';
import { pause } from '../../session/pause.ts';
import type { Run } from '../../session/run.ts';
import type { Stored } from '../../session/stored.ts';
import { applyStage } from './apply.ts';
import { growthsOf, planGrowth, readClaim } from './volume-growth.ts';

const AGAIN_MS = 1_000;
/** Drivers take seconds; where one takes longer, it goes on without this run. */
const PATIENCE_MS = 60_000;

interface ClaimStatus {
  capacity?: { storage?: string };
  conditions?: { type: string; status: string; message?: string }[];
}

/**
 * Whether the volumes have the size that was asked for, where their claims had to grow. A claim that has come with a new
 * pod has the size of its template and grows now. A volume that has not grown in time is a warning: Consul works, and
 * its driver may only be slow.
 */
export async function checkVolumeSizes(
  run: Run,
  cluster: Cluster,
  {
    objects,
    planned,
    stored,
  }: { objects: readonly KubernetesObject[]; planned: readonly PlannedObject[]; stored: Stored },
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const growths = growthsOf(run, objects, planned);
  if (growths.length === 0) return;
  const late = await planGrowth(run, cluster, objects, planned);
  await applyStage(run, cluster, late, stored);
  const sizes = [...new Set(growths.map(({ resized }) => resized.to))].join(', ');
  const check = {
    id: 'servers-volume-size',
    title: 'Volume size',
    group: 'servers',
    expected: sizes,
  } as const;
  const until = performance.now() + patienceMs;
  for (;;) {
    const open = await unfinished(run, cluster, growths);
    if (open.length === 0) return run.check({ ...check, observed: sizes, passed: true });
    if (performance.now() >= until) return run.concern({ ...check, observed: open.join('; ') });
    run.log.progress(`volumes grow: ${open.join('; ')}`, 'volume-size');
    await pause(AGAIN_MS, run.signal);
  }
}

async function unfinished(
  run: Run,
  cluster: Cluster,
  growths: ReturnType<typeof growthsOf>,
): Promise<string[]> {
  const open: string[] = [];
  for (const { claims, resized } of growths) {
    for (const { name, namespace } of claims) {
      const claim = await readClaim(run, cluster, name, namespace);
      const { capacity, conditions = [] } = (claim?.status ?? {}) as ClaimStatus;
      if (!claim || isSmaller(capacity?.storage, resized.to) === false) continue;
      const state = conditions.filter(({ status }) => status === 'True').map(({ type }) => type);
      open.push(
        `${name} has ${capacity?.storage ?? 'no size yet'}${state.length > 0 ? ` (${state.join(', ')})` : ''}`,
      );
    }
  }
  return open;
}
