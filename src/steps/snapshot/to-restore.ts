import { type VerifiedSnapshot, verifySnapshot } from '../../consul/snapshot/archive.ts';
import { SnapshotKeys } from '../../consul/snapshot/keys.ts';
import type { Run } from '../../session/run.ts';
import { counted } from './counted.ts';
import { openSnapshot } from './open.ts';

/** A snapshot that is to be restored, read to its end. */
export interface ToRestore {
  path: string;
  snapshot: VerifiedSnapshot;
  keys: SnapshotKeys;
}

/**
 * Reads the file of the input `restore` before anything is touched.
 * @throws Failure `snapshot` or `invalid-input`
 */
export async function readToRestore(run: Run, path: string): Promise<ToRestore> {
  const keys = new SnapshotKeys();
  const { plain } = await openSnapshot(path, run.config.snapshotKey);
  const snapshot = await verifySnapshot(plain, path, { key: (entry) => keys.add(entry) });
  const observed = `index ${snapshot.index}: ${counted(snapshot.counts)}; sums right, read to its end`;
  run.check({
    group: 'data',
    id: 'restore-snapshot',
    title: 'Snapshot to restore',
    expected: 'whole',
    observed,
    passed: true,
  });
  return { path, snapshot, keys };
}
