import { ApiError, apiFailure } from '../kubernetes/error.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import type { Cluster } from './connect.ts';
import type { Run } from './run.ts';

/** Mistakes; `unneeded` where it does not matter to this set, undefined where it may not be looked at. */
export type Fitness = string[] | 'unneeded' | undefined;

interface Taint {
  key: string;
  value?: string;
  effect: string;
}

interface Toleration {
  key?: string;
  operator?: string;
  value?: string;
  effect?: string;
}

type Node = KubernetesObject & { spec?: { unschedulable?: boolean; taints?: Taint[] } };

interface ServerSpec {
  replicas?: number;
  template?: {
    spec?: {
      tolerations?: Toleration[];
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

/** One server a node: without as many nodes that take pods, the last server would stay pending for ever. */
export async function checkNodes(
  run: Run,
  cluster: Cluster,
  objects: readonly KubernetesObject[],
  signal: AbortSignal,
): Promise<Fitness> {
  const spec = servers(run, objects);
  const pod = spec?.template?.spec;
  const required = pod?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  if (!spec || !required.some(({ topologyKey }) => topologyKey === 'kubernetes.io/hostname'))
    return 'unneeded';
  const nodes = await listIfAllowed<Node>(run, cluster, '/api/v1/nodes', 'nodes', signal);
  if (!nodes) return undefined;
  const wanted = spec.replicas ?? 1;
  const takes = (node: Node) => takesPods(node, pod?.tolerations ?? []);
  if (nodes.filter(takes).length >= wanted) return [];
  const occupied = await serverNodes(run, cluster, signal);
  const fit = nodes.filter((node) => takes(node) || occupied.has(node.metadata.name));
  if (fit.length >= wanted) return [];
  const unfit = nodes.filter((node) => !fit.includes(node)).map(({ metadata }) => metadata.name);
  return [
    `servers: ${wanted} servers need ${wanted} nodes that take pods, one each; there are ${fit.length}${
      unfit.length > 0 ? ` (cordoned or tainted: ${unfit.slice(0, 5).join(', ')})` : ''
    }. Add or uncordon nodes, set \`servers: 1\`, or patch the anti-affinity away and accept that a node takes the quorum with it`,
  ];
}

/** Where servers run already: cordoned since or not, they stay there. */
async function serverNodes(run: Run, { transport }: Cluster, signal: AbortSignal): Promise<Set<string>> {
  const { namespace, name } = run.config;
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const query = { labelSelector: `app=${name},consul-role=server` };
  try {
    const { body } = await transport.request<{ items: { spec?: { nodeName?: string } }[] }>({
      method: 'GET',
      path,
      query,
      signal,
    });
    return new Set(body.items.flatMap(({ spec }) => spec?.nodeName ?? []));
  } catch (error) {
    signal.throwIfAborted();
    throw apiFailure(error, { verb: 'list', object: 'pods' });
  }
}

/** Taints, NotReady among them, as far as a scheduler would not place a new pod there. */
function takesPods(node: Node, tolerations: readonly Toleration[]): boolean {
  if (node.spec?.unschedulable === true) return false;
  const taints = (node.spec?.taints ?? []).filter(({ effect }) => effect !== 'PreferNoSchedule');
  return taints.every((taint) => tolerations.some((toleration) => tolerates(toleration, taint)));
}

function tolerates({ key, operator, value, effect }: Toleration, taint: Taint): boolean {
  if (effect !== undefined && effect !== '' && effect !== taint.effect) return false;
  if (key === undefined || key === '') return operator === 'Exists';
  return key === taint.key && (operator === 'Exists' || (value ?? '') === (taint.value ?? ''));
}

const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';

/** A claim without a StorageClass stays pending without a word. */
export async function checkStorageClass(
  run: Run,
  cluster: Cluster,
  objects: readonly KubernetesObject[],
  signal: AbortSignal,
): Promise<Fitness> {
  const claims = servers(run, objects)?.volumeClaimTemplates ?? [];
  if (claims.length === 0) return 'unneeded';
  const path = '/apis/storage.k8s.io/v1/storageclasses';
  const classes = await listIfAllowed<KubernetesObject>(run, cluster, path, 'storageclasses', signal);
  if (!classes) return undefined;
  const names = classes.map(({ metadata }) => metadata.name);
  const present = names.length > 0 ? `there are ${names.join(', ')}` : 'there is none at all';
  return claims.flatMap(({ spec }) => {
    const wanted = spec?.storageClassName;
    if (wanted === undefined) {
      if (classes.some(({ metadata }) => metadata.annotations?.[DEFAULT_CLASS] === 'true')) return [];
      return [`storage-class: not given, and the cluster has no default StorageClass; ${present}`];
    }
    // The empty name means a volume that was made by hand.
    if (wanted === '' || names.includes(wanted)) return [];
    return [`storage-class: there is no StorageClass ${wanted}; ${present}`];
  });
}

/** Cluster-wide reading is a courtesy that a least-privilege user may lack; the check is left out then. */
export async function listIfAllowed<T extends KubernetesObject>(
  run: Run,
  { transport }: Cluster,
  path: string,
  resource: string,
  signal: AbortSignal,
  labelSelector?: string,
): Promise<T[] | undefined> {
  const query = { labelSelector };
  try {
    return (await transport.request<{ items: T[] }>({ method: 'GET', path, query, signal })).body.items;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ApiError) || error.status !== 403)
      throw apiFailure(error, { verb: 'list', object: resource });
    run.log.info(`${resource} may not be listed, so whether they fit was not checked beforehand`);
    return undefined;
  }
}
