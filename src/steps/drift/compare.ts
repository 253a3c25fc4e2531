import pLimit from 'p-limit';
import { type DriftRules, driftOf, unexpected } from '../../change/drift.ts';
import { entryKey, entryOf } from '../../inventory/entry.ts';
import type { InventoryEntry } from '../../inventory/inventory.ts';
import { applyObject } from '../../kubernetes/apply/apply.ts';
import { ApiError, apiFailure } from '../../kubernetes/error.ts';
import { listIfAllowed } from '../../kubernetes/list.ts';
import { FIELD_MANAGER, type KubernetesObject, objectName } from '../../kubernetes/object.ts';
import { isOfController } from '../../kubernetes/ownership/ownership.ts';
import { readLive } from '../../kubernetes/read.ts';
import { objectLabels } from '../../manifests/label.ts';
import { recordName } from '../../manifests/name.ts';
import type { Drift } from '../../report/result/change.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';
import type { DeployRecord } from '../record/record.ts';

const PARALLEL = 8;
/** Kinds in which something of ours would be noticed, besides those that were deployed. */
const WATCHED_KINDS = [
  { apiVersion: 'v1', kind: 'ConfigMap' },
  { apiVersion: 'v1', kind: 'Service' },
  { apiVersion: 'apps/v1', kind: 'DaemonSet' },
  { apiVersion: 'apps/v1', kind: 'StatefulSet' },
];
/** Answers to a dry run that say nothing about the cluster: it may not be tried, or what is there does not go with it. */
const REFUSALS: readonly number[] = [400, 403, 409, 422];

/** Why something was not looked at. */
const FORBIDDEN = 'forbidden';
const UNKNOWN = 'the API server cannot say what its group holds';

export interface Comparison {
  drift: Drift[];
  /** What is there of what was deployed. */
  live: KubernetesObject[];
  /** What was deployed: as it was applied, or as it is where that was too big to be kept. */
  deployed: KubernetesObject[];
  /** Objects and kinds that could not be looked at, and why: permissions, or an add-on that does not answer. */
  unseen: string[];
}

/** Compares what is in the cluster with what was deployed. Writes nothing. */
export async function compare(run: Run, cluster: Cluster, record: DeployRecord): Promise<Comparison> {
  const { inventory, manifests } = record;
  const recorded = new Map(inventory.entries.map((entry) => [entryKey(entry), entry]));
  const unseen: string[] = [];
  const limit = pLimit(PARALLEL);
  const wanted: { manifest?: KubernetesObject; entry: InventoryEntry }[] =
    manifests.length > 0
      ? manifests.map((manifest) => ({ manifest, entry: entryOf(manifest) }))
      : inventory.entries.map((entry) => ({ entry }));
  const states = await Promise.all(
    wanted.map(({ manifest, entry }) =>
      limit(async () => {
        const live = await read(run, cluster, entry);
        if (typeof live === 'string') {
          unseen.push(`${objectName(skeleton(entry))} (${live})`);
          return [];
        }
        const { uid, digest } = recorded.get(entryKey(entry)) ?? {};
        const predicted = manifest && live && (await predict(run, cluster, manifest));
        const drift = driftOf(
          {
            // Without a manifest only the object itself is known.
            manifest: manifest ?? skeleton(entry),
            ...(uid !== undefined && { uid }),
            ...(digest !== undefined && { digest }),
            ...(live && { live }),
            ...(predicted && { predicted }),
          },
          rulesFor(run, entry),
        );
        return [{ drift, live, deployed: manifest ?? live }];
      }),
    ),
  );
  const strangers = await findUnexpected(run, cluster, inventory.entries, unseen);
  const all = states.flat();
  return {
    drift: [...all.flatMap(({ drift }) => drift), ...strangers.map(unexpected)],
    live: all.flatMap(({ live }) => live ?? []),
    deployed: all.flatMap(({ deployed }) => deployed ?? []),
    unseen,
  };
}

/** How many servers there are is a matter of the quorum, never of their load: no controller may say. */
function rulesFor({ config }: Run, { kind, name }: InventoryEntry): DriftRules {
  const isServers = kind === 'StatefulSet' && name === `${config.name}-server`;
  return {
    manager: FIELD_MANAGER,
    isLeftTo: (field, manager) => !isServers && isOfController({ manager, field }),
  };
}

function skeleton({ apiVersion, kind, name, namespace }: InventoryEntry): KubernetesObject {
  return { apiVersion, kind, metadata: { name, ...(namespace !== undefined && { namespace }) } };
}

async function read(
  run: Run,
  cluster: Cluster,
  entry: InventoryEntry,
): Promise<KubernetesObject | typeof FORBIDDEN | typeof UNKNOWN | undefined> {
  if (cluster.discovery.serves(entry.apiVersion, entry.kind) === undefined) return UNKNOWN;
  try {
    return await readLive(cluster, skeleton(entry), run.signal);
  } catch (error) {
    run.signal.throwIfAborted();
    if (error instanceof ApiError && error.status === 403) return FORBIDDEN;
    throw apiFailure(error, { verb: 'get', object: objectName(skeleton(entry)) });
  }
}

/** What an apply of the manifest would store, were it to take back every field; undefined where that is refused. */
async function predict(
  run: Run,
  cluster: Cluster,
  manifest: KubernetesObject,
): Promise<KubernetesObject | undefined> {
  const { signal } = run;
  try {
    const options = { dryRun: true, force: true, signal };
    return (await applyObject(cluster, manifest, options)).object;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ApiError && REFUSALS.includes(error.status)) {
      run.log.debug(`${objectName(manifest)} is compared without a dry run: ${error.message}`);
      return undefined;
    }
    throw apiFailure(error, { verb: 'patch', object: objectName(manifest) });
  }
}

/** Objects with the labels of this deployment that are not in its inventory, and that no controller made. */
async function findUnexpected(
  run: Run,
  cluster: Cluster,
  entries: readonly InventoryEntry[],
  unseen: string[],
): Promise<KubernetesObject[]> {
  const { config } = run;
  const kinds = new Map(
    [...entries.filter(({ namespace }) => namespace !== undefined), ...WATCHED_KINDS]
      // Who may list Secrets reads all of them: that is too much to ask for this.
      .filter(({ kind }) => kind !== 'Secret')
      .map(({ apiVersion, kind }) => [`${apiVersion} ${kind}`, { apiVersion, kind }]),
  );
  const labels = objectLabels(config);
  const labelSelector = ['app.kubernetes.io/instance', 'app.kubernetes.io/managed-by']
    .map((label) => `${label}=${labels[label]}`)
    .join(',');
  const known = new Set(entries.map(entryKey));
  const limit = pLimit(PARALLEL);
  const found = await Promise.all(
    [...kinds.values()].map(({ apiVersion, kind }) =>
      limit(async () => {
        if (cluster.discovery.serves(apiVersion, kind) === undefined) {
          unseen.push(`the list of ${kind}s (${UNKNOWN})`);
          return [];
        }
        const path = cluster.discovery.resource(apiVersion, kind).path(config.namespace);
        // The items of a list do not say what they are.
        const project = (item: KubernetesObject) => [{ ...item, apiVersion, kind }];
        const options = { labelSelector, metadataOnly: true, project };
        const listed = await listIfAllowed(cluster.transport, path, options, run.signal);
        if (!listed) unseen.push(`the list of ${kind}s (${FORBIDDEN})`);
        return listed ?? [];
      }),
    ),
  );
  return found
    .flat()
    .filter((object) => !known.has(entryKey(entryOf(object))))
    .filter(({ kind, metadata }) => kind !== 'ConfigMap' || metadata.name !== recordName(config.name))
    .filter(({ metadata }) => !metadata.ownerReferences?.some(({ controller }) => controller));
}
