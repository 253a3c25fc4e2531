import type { ConsulClient } from '../../consul/client.ts';
import { type VerifiedSnapshot, verifySnapshot } from '../../consul/snapshot/archive.ts';
import { SnapshotKeys } from '../../consul/snapshot/keys.ts';
import type { SnapshotKeyEntry } from '../../consul/snapshot/state.ts';
import { Failure } from '../../failure.ts';
import { count } from '../../report/count.ts';
import { oneLine } from '../../report/escape.ts';
import type { Run } from '../../session/run.ts';
import { counted, NOUNS } from './counted.ts';
import { openSnapshot } from './open.ts';
import { findSource, refused, type Servers } from './source.ts';
import { takeSnapshot } from './take.ts';

/** A snapshot that is to be restored, read to its end. */
export interface ToRestore {
  path: string;
  snapshot: VerifiedSnapshot;
  keys: SnapshotKeys;
}

/** Between the last byte and the answer all servers may have to install the snapshot. */
const SILENCE_MS = 120_000;
const MOST_NAMES = 20;

const GROUP = { group: 'data' } as const;

/**
 * Reads the file of the input `restore` before anything is touched.
 * @throws Failure `snapshot` or `invalid-input`
 */
export async function readToRestore(run: Run, path: string): Promise<ToRestore> {
  const keys = new SnapshotKeys();
  const snapshot = await verifySnapshot(await openSnapshot(path, run.config.snapshotKey), path, {
    key: (entry) => keys.add(entry),
  });
  const observed = `index ${snapshot.index}: ${counted(snapshot.counts)}; sums right, read to its end`;
  run.check({
    ...GROUP,
    id: 'restore-snapshot',
    title: 'Snapshot to restore',
    expected: 'whole',
    observed,
    passed: true,
  });
  return { path, snapshot, keys };
}

/** Takes a snapshot of what there is now, and tells what the restore takes away from it and brings back. */
export async function keepAndCompare(run: Run, servers: Servers, file: ToRestore): Promise<void> {
  let now = new SnapshotKeys();
  const reader = () => {
    now = new SnapshotKeys();
    return { key: (entry: SnapshotKeyEntry) => now.add(entry) };
  };
  await takeSnapshot(run, servers, { reader });
  tellDifference(run, now, file);
}

/** What a restore takes away and brings back, against what there is now. */
export function tellDifference(run: Run, now: SnapshotKeys, { keys }: ToRestore): void {
  const { removed, changed, added } = now.comparedWith(keys);
  const observed = [
    `goes: ${keysNamed(removed)}`,
    `gets another value: ${keysNamed(changed)}`,
    `comes back: ${keysNamed(added)}`,
  ].join('; ');
  const check = { ...GROUP, id: 'restore-difference', title: 'Difference', expected: 'is told' };
  run.check({ ...check, observed, passed: true });
  run.log.info(`Against what there is now: ${observed}`);
}

/**
 * Sends the snapshot to the leader, which all servers follow.
 * @throws Failure `no-leader`, `snapshot`, `acl-denied` or `unreachable`; the report says how Consul is left
 */
export async function restoreSnapshot(run: Run, servers: Servers, { path }: ToRestore): Promise<void> {
  const { server, stale } = await findSource(run, servers);
  if (stale) throw noLeader(server);
  const body = await openSnapshot(path, run.config.snapshotKey);
  run.known.changed = true;
  const before = run.known.snapshot?.path;
  run.known.left = `The restore was sent and its end was not seen: Consul holds either what it held before, or what the snapshot holds. Run it again; what it held before is in ${before}.`;
  try {
    await server.upload('/v1/snapshot', body, { signal: run.signal, timeoutMs: run.left() + SILENCE_MS });
  } catch (error) {
    throw refused(error);
  }
  run.known.left = `Consul holds what the snapshot holds, which is not proven yet. What it held before is in ${before}.`;
}

/**
 * Takes another snapshot and reads it, without leaving it anywhere: every key of the one that was restored has to be in it
 * with its value, but those that somebody has changed since.
 * @throws Failure `state-lost`
 */
export async function proveContent(run: Run, servers: Servers, restored: ToRestore): Promise<void> {
  const { server } = await findSource(run, servers);
  const { body } = await server.download('/v1/snapshot', { signal: run.signal, timeoutMs: SILENCE_MS });
  const keys = new SnapshotKeys();
  const { counts } = await verifySnapshot(body, `${server.name}: /v1/snapshot`, {
    key: (entry) => keys.add(entry),
  });
  const { removed, changed } = restored.keys.comparedWith(keys);
  const isSince = (key: string) => keys.changedSince(key, restored.snapshot.raftIndex);
  const since = changed.filter(isSince).length;
  const other = changed.filter((key) => !isSince(key));
  const lacking = KINDS.filter((kind) => counts[kind] < restored.snapshot.counts[kind]);
  const complaints = [
    ...(removed.length > 0 ? [`missing: ${keysNamed(removed)}`] : []),
    ...(other.length > 0 ? [`with another value: ${keysNamed(other)}`] : []),
    ...lacking.map((kind) => `${counts[kind]} of ${restored.snapshot.counts[kind]} ${NOUNS[kind]}`),
  ];
  const passed = complaints.length === 0;
  const written = since > 0 ? `, ${since} of them written anew since` : '';
  run.check({
    ...GROUP,
    id: 'restore-content',
    title: 'Content',
    expected: `the ${restored.keys.size} keys of the snapshot with their values`,
    observed: passed ? `all of them${written}` : complaints.join('; '),
    passed,
  });
  if (passed) return;
  throw new Failure({
    reason: 'state-lost',
    what: 'after the restore Consul does not hold what the snapshot holds',
    where: restored.path,
    hint: `Where applications delete keys meanwhile, those may be what is missing. What Consul held before is in ${run.known.snapshot?.path}.`,
    details: complaints,
  });
}

/** What nobody makes or takes away by itself. */
const KINDS = ['configEntries', 'preparedQueries', 'tokens', 'policies', 'roles'] as const;

/** `2 keys (a, b)` */
function keysNamed(keys: readonly string[]): string {
  if (keys.length === 0) return 'no key';
  const names = keys.slice(0, MOST_NAMES).map((key) => oneLine(key, 100));
  const more = keys.length > MOST_NAMES ? `, and ${keys.length - MOST_NAMES} more` : '';
  return `${count(keys.length, 'key')} (${names.join(', ')}${more})`;
}

function noLeader(server: ConsulClient): Failure {
  return new Failure({
    reason: 'no-leader',
    what: 'no server knows a leader, so nothing can be restored',
    where: server.name,
    hint: '`mode: verify` says what is wrong with the servers.',
  });
}
