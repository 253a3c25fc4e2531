import { type ListOptions, listIfAllowed, listObjects } from '../kubernetes/list.ts';
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

/** What is looked at of a node; the rest is dropped, since there may be thousands. */
interface Node {
  name: string;
  spec: { unschedulable?: boolean; taints?: Taint[] };
}

function nodeView({ metadata, spec }: KubernetesObject): Node[] {
  const { unschedulable, taints } = (spec ?? {}) as Node['spec'];
  return [
    { name: metadata.name, spec: { ...(unschedulable && { unschedulable }), ...(taints && { taints }) } },
  ];
}

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
  const nodes = await listOrTell(run, cluster, '/api/v1/nodes', { project: nodeView }, signal);
  if (!nodes) return undefined;
  const wanted = spec.replicas ?? 1;
  const takes = (node: Node) => takesPods(node, pod?.tolerations ?? []);
  if (nodes.filter(takes).length >= wanted) return [];
  const occupied = await serverNodes(run, cluster, signal);
  const fit = nodes.filter((node) => takes(node) || occupied.has(node.name));
  if (fit.length >= wanted) return [];
  const unfit = nodes.filter((node) => !fit.includes(node)).map(({ name }) => name);
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
  const labelSelector = `app=${name},consul-role=server`;
  const project = ({ spec }: KubernetesObject) => {
    const { nodeName } = (spec ?? {}) as { nodeName?: string };
    return nodeName ? [nodeName] : [];
  };
  return new Set(await listObjects(transport, path, { labelSelector, project }, signal));
}

/** Taints, NotReady among them, as far as a scheduler would not place a new pod there. */
function takesPods(node: Node, tolerations: readonly Toleration[]): boolean {
  if (node.spec.unschedulable === true) return false;
  const taints = (node.spec.taints ?? []).filter(({ effect }) => effect !== 'PreferNoSchedule');
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
  const project = ({ metadata }: KubernetesObject) => [
    { name: metadata.name, isDefault: metadata.annotations?.[DEFAULT_CLASS] === 'true' },
  ];
  const classes = await listOrTell(run, cluster, path, { metadataOnly: true, project }, signal);
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
  signal: AbortSignal,
): Promise<T[] | undefined> {
  const found = await listIfAllowed(transport, path, options, signal);
  const resource = path.slice(path.lastIndexOf('/') + 1);
  if (!found) run.log.info(`${resource} may not be listed, so whether they fit was not checked beforehand`);
  return found;
}
