import type { KubernetesObject } from '../../kubernetes/object.ts';
import { countOf } from '../../session/allowance.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { type Fitness, listOrTell } from './nodes-and-storage.ts';

type Quota = KubernetesObject & {
  spec?: { scopes?: unknown[]; scopeSelector?: unknown };
  status?: { hard?: Record<string, string>; used?: Record<string, string> };
};

/** Those that say how many pods there may be; of their other limits the controller's own attempts tell. */
const COUNTS = ['pods', 'count/pods'];

/** Pods beyond a quota are not made, and nobody says so but an event of their workload. */
export async function checkQuota(
  run: Run,
  cluster: Cluster,
  objects: readonly KubernetesObject[],
): Promise<Fitness> {
  const { namespace, name } = run.config;
  const path = `/api/v1/namespaces/${namespace}`;
  const project = (raw: KubernetesObject) => [raw as Quota];
  const quotas = await listOrTell(run, cluster, `${path}/resourcequotas`, { project });
  // One with a scope is about some pods only, and which those are is for the API server to say.
  const general = quotas?.filter(({ spec }) => !spec?.scopes && !spec?.scopeSelector);
  const limits = general?.flatMap((quota) => COUNTS.flatMap((count) => limitOf(quota, count) ?? [])) ?? [];
  if (!quotas || limits.length === 0) return quotas && 'unneeded';
  const ours = { labelSelector: `app=${name}`, metadataOnly: true, project: () => [1] };
  const present = await listOrTell(run, cluster, `${path}/pods`, ours);
  if (!present) return undefined;
  const missing = desired(run, objects) - present.length;
  return limits
    .filter(({ room }) => missing > room)
    .map(
      ({ quota, count, room }) =>
        `quota: ResourceQuota/${quota} has room for ${room} more (${count}), and ${missing} are missing. Raise it, or lower \`client-replicas\``,
    );
}

function limitOf({ metadata, status = {} }: Quota, count: string) {
  const hard = Number(status.hard?.[count]);
  const used = Number(status.used?.[count] ?? 0);
  const room = Math.max(0, hard - used);
  return Number.isInteger(room) ? { quota: metadata.name, count, room } : undefined;
}

/** Pods of the two StatefulSets, without those that may be missing; a DaemonSet's depend on the nodes. */
function desired(run: Run, objects: readonly KubernetesObject[]): number {
  const { name, maxUnreadyClients: allowed } = run.config;
  const replicasOf = (role: string) => {
    const found = objects.find(
      ({ kind, metadata }) => kind === 'StatefulSet' && metadata.name === `${name}-${role}`,
    );
    return found ? ((found.spec as { replicas?: number }).replicas ?? 1) : 0;
  };
  const clients = replicasOf('client');
  return replicasOf('server') + Math.max(0, clients - countOf(allowed, clients));
}
