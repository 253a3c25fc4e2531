import { count } from '../../count.ts';
import { type ListOptions, listIfAllowed, listObjects } from '../../kubernetes/list.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { type Misfit, misfit, type NodeDemands, type SchedulingNode } from '../../rollout/node-fit.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';

/** Mistakes; `unneeded` where it does not matter to this set, undefined where it may not be looked at. */
export type Fitness = string[] | 'unneeded' | undefined;

/** What the scheduler looks at; the rest is dropped, since there may be thousands of nodes. */
function nodeView({ metadata, spec }: KubernetesObject): SchedulingNode[] {
  const { name, labels = {} } = metadata;
  const { unschedulable, taints } = (spec ?? {}) as NonNullable<SchedulingNode['spec']>;
  return [
    {
      metadata: { name, labels },
      spec: { ...(unschedulable && { unschedulable }), ...(taints && { taints }) },
    },
  ];
}

interface ServerSpec {
  replicas?: number;
  template?: {
    spec?: NodeDemands & {
      affinity?: {
        podAntiAffinity?: { requiredDuringSchedulingIgnoredDuringExecution?: { topologyKey: string }[] };
      };
    };
  };
  volumeClaimTemplates?: { metadata: { name: string }; spec?: { storageClassName?: string } }[];
}

function servers(run: Run, objects: readonly KubernetesObject[]): ServerSpec | undefined {
  const found = objects.find(
    ({ kind, metadata }) => kind === 'StatefulSet' && metadata.name === `${run.config.name}-server`,
  );
  return found?.spec as ServerSpec | undefined;
}

/**
 * One server a node: with fewer nodes that take servers the last one stays pending until a node comes. Nodes may come:
 * autoscalers such as Karpenter and GKE Autopilot make them for pods that wait. So this is no reason to refuse; if none
 * comes, the scheduler's own words end the run (diagnosis/schedule.ts).
 */
export async function checkNodes(
  run: Run,
  cluster: Cluster,
  objects: readonly KubernetesObject[],
): Promise<Fitness> {
  const spec = servers(run, objects);
  const pod = spec?.template?.spec;
  const required = pod?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  if (!spec || !required.some(({ topologyKey }) => topologyKey === 'kubernetes.io/hostname'))
    return 'unneeded';
  const nodes = await listOrTell(run, cluster, '/api/v1/nodes', { project: nodeView });
  if (!nodes) return undefined;
  const wanted = spec.replicas ?? 1;
  const unfit = nodes.flatMap((node) => {
    const why = misfit(node, pod ?? {});
    return why ? [{ name: node.metadata.name, why }] : [];
  });
  if (nodes.length - unfit.length >= wanted) return [];
  const occupied = await serverNodes(run, cluster);
  const closed = unfit.filter(({ name }) => !occupied.has(name));
  const open = nodes.length - closed.length;
  if (open >= wanted) return [];
  return [
    `${count(wanted, 'server')} ${wanted === 1 ? 'needs a node' : `need ${wanted} nodes, one each`}, and ${open} of ${nodes.length} take servers now${without(closed)}. Servers beyond that wait for nodes: those of an autoscaler, or those you add or uncordon; \`servers: 1\` needs one`,
  ];
}

/** Some names for each reason. */
function without(closed: readonly { name: string; why: Misfit }[]): string {
  const reasons = [...Map.groupBy(closed, ({ why }) => why)].map(([why, nodes]) => {
    const names = nodes.slice(0, 5).map(({ name }) => name);
    return `${why}: ${names.join(', ')}${nodes.length > names.length ? ', …' : ''}`;
  });
  return reasons.length > 0 ? ` (${reasons.join('; ')})` : '';
}

/** Where servers run already: cordoned since or not, they stay there. */
async function serverNodes(run: Run, { transport }: Cluster): Promise<Set<string>> {
  const { namespace, name } = run.config;
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const labelSelector = `app=${name},consul-role=server`;
  const project = ({ spec }: KubernetesObject) => {
    const { nodeName } = (spec ?? {}) as { nodeName?: string };
    return nodeName ? [nodeName] : [];
  };
  return new Set(await listObjects(transport, path, { labelSelector, project }, run.signal));
}

const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';

/** A claim without a StorageClass stays pending without a word. */
export async function checkStorageClass(
  run: Run,
  cluster: Cluster,
  objects: readonly KubernetesObject[],
): Promise<Fitness> {
  const claims = servers(run, objects)?.volumeClaimTemplates ?? [];
  if (claims.length === 0) return 'unneeded';
  const path = '/apis/storage.k8s.io/v1/storageclasses';
  const project = ({ metadata }: KubernetesObject) => [
    { name: metadata.name, isDefault: metadata.annotations?.[DEFAULT_CLASS] === 'true' },
  ];
  const classes = await listOrTell(run, cluster, path, { metadataOnly: true, project });
  if (!classes) return undefined;
  const names = classes.map(({ name }) => name);
  const present = names.length > 0 ? `there are ${names.join(', ')}` : 'there is none at all';
  return claims.flatMap(({ spec }) => {
    const wanted = spec?.storageClassName;
    if (wanted === undefined) {
      if (classes.some(({ isDefault }) => isDefault)) return [];
      return [`storage-class: not given, and the cluster has no default StorageClass; ${present}`];
    }
    // The empty name means a volume that was made by hand.
    if (wanted === '' || names.includes(wanted)) return [];
    return [`storage-class: there is no StorageClass ${wanted}; ${present}`];
  });
}

/** Cluster-wide reading is a courtesy that a least-privilege user may lack; the check is left out then. */
export async function listOrTell<T>(
  run: Run,
  { transport }: Cluster,
  path: string,
  options: ListOptions<T>,
): Promise<T[] | undefined> {
  const found = await listIfAllowed(transport, path, options, run.signal);
  const resource = path.slice(path.lastIndexOf('/') + 1);
  if (!found) run.log.info(`${resource} may not be listed, so whether they fit was not checked beforehand`);
  return found;
}
