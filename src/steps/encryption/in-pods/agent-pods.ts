import type { PodView } from '../../../rollout/pod.ts';
import type { Workloads } from '../../../session/workloads.ts';

/** The pods of servers, and those of clients. */
export function byRole(
  workloads: Pick<Workloads, 'pods'>,
  pods: readonly PodView[],
): { servers: PodView[]; clients: PodView[] } {
  const servers = new Set(workloads.pods('server').map(({ uid }) => uid));
  return {
    servers: pods.filter(({ uid }) => servers.has(uid)),
    clients: pods.filter(({ uid }) => !servers.has(uid)),
  };
}

/** Whether this very pod is still there. */
export function isThere(workloads: Pick<Workloads, 'current'>, pod: PodView): boolean {
  return (workloads.current('server', pod) ?? workloads.current('client', pod)) !== undefined;
}
