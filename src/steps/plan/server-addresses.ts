import type { ServerAddresses } from '../../config/config.ts';
import { frozen } from '../../config/frozen.ts';
import { ApiError, apiFailure } from '../../kubernetes/error.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { isWritten } from '../../kubernetes/ownership/ownership.ts';
import { roleName } from '../../manifests/name.ts';
import { advertisedBy, serverAddresses } from '../../manifests/server/address.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import type { DeployRecord } from '../record/record.ts';
import { renderSet } from '../render/render.ts';

/** Of the deploys before; read only where it is needed. */
type ReadRecord = () => Promise<Pick<DeployRecord, 'manifests'> | undefined>;

/**
 * With `server-addresses: auto` a cluster that runs keeps what it has: a change of addresses restarts every server, and
 * nobody has asked for it.
 * @param asked the run as it was asked for
 * @param record of the deploys before
 * @returns the run whose config says which it is, and the objects to deploy: rendered again where the cluster has something
 *   else
 */
export async function settleServerAddresses(
  asked: Run,
  cluster: Pick<Cluster, 'transport'>,
  rendered: readonly KubernetesObject[],
  record: Pick<DeployRecord, 'manifests'> | undefined,
): Promise<{ run: Run; rendered: readonly KubernetesObject[] }> {
  const { config } = asked;
  const isOpen = config.serverAddresses === 'auto';
  const meant = serverAddresses(config);
  const has = isOpen ? await presentAddresses(asked, cluster, async () => record) : undefined;
  const settled = has ?? meant;
  const why = !isOpen ? 'as asked for' : has ? 'as the servers that run' : 'as a new cluster';
  asked.known.serverAddresses = settled;
  asked.log.info(
    `servers advertise the address of their ${settled === 'service' ? 'Service' : 'pod'}, ${why}`,
  );
  const run = asked.about(frozen({ ...config, serverAddresses: settled }));
  return { run, rendered: settled === meant ? rendered : await renderSet(run) };
}

/**
 * Whether another run has changed what servers advertise since that was settled: one that had the lock until now. What it has
 * made of them counts then, as it would have before.
 * @param run as it was settled
 * @param asked what it was settled from
 */
export async function isSettledOtherwise(
  run: Run,
  cluster: Pick<Cluster, 'transport'>,
  asked: ServerAddresses | 'auto',
  record: ReadRecord,
): Promise<boolean> {
  if (asked !== 'auto') return false;
  const has = await presentAddresses(run, cluster, record);
  return has !== undefined && has !== run.config.serverAddresses;
}

/**
 * What the servers of this deployment advertise. Those that are gone may have left their volumes, in which Raft has their
 * addresses; those that somebody else made are adopted, and get what a new cluster gets.
 */
async function presentAddresses(
  run: Run,
  cluster: Pick<Cluster, 'transport'>,
  record: ReadRecord,
): Promise<ServerAddresses | undefined> {
  const name = roleName(run.config, 'server');
  const live = await liveServers(run, cluster, name);
  if (live) return isWritten(live) ? advertisedBy(live) : undefined;
  const recorded = (await record())?.manifests.find(
    ({ kind, metadata }) => kind === 'StatefulSet' && metadata.name === name,
  );
  return recorded && advertisedBy(recorded);
}

/** Undefined also where it may not be read: the check of the permissions tells of that. */
export async function liveServers(
  run: Run,
  { transport }: Pick<Cluster, 'transport'>,
  name: string,
): Promise<KubernetesObject | undefined> {
  const path = `/apis/apps/v1/namespaces/${run.config.namespace}/statefulsets/${name}`;
  try {
    return (await transport.request<KubernetesObject>({ method: 'GET', path, signal: run.signal })).body;
  } catch (error) {
    run.signal.throwIfAborted();
    if (error instanceof ApiError && (error.status === 404 || error.status === 403)) return undefined;
    throw apiFailure(error, { verb: 'get', object: `StatefulSet/${name}` });
  }
}
