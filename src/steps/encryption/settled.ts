import type { Config } from '../../config/config.ts';
import { Failure } from '../../failure.ts';
import { listIfAllowed } from '../../kubernetes/list.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { selector } from '../../kubernetes/selector.ts';
import { joinsOtherDatacenters } from '../../manifests/gossip.ts';
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

/** What is known of one kind of encryption when it is asked what becomes of it. */
export interface Settling {
  asked: Config['gossipEncryption'];
  /** What its Secrets say. */
  files: { goal: string } | undefined;
  /** No server is there yet. */
  isNew: boolean;
  /** The last run has seen it. */
  wasOn: boolean;
  /** The user gives the key, or the certificates. */
  isGiven: boolean;
}

/**
 * What was asked for; else where the way of the run before leads; else what a new cluster gets, and what there was.
 * @param on the state in which all agents are encrypted
 */
export function goalOf<T extends string>(
  config: Config,
  on: T,
  { asked, files, isNew, wasOn, isGiven }: Settling,
): T | 'off' | 'as-it-is' {
  if (asked === 'true') return on;
  if (asked === 'false') return 'off';
  if (files) return isNew || files.goal === on ? on : 'off';
  // What is made here is not what the other datacenter has.
  if (isNew && joinsOtherDatacenters(config) && !isGiven) return 'as-it-is';
  // Without its Secrets: somebody has removed them, or the configuration of the agents held the key before.
  return isNew || wasOn ? on : 'as-it-is';
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
