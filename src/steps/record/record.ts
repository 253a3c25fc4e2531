import { Failure } from '../../failure.ts';
import { DamagedRecord, decodeRecord, encodeRecord, withoutSecrets } from '../../inventory/codec.ts';
import { entryOf, union } from '../../inventory/entry.ts';
import { withRun } from '../../inventory/history.ts';
import type { Inventory, InventoryEntry, RunRecord } from '../../inventory/inventory.ts';
import { applyObject } from '../../kubernetes/apply/apply.ts';
import { ApiError, apiFailure } from '../../kubernetes/error.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { isWritten } from '../../kubernetes/ownership/ownership.ts';
import { objectLabels } from '../../manifests/label.ts';
import { recordName } from '../../manifests/name.ts';
import type { Cluster } from '../../session/cluster.ts';
import { runIdentity } from '../../session/lock.ts';
import type { Run } from '../../session/run.ts';

/** What is known of the deploys before this run: the inventory, and the objects as they were applied last. */
export interface DeployRecord {
  inventory: Inventory;
  /** Without the data of Secrets; empty where they were too big to be kept. */
  manifests: KubernetesObject[];
  /** The ConfigMap itself. */
  live: KubernetesObject;
}

/**
 * What the deploys before have written down; undefined when there was none.
 * @param damaged what a record means that cannot be read. To a deploy it may be as good as none: all that is lost
 *   is what would be pruned, and the next record is whole again.
 * @throws Failure `not-deployed` for one that cannot be read, `not-owned` for a ConfigMap that is no record
 */
export async function readRecord(
  run: Run,
  { transport }: Pick<Cluster, 'transport'>,
  { damaged = 'refuse' }: { damaged?: 'refuse' | 'absent' } = {},
): Promise<DeployRecord | undefined> {
  const { namespace, name } = run.config;
  const where = `ConfigMap/${recordName(name)} in namespace ${namespace}`;
  const path = `/api/v1/namespaces/${namespace}/configmaps/${recordName(name)}`;
  let live: KubernetesObject;
  try {
    live = (await transport.request<KubernetesObject>({ method: 'GET', path, signal: run.signal })).body;
  } catch (error) {
    run.signal.throwIfAborted();
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw apiFailure(error, { verb: 'get', object: where });
  }
  try {
    const record = decodeRecord(live);
    transport.onObject?.(record.manifests);
    tellHistory(run, record.inventory);
    return { ...record, live };
  } catch (error) {
    if (!(error instanceof DamagedRecord)) throw error;
    if (!isWritten(live)) throw foreign(where);
    if (damaged === 'absent' && !error.newer) {
      run.warn(
        `The record of earlier deploys (${where}) is damaged: ${error.message}. It is written again; what they made and is no longer rendered stays in the cluster.`,
      );
      return undefined;
    }
    throw unreadable(where, error);
  }
}

/** For what is asked before the permissions are checked: undefined also where it may not be read. */
export async function recordIfReadable(
  run: Run,
  cluster: Pick<Cluster, 'transport'>,
): Promise<DeployRecord | undefined> {
  try {
    return await readRecord(run, cluster, { damaged: 'absent' });
  } catch (error) {
    if (error instanceof Failure && error.reason === 'forbidden') return undefined;
    throw error;
  }
}

/** Before the apply: what was there, and what is about to be. */
export async function beginRecord(
  run: Run,
  cluster: Cluster,
  objects: readonly KubernetesObject[],
  before: DeployRecord | undefined,
): Promise<DeployRecord> {
  const rendered = objects.map(entryOf);
  const inventory: Inventory = {
    ...(before?.inventory ?? { schemaVersion: 1, manifestDigest: '', history: [] }),
    phase: 'applying',
    run: runIdentity(process.env),
    at: new Date().toISOString(),
    entries: union(before?.inventory.entries ?? [], rendered),
  };
  run.mark('first-write');
  // The manifests stay those of the last deploy that was proven.
  return write(run, cluster, { inventory, manifests: before?.manifests ?? [] });
}

/** After the proof: exactly what this deployment owns now, and how it got there. */
export async function finishRecord(
  run: Run,
  cluster: Cluster,
  finished: {
    /** What was applied, as rendered. */
    objects: readonly KubernetesObject[];
    entries: readonly InventoryEntry[];
    before: DeployRecord | undefined;
    runRecord: RunRecord;
  },
): Promise<DeployRecord> {
  const { manifestDigest = '' } = run.known;
  const { image, consulVersion } = finished.runRecord;
  const inventory: Inventory = {
    schemaVersion: 1,
    phase: 'deployed',
    run: runIdentity(process.env),
    at: new Date().toISOString(),
    manifestDigest,
    ...(image !== undefined && { image }),
    ...(consulVersion !== undefined && { consulVersion }),
    entries: [...finished.entries],
    history: finished.before?.inventory.history ?? [],
  };
  return write(run, cluster, {
    inventory: withRun(inventory, finished.runRecord),
    manifests: finished.objects,
  });
}

/** Adds one run to the history and leaves the rest as it is. */
export async function appendHistory(
  run: Run,
  cluster: Cluster,
  { inventory, manifests }: DeployRecord,
  runRecord: RunRecord,
): Promise<DeployRecord> {
  return write(run, cluster, { inventory: withRun(inventory, runRecord), manifests });
}

/** As before the first proof: servers without data form a new cluster, and do not wait for those that have some. */
export function recordAsNeverFormed(run: Run, cluster: Cluster, record: DeployRecord): Promise<DeployRecord> {
  return write(run, cluster, record, { formed: false });
}

/** By server-side apply, so that it may be repeated; forced, since nobody else has any business in it. */
async function write(
  run: Run,
  cluster: Cluster,
  { inventory, manifests }: { inventory: Inventory; manifests: readonly KubernetesObject[] },
  { formed = inventory.history.length > 0 }: { formed?: boolean } = {},
): Promise<DeployRecord> {
  const { config, signal } = run;
  const { data, binaryData } = encodeRecord(inventory, manifests, formed);
  if (!binaryData) {
    run.warn(
      'The manifests are too big to be kept in the record: `verify` will not be able to say which of their fields differ.',
    );
  }
  const name = recordName(config.name);
  const object: KubernetesObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: config.namespace, labels: objectLabels(config) },
    data,
    ...(binaryData && { binaryData }),
  };
  try {
    const { object: live } = await applyObject(cluster, object, { force: true, signal });
    tellHistory(run, inventory);
    return { inventory, manifests: binaryData ? manifests.map(withoutSecrets) : [], live };
  } catch (error) {
    signal.throwIfAborted();
    throw apiFailure(error, { verb: 'patch', object: `ConfigMap/${name}` });
  }
}

/** For the report: what a run compares with, and not the restarts of thousands of pods. */
function tellHistory(run: Run, { history }: Inventory): void {
  if (history.length === 0) return;
  run.known.history = history.map(({ at, mode, changed, verdictMs, commitMs, failedWrites, drift }) => ({
    at,
    mode,
    changed,
    verdictMs,
    ...(commitMs !== undefined && { commitMs }),
    ...(failedWrites !== undefined && { failedWrites }),
    ...(drift !== undefined && { drift }),
  }));
}

function foreign(where: string): Failure {
  return new Failure({
    reason: 'not-owned',
    what: 'a ConfigMap that was not made by this action has the name of the record of deploys',
    where,
    hint: 'Nothing was changed. Remove it, or choose another `name`.',
  });
}

function unreadable(where: string, { message, newer }: DamagedRecord): Failure {
  return new Failure({
    reason: 'not-deployed',
    what: `the record of earlier deploys cannot be read: ${message}`,
    where,
    hint: newer
      ? 'Nothing was changed. Use the version of this action that deployed last, or a later one.'
      : 'Nothing was changed. Deploy once: that writes the record again. What earlier deploys made and is no longer rendered then has to be removed by hand.',
  });
}
