import type { SnapshotKey } from '../../config/config.ts';
import { type VerifiedSnapshot, verifySnapshot } from '../../consul/snapshot/archive.ts';
import { SnapshotKeys } from '../../consul/snapshot/keys.ts';
import { SnapshotTokens } from '../../consul/snapshot/tokens.ts';
import { ServerVersions } from '../../consul/snapshot/version.ts';
import type { Run } from '../../session/run.ts';
import { counted } from './counted.ts';
import { openSnapshot } from './open.ts';

/** A snapshot that is to be restored, read to its end. */
export interface ToRestore {
  path: string;
  /** Opens the file. */
  key: SnapshotKey | undefined;
  snapshot: VerifiedSnapshot;
  keys: SnapshotKeys;
  /** Of Consul, as its catalog has them of its servers, the latest first. */
  versions: readonly string[];
  tokens: SnapshotTokens;
}

/**
 * Reads the file of the input `restore` before anything is touched.
 * @throws Failure `snapshot` or `invalid-input`
 */
export async function readToRestore(run: Run, path: string): Promise<ToRestore> {
  const { snapshotKey: key } = run.config;
  const keys = new SnapshotKeys();
  const versions = new ServerVersions();
  const tokens = new SnapshotTokens();
  const { plain } = await openSnapshot(path, key);
  const snapshot = await verifySnapshot(plain, path, {
    key: (entry) => keys.add(entry),
    service: (service) => versions.service(service),
    acl: (type, record) => tokens.add(type, record),
  });
  const observed = `index ${snapshot.index}: ${counted(snapshot.counts)}; sums right, read to its end`;
  run.check({
    group: 'data',
    id: 'restore-snapshot',
    title: 'Snapshot to restore',
    expected: 'whole',
    observed,
    passed: true,
  });
  return { path, key, snapshot, keys, versions: versions.all(), tokens };
}
