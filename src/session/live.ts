import type { KubernetesObject } from '../kubernetes/object.ts';
import { Agents } from './agents.ts';
import type { Cluster } from './cluster.ts';
import type { Run } from './run.ts';
import { topologyOf } from './topology.ts';
import { Workloads } from './workloads.ts';

/** The servers and clients as they run: watched, and each agent can be asked. */
export interface Live {
  workloads: Workloads;
  agents: Agents;
}

/** Watches the workloads among these objects while the work is done; ends all connections whatever comes of it. */
export async function withLive<T>(
  run: Run,
  cluster: Cluster,
  objects: readonly KubernetesObject[],
  work: (live: Live) => Promise<T>,
): Promise<T> {
  const workloads = new Workloads(run, objects);
  const agents = new Agents(cluster.transport, run.config.namespace);
  run.log.startHeartbeat();
  try {
    workloads.watch(cluster);
    return await work({ workloads, agents });
  } finally {
    // Also of a run that failed: then it shows what is missing.
    if (workloads.synced) run.known.topology = topologyOf(workloads, run.serversSaid);
    workloads.close();
    agents.close();
  }
}
