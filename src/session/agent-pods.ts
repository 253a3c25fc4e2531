import { Failure } from '../failure.ts';
import { listObjects } from '../kubernetes/list.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { type PodView, podView } from '../rollout/pod.ts';
import type { Cluster } from './cluster.ts';
import type { Run } from './run.ts';

export interface AgentPod extends PodView {
  role: 'server' | 'client';
}

/** By labels alone, so that a cluster that was made by hand has them, too. */
export async function agentPods(run: Run, { transport }: Pick<Cluster, 'transport'>): Promise<AgentPod[]> {
  const { name, namespace } = run.config;
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const labelSelector = `app=${name},consul-role in (server,client)`;
  return listObjects(transport, path, { labelSelector, project: agentPod }, run.signal);
}

function agentPod(raw: KubernetesObject): AgentPod[] {
  const pod = podView(raw);
  return [{ ...pod, role: pod.labels['consul-role'] === 'server' ? 'server' : 'client' }];
}

/** No server was found by its labels. */
export function noServers({ config: { name, namespace } }: Pick<Run, 'config'>): Failure {
  return new Failure({
    reason: 'not-deployed',
    what: `there is no server of "${name}" in namespace ${namespace}`,
    where: `pods labelled app=${name},consul-role=server`,
    hint: 'Correct `name`, `namespace` or the cluster. No record of a deploy is needed: servers and clients are found by these labels.',
  });
}
