import { Failure } from '../../failure.ts';
import { ApiError } from '../../kubernetes/error.ts';
import { type FillLevel, fillLevels } from '../../rollout/volume.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import type { Workloads } from '../../session/workloads.ts';

/** From here on there is something to do, and from there on Consul is about to stop: Raft needs room for snapshots. */
const WARN_PERCENT = 80;
const FULL_PERCENT = 95;
/** A kubelet that does not answer has its own trouble, which shows elsewhere. */
const ANSWER_MS = 5_000;

/** How full the servers' volumes are, as the kubelets measure it. @returns Failure `disk-full` for one that is */
export async function checkVolumes(
  run: Run,
  { transport }: Pick<Cluster, 'transport'>,
  workloads: Pick<Workloads, 'pods' | 'claims'>,
): Promise<Failure | undefined> {
  const servers = workloads.pods('server');
  const claims = new Set(servers.flatMap((pod) => workloads.claims('server', pod)));
  if (claims.size === 0) return undefined;
  const { namespace } = run.config;
  const check = {
    id: 'servers-volumes',
    title: 'Volumes',
    group: 'servers',
    expected: `each less than ${WARN_PERCENT} % full`,
  } as const;
  const levels: FillLevel[] = [];
  const silent = new Set<string>();
  await Promise.all(
    [...new Set(servers.flatMap(({ node }) => node ?? []))].map(async (node) => {
      const signal = AbortSignal.any([run.signal, AbortSignal.timeout(ANSWER_MS)]);
      const path = `/api/v1/nodes/${encodeURIComponent(node)}/proxy/stats/summary`;
      try {
        const { body } = await transport.request({ method: 'GET', path, signal, idempotent: false });
        levels.push(...fillLevels(body, namespace, claims));
      } catch (error) {
        run.signal.throwIfAborted();
        const forbidden = error instanceof ApiError && error.status === 403;
        silent.add(forbidden ? 'get on nodes/proxy is not allowed' : `the kubelet of ${node} does not say`);
      }
    }),
  );
  if (levels.length === 0) {
    run.skip({ ...check, observed: [...silent].join('; ') || 'the kubelets do not measure these volumes' });
    return undefined;
  }
  levels.sort((a, b) => b.percent - a.percent);
  const observed = levels.map(({ claim, percent }) => `${claim} ${percent} %`).join(', ');
  const [fullest] = levels;
  if (!fullest || fullest.percent < WARN_PERCENT) {
    run.check({ ...check, observed, passed: true });
    return undefined;
  }
  if (fullest.percent < FULL_PERCENT) {
    run.concern({ ...check, observed });
    return undefined;
  }
  run.check({ ...check, observed, passed: false });
  return new Failure({
    reason: 'disk-full',
    what: `the volume of ${fullest.claim} is ${fullest.percent} % full`,
    where: `PersistentVolumeClaim/${fullest.claim}`,
    hint: 'Enlarge the claim where its StorageClass allows that, or see what fills it: `du -xh -d 2 /consul/data` in the pod.',
  });
}
