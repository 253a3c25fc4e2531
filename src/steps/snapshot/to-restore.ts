import type { SnapshotKey } from '../../config/config.ts';
import { type VerifiedSnapshot, verifySnapshot } from '../../consul/snapshot/archive.ts';
import { SnapshotKeys } from '../../consul/snapshot/keys.ts';
import { SnapshotOthers } from '../../consul/snapshot/others.ts';
import { SnapshotSessions } from '../../consul/snapshot/sessions.ts';
import type { Reader } from '../../consul/snapshot/state.ts';
import { SnapshotTokens } from '../../consul/snapshot/tokens.ts';
import { ServerVersions } from '../../consul/snapshot/version.ts';
import type { Run } from '../../session/run.ts';
import { counted } from './counted.ts';
import { openSnapshot } from './open.ts';

/** What of a snapshot is remembered, so that others can be compared with it. */
export interface Remembered {
  keys: SnapshotKeys;
  sessions: SnapshotSessions;
  tokens: SnapshotTokens;
  others: SnapshotOthers;
}

/** A snapshot that is to be restored, read to its end. */
export interface ToRestore extends Remembered {
  path: string;
  /** Opens the file. */
  key: SnapshotKey | undefined;
  snapshot: VerifiedSnapshot;
  /** Of Consul, as its catalog has them of its servers, the latest first. */
  versions: readonly string[];
}

/** Remembers what is read. */
export function remembering(): { reader: Reader; all: () => Remembered & Pick<ToRestore, 'versions'> } {
  const keys = new SnapshotKeys();
  const sessions = new SnapshotSessions();
  const tokens = new SnapshotTokens();
  const others = new SnapshotOthers();
  const versions = new ServerVersions();
  const reader: Reader = {
    key: (entry) => {
      keys.add(entry);
      sessions.key(entry);
    },
    node: (node) => others.node(node),
    service: (service) => {
      versions.service(service);
      others.service(service);
    },
    check: (check) => others.check(check),
    record: (type, record) => {
      sessions.add(type, record);
      tokens.add(type, record);
      others.add(type, record);
    },
  };
  return { reader, all: () => ({ keys, sessions, tokens, others, versions: versions.all() }) };
}

/**
 * Reads the file of the input `restore` before anything is touched.
 * @throws Failure `snapshot` or `invalid-input`
 */
export async function readToRestore(run: Run, path: string): Promise<ToRestore> {
  const { snapshotKey: key } = run.config;
  const { reader, all } = remembering();
  const { plain } = await openSnapshot(path, key);
  const snapshot = await verifySnapshot(plain, path, reader);
  const observed = `index ${snapshot.index}: ${counted(snapshot.counts)}; sums right, read to its end`;
  run.check({
    group: 'data',
    id: 'restore-snapshot',
    title: 'Snapshot to restore',
    expected: 'whole',
    observed,
    passed: true,
  });
  return { path, key, snapshot, ...all() };
}
