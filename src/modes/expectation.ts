import type { ExpectedCluster } from '../consul/finding.ts';
import type { PodView } from '../rollout/pod.ts';

/** What the pods say that the cluster has to be. */
export interface Expectation extends ExpectedCluster {
  /** The server pods that run, in the order of their ordinals. */
  pods: readonly PodView[];
  clientPods: readonly PodView[];
  /** Those of them that find the servers by themselves, so that helping them hides nothing. */
  joining: readonly PodView[];
  /** Servers that cannot be asked yet, and why. */
  absent: readonly string[];
}
