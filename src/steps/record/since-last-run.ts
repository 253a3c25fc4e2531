import { count } from '../../count.ts';
import { Failure } from '../../failure.ts';
import type { Inventory, RunRecord } from '../../inventory/inventory.ts';
import { type Since, since } from '../../inventory/since.ts';
import { FEWEST_RUNS, type Trend, trends } from '../../inventory/trend.ts';
import { ApiError } from '../../kubernetes/error.ts';
import type { PodView } from '../../rollout/pod.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import type { Workloads } from '../../session/workloads.ts';
import { appendHistory, type DeployRecord } from './record.ts';

const MOST_NAMES = 5;

/** Restarts and replaced servers since the run before: what a probe has long forgotten. */
export function checkRestarts(run: Run, workloads: Pick<Workloads, 'pods'>, { history }: Inventory): void {
  const before = history.at(-1);
  const check = { id: 'restarts', title: 'No restarts', group: 'cluster' } as const;
  if (!before) {
    run.skip({ ...check, expected: 'none since the run before', observed: 'there was no run before' });
    return;
  }
  const expected = `none since ${before.at}`;
  const pods = { servers: workloads.pods('server'), clients: workloads.pods('client') };
  const all = [...pods.servers, ...pods.clients];
  const found = since(before, pods).map((one) => told(one, all));
  if (found.length === 0) {
    run.check({ ...check, expected, observed: `none of ${count(all.length, 'pod')}`, passed: true });
    return;
  }
  const more = found.length - MOST_NAMES;
  const observed = [...found.slice(0, MOST_NAMES), ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
  run.concern({ ...check, expected, observed });
}

/** `consul-server-1 restarted 2 times (OOMKilled, exit code 137)` */
function told({ pod, uid, restarts, isNew }: Since, pods: readonly PodView[]): string {
  const ended = pods.find((one) => one.uid === uid)?.containers.find((one) => one.restarts > 0)?.ended;
  const why = ended ? ` (${ended.reason}, exit code ${ended.exitCode})` : '';
  const times = restarts === 1 ? 'once' : `${restarts} times`;
  const parts = [
    ...(isNew ? ['is another pod than then'] : []),
    ...(restarts > 0 ? [`restarted ${times}${why}`] : []),
  ];
  return `${pod} ${parts.join(' and ')}`;
}

export function checkLeader(run: Run, { history }: Inventory, { leader }: RunRecord): void {
  const before = history.findLast((one) => one.leader !== undefined);
  const check = { id: 'leader-since', title: 'Same leader', group: 'quorum' } as const;
  if (before?.leader === undefined || leader === undefined) {
    run.skip({
      ...check,
      expected: 'the same as in the run before',
      observed: 'there is nothing to compare',
    });
    return;
  }
  const expected = `${before.leader}, as on ${before.at}`;
  if (before.leader === leader) run.check({ ...check, expected, observed: leader, passed: true });
  else run.concern({ ...check, expected, observed: leader });
}

/** Whether this run took about as long as those before it. */
export function checkTrends(run: Run, { history }: Inventory, now: RunRecord): void {
  const check = {
    id: 'trend',
    title: 'As fast as usual',
    group: 'cluster',
    expected: 'at most three times the median of earlier runs',
  } as const;
  const found = trends(history, now);
  if (found.length === 0) {
    run.skip({ ...check, observed: `fewer than ${FEWEST_RUNS} earlier runs to compare with` });
    return;
  }
  const observed = found.map(line).join(', ');
  if (found.some(({ off }) => off)) run.concern({ ...check, observed });
  else run.check({ ...check, observed, passed: true });
}

function line({ figure, nowMs, medianMs, runs }: Trend): string {
  const what = { verdict: 'verdict after', commit: 'commit in' }[figure];
  return `${what} ${Math.round(nowMs)} ms (median of ${runs} runs: ${Math.round(medianMs)} ms)`;
}

/**
 * Compares with the runs before, and adds this one. Without the permission for that only later runs know less.
 * @returns whether it was added
 */
export async function remember(
  run: Run,
  cluster: Cluster,
  record: DeployRecord,
  now: RunRecord,
): Promise<boolean> {
  checkLeader(run, record.inventory, now);
  checkTrends(run, record.inventory, now);
  return run.phase('record', 'Record', async () => {
    try {
      await appendHistory(run, cluster, record, now);
      run.known.left = { is: 'recorded' };
      return true;
    } catch (error) {
      const forbidden =
        error instanceof Failure && error.cause instanceof ApiError && error.cause.status === 403;
      if (!forbidden) throw error;
      run.warn(`This run is not added to the record: ${error.what}. The next one cannot compare with it.`);
      return false;
    }
  });
}
