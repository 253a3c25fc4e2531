import { isSame } from '../../change/canonical.ts';
import type { Config } from '../../config/config.ts';
import { listIfAllowed } from '../../kubernetes/list.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Role } from '../../manifests/label.ts';
import { AGENT_CONTAINER } from '../../manifests/name.ts';
import { startCommand } from '../../manifests/start.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';

/** Whether the first process of the container is the start script, which ends the agent and starts it again. */
export function restartsItsAgent(config: Config, role: Role, spec: unknown): boolean {
  const pod = spec as
    | {
        hostPID?: boolean;
        shareProcessNamespace?: boolean;
        containers?: { name?: string; command?: string[] }[];
      }
    | undefined;
  const agent = pod?.containers?.find(({ name }) => name === AGENT_CONTAINER);
  if (pod?.hostPID === true || pod?.shareProcessNamespace === true) return false;
  return isSame(agent?.command, startCommand(config, role));
}

/** What is wanted of the pods of a role, as they are; undefined where they may not be listed. */
export function listPods<T>(
  { config: { name, namespace }, signal }: Run,
  transport: Cluster['transport'],
  role: Role,
  project: (pod: KubernetesObject) => readonly T[],
): Promise<T[] | undefined> {
  const labelSelector = `app=${name},consul-role=${role}`;
  return listIfAllowed(transport, `/api/v1/namespaces/${namespace}/pods`, { labelSelector, project }, signal);
}

/**
 * The first pod whose agent is not restarted by its start script, though its template says so: a webhook has changed it. None is
 * seen where pods may not be listed; the command that restarts an agent looks once more.
 */
export async function wrappedPod(
  run: Run,
  transport: Cluster['transport'],
  role: Role,
): Promise<string | undefined> {
  const project = ({ metadata, spec, status }: KubernetesObject) => {
    const isOver = ['Failed', 'Succeeded'].includes((status as { phase?: string } | undefined)?.phase ?? '');
    return isOver || restartsItsAgent(run.config, role, spec) ? [] : [metadata.name];
  };
  const [first] = (await listPods(run, transport, role, project)) ?? [];
  return first;
}
