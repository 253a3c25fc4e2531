import pLimit from 'p-limit';
import type { Inventory } from '../../inventory/inventory.ts';
import { ApiError } from '../../kubernetes/error.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import { isMade } from '../record/deployed-set.ts';
import { NO_OTHERS } from './other-records.ts';
import { look, removedAsSeen } from './removal.ts';
import { whyHeld } from './take-down.ts';
import { PATIENCE_MS, untilGone } from './until-gone.ts';

const UNPROTECTED = { others: NO_OTHERS, spare: () => undefined };

const PARALLEL = 8;
/** Enough to see that something is there, besides what goes by itself. */
const LOOKED_AT = 50;

/** What every namespace has, and what controllers take away after its object. */
const OF_ITSELF =
  /^(Event|Endpoints|EndpointSlice|ControllerRevision|PodMetrics) |^ConfigMap kube-root-ca\.crt$|^ServiceAccount default$/;

/**
 * Removes the namespace where this action has made it, nobody else has written to it, and nothing is in it. Whatever
 * speaks against that is a reason to leave it, and no failure.
 * @returns whether it has gone by this
 */
export async function removeNamespace(
  run: Run,
  cluster: Cluster,
  { entries }: Inventory,
  patienceMs = PATIENCE_MS,
): Promise<boolean> {
  const entry = entries.find(({ kind, name }) => kind === 'Namespace' && name === run.config.namespace);
  if (!entry) return false;
  const stays = (why: string) => {
    run.log.info(`the namespace ${entry.name} stays: ${why}`);
    return false;
  };
  try {
    const { live, fate } = await look(run, cluster, entry, UNPROTECTED);
    if (!live) return false;
    if (fate.action === 'keep') return stays(fate.why);
    if (!isMade(live)) return stays('somebody else has written to it, too');
    const found = await strangersIn(run, cluster, entry.name);
    if (found.length > 0) return stays(`it holds ${found.slice(0, 5).join(', ')}`);
    if (!(await removedAsSeen(run, cluster, live))) return stays('somebody has just changed it');
    run.log.info(`removed Namespace/${entry.name}`);
    const left = async () => {
      const { live: now } = await look(run, cluster, entry, UNPROTECTED);
      return now?.metadata.uid === live.metadata.uid && now
        ? [{ name: `Namespace/${entry.name}`, why: whyHeld(now) }]
        : [];
    };
    await run.phase('finish', 'Remove the namespace', () => untilGone(run, left, patienceMs));
    return true;
  } catch (error) {
    if (!(error instanceof Unseen)) throw error;
    return stays(`whether it is empty cannot be seen: ${error.message}`);
  }
}

/** It is not known what a namespace holds. */
class Unseen extends Error {}

/** What is in it that will not go by itself, as `Kind name`. */
async function strangersIn(
  run: Run,
  { transport, discovery }: Cluster,
  namespace: string,
): Promise<string[]> {
  if (discovery.unknown.length > 0) {
    throw new Unseen(`the API server cannot say what ${discovery.unknown.join(', ')} holds`);
  }
  const limit = pLimit(PARALLEL);
  const found = await Promise.all(
    discovery.namespacedKinds().map(({ apiVersion, kind }) =>
      limit(async () => {
        try {
          const path = discovery.resource(apiVersion, kind).path(namespace);
          const query = { limit: LOOKED_AT };
          const call = { method: 'GET', path, query, signal: run.signal } as const;
          const { items } = (await transport.request<{ items?: KubernetesObject[] | null }>(call)).body;
          if (items === undefined) throw new Unseen('the answer is not a list');
          return (items ?? []).map(({ metadata }) => `${kind} ${metadata.name}`);
        } catch (error) {
          run.signal.throwIfAborted();
          // Kinds that are only ever created, such as reviews.
          if (error instanceof ApiError && [404, 405].includes(error.status)) return [];
          throw new Unseen(`${kind}: ${error instanceof Error ? error.message : error}`);
        }
      }),
    ),
  );
  return found.flat().filter((one) => !OF_ITSELF.test(one));
}
