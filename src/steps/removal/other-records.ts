import { DamagedRecord, decodeRecord } from '../../inventory/codec.ts';
import { entryKey } from '../../inventory/entry.ts';
import type { InventoryEntry } from '../../inventory/inventory.ts';
import type { OtherRecords } from '../../inventory/prune.ts';
import { ApiError, apiFailure } from '../../kubernetes/error.ts';
import { listIfAllowed } from '../../kubernetes/list.ts';
import { FIELD_MANAGER, type KubernetesObject } from '../../kubernetes/object.ts';
import { type ObjectReference, readObject } from '../../kubernetes/read.ts';
import { recordName } from '../../manifests/name.ts';
import type { Cluster } from '../../session/cluster.ts';
import type { Run } from '../../session/run.ts';

/** For what no other deployment can have, or where only its existence is asked for. */
export const NO_OTHERS: OtherRecords = { named: new Map() };

/**
 * What the records of other deployments name, wherever one of these objects is: post-renderers of two deployments
 * may give the same object, and all deployments write as one field manager.
 */
export async function readOtherRecords(
  run: Run,
  cluster: Cluster,
  entries: readonly InventoryEntry[],
): Promise<OtherRecords> {
  const named = new Map<string, string>();
  let unread: string | undefined;
  for (const namespace of placesOf(run, entries)) {
    const records = await recordsIn(run, cluster, namespace);
    if (records === undefined) {
      const where = namespace === undefined ? 'the whole cluster' : namespace;
      unread ??= `the records of other deployments may not be listed (list on configmaps in ${where})`;
    }
    for (const { reference, deployment } of records ?? []) {
      const record = await read(run, cluster, reference);
      if (typeof record === 'string') unread ??= record;
      else for (const entry of record) named.set(entryKey(entry), deployment);
    }
  }
  return { named, ...(unread !== undefined && { unread }) };
}

/** Namespaces to look in; undefined for all of them, since what has no namespace may belong to any deployment. */
function placesOf({ config }: Run, entries: readonly InventoryEntry[]): (string | undefined)[] {
  const asked = entries.filter(({ kind }) => kind !== 'Namespace');
  if (asked.length === 0) return [];
  if (asked.some(({ namespace }) => namespace === undefined)) return [undefined, config.namespace];
  return [...new Set([config.namespace, ...asked.flatMap(({ namespace }) => namespace ?? [])])];
}

/** The ConfigMaps that are records of other deployments; undefined where they may not be listed. */
function recordsIn(
  run: Run,
  { transport, discovery }: Cluster,
  namespace: string | undefined,
): Promise<{ reference: ObjectReference; deployment: string }[] | undefined> {
  const path = discovery.resource('v1', 'ConfigMap').path(namespace);
  const { name: ownName, namespace: ownNamespace } = run.config;
  const project = ({ metadata: { name, namespace = '', labels = {} } }: KubernetesObject) => {
    const deployment = labels['app.kubernetes.io/instance'];
    if (deployment === undefined || name !== recordName(deployment)) return [];
    if (deployment === ownName && namespace === ownNamespace) return [];
    return [{ reference: { apiVersion: 'v1', kind: 'ConfigMap', namespace, name }, deployment }];
  };
  const labelSelector = `app.kubernetes.io/managed-by=${FIELD_MANAGER}`;
  // A record may have a megabyte; what it holds is read one by one.
  return listIfAllowed(transport, path, { labelSelector, metadataOnly: true, project }, run.signal);
}

/** What it names; or, as one sentence, why that cannot be told. */
async function read(
  run: Run,
  cluster: Cluster,
  reference: ObjectReference,
): Promise<readonly InventoryEntry[] | string> {
  const where = `ConfigMap/${reference.name} in namespace ${reference.namespace}`;
  try {
    const record = await readObject(cluster, reference, run.signal);
    // It has gone since the list.
    return record ? decodeRecord(record).inventory.entries : [];
  } catch (error) {
    run.signal.throwIfAborted();
    if (error instanceof DamagedRecord) return `the record ${where} is damaged: ${error.message}`;
    if (error instanceof ApiError && error.status === 403) return `the record ${where} may not be read`;
    throw apiFailure(error, { verb: 'get', object: where });
  }
}
