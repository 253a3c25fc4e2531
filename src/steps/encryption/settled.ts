import { Failure } from '../../failure.ts';
import { listIfAllowed } from '../../kubernetes/list.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { selector } from '../../kubernetes/selector.ts';
import { selectorLabels } from '../../manifests/label.ts';
import { roleName } from '../../manifests/name.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { liveServers } from '../plan/server-addresses.ts';

/**
 * No StatefulSet, and no pod: those of a takeover that was ended run on without one. A plan that may not list pods goes by the
 * StatefulSet; a deploy may, or says what it lacks.
 */
export async function hasNoServers(run: Run, cluster: Cluster): Promise<boolean> {
  const { config, signal } = run;
  if (await liveServers(run, cluster, roleName(config, 'server'))) return false;
  const labelSelector = selector(selectorLabels(config, 'server'));
  const path = `/api/v1/namespaces/${config.namespace}/pods`;
  const project = ({ metadata }: KubernetesObject) => [metadata.name];
  const pods = await listIfAllowed(
    cluster.transport,
    path,
    { labelSelector, metadataOnly: true, project },
    signal,
  );
  return (pods ?? []).length === 0;
}

/** What it reads, or that it may not. */
export async function unlessDenied<T>(read: () => Promise<T>): Promise<T | Failure> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Failure && error.reason === 'forbidden') return error;
    throw error;
  }
}
