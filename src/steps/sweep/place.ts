import { ApiError, apiFailure } from '../../kubernetes/error.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { type AgentPod, agentPods } from '../../session/agent-pods.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';

/** Where agents of this deployment run, or will run. */
export interface Places {
  pods: AgentPod[];
  /** Names of the pods that StatefulSets ask for, whether they are there or not. */
  wanted: Set<string>;
  /** A DaemonSet of clients is there: its agents have the names of nodes. */
  onNodes: boolean;
}

/** By labels and names alone, so that a cluster that was made by hand has them too. */
export async function findPlaces(run: Run, cluster: Pick<Cluster, 'transport'>): Promise<Places> {
  const { name, namespace } = run.config;
  const apps = `/apis/apps/v1/namespaces/${namespace}`;
  const [pods, servers, clients, daemonSet] = await Promise.all([
    agentPods(run, cluster),
    read(run, cluster, `${apps}/statefulsets/${name}-server`),
    read(run, cluster, `${apps}/statefulsets/${name}-client`),
    read(run, cluster, `${apps}/daemonsets/${name}-client`),
  ]);
  const wanted = [servers, clients].flatMap((object) => {
    if (!object) return [];
    const { replicas = 1 } = (object.spec ?? {}) as { replicas?: number };
    return Array.from({ length: replicas }, (_, ordinal) => `${object.metadata.name}-${ordinal}`);
  });
  return { pods, wanted: new Set(wanted), onNodes: daemonSet !== undefined };
}

async function read(
  run: Run,
  { transport }: Pick<Cluster, 'transport'>,
  path: string,
): Promise<KubernetesObject | undefined> {
  try {
    return (await transport.request<KubernetesObject>({ method: 'GET', path, signal: run.signal })).body;
  } catch (error) {
    run.signal.throwIfAborted();
    // A Role for a StatefulSet of clients need not allow DaemonSets; then there is none.
    const isNone = error instanceof ApiError && (error.status === 404 || isOptional(path, error.status));
    if (isNone) return undefined;
    throw apiFailure(error, { verb: 'get', object: path.split('/').slice(-2).join('/') });
  }
}

function isOptional(path: string, status: number): boolean {
  return status === 403 && path.includes('/daemonsets/');
}
