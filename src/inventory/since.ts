import type { RunRecord } from './inventory.ts';

/** What is known of a pod now. */
export interface PodState {
  name: string;
  uid: string;
  restarts: number;
}

/** What happened to a pod since a run before. */
export interface Since {
  pod: string;
  uid: string;
  restarts: number;
  /** It is not the pod of that run: it was made later. */
  isNew: boolean;
}

/**
 * The pods that were replaced or have restarted since that run. It names every server and of the clients those that
 * had restarted by then, so a client that it does not name had no restarts, or was not there.
 */
export function since(
  before: RunRecord,
  pods: { servers: readonly PodState[]; clients: readonly PodState[] },
): Since[] {
  const changed = ({ name, uid, restarts }: PodState, isNew: boolean): Since => ({
    pod: name,
    uid,
    restarts: Math.max(0, restarts - (before.restarts[uid] ?? 0)),
    isNew,
  });
  return [
    ...pods.servers.map((pod) => changed(pod, before.restarts[pod.uid] === undefined)),
    ...pods.clients.map((pod) => changed(pod, false)),
  ].filter(({ restarts, isNew }) => restarts > 0 || isNew);
}
