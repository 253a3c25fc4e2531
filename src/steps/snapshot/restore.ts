import type { Readable } from 'node:stream';
import type { ConsulClient } from '../../consul/client.ts';
import { KeyComparison } from '../../consul/snapshot/key-comparison.ts';
import { SnapshotOthers } from '../../consul/snapshot/others.ts';
import type { Reader } from '../../consul/snapshot/state.ts';
import { SnapshotTokens } from '../../consul/snapshot/tokens.ts';
import { count } from '../../count.ts';
import { Failure } from '../../failure.ts';
import type { Run } from '../../session/run.ts';
import { blockedServer } from './blocked.ts';
import { lookAtContent, wentWithSession } from './content.ts';
import { named, othersNamed } from './named.ts';
import { openSnapshot } from './open.ts';
import { findSource, refused, type Servers } from './source.ts';
import { type TakeOptions, takeSnapshot } from './take.ts';
import { remembering, type ToRestore } from './to-restore.ts';

/** Between the last byte and the answer all servers may have to install the snapshot. */
const SILENCE_MS = 120_000;

const GROUP = { group: 'data' } as const;

/** Takes a snapshot of what there is now, and remembers its keys: what comes after can be compared with it. */
export async function takeWithKeys(
  run: Run,
  servers: Servers,
  options: Pick<TakeOptions, 'leaderMs' | 'into'> = {},
): Promise<ToRestore> {
  let memory = remembering();
  const reader = () => {
    memory = remembering();
    return memory.reader;
  };
  const { path, key, snapshot } = await takeSnapshot(run, servers, { ...options, reader });
  return { path, key, snapshot, ...memory.all() };
}

/**
 * Takes a snapshot of what there is now, and tells what the restore takes away from it and brings back.
 * @returns the ACL tokens that there are now
 */
export async function keepAndCompare(
  run: Run,
  servers: Servers,
  { keys, others: then }: Pick<ToRestore, 'keys' | 'others'>,
): Promise<SnapshotTokens> {
  let comparison = new KeyComparison(keys);
  let tokens = new SnapshotTokens();
  let others = new SnapshotOthers();
  const reader = (): Reader => {
    comparison = new KeyComparison(keys);
    tokens = new SnapshotTokens();
    others = new SnapshotOthers();
    return {
      key: (entry) => comparison.add(entry),
      node: (node) => others.node(node),
      service: (service) => others.service(service),
      check: (check) => others.check(check),
      record: (type, record) => {
        tokens.add(type, record);
        others.add(type, record);
      },
    };
  };
  await takeSnapshot(run, servers, { reader });
  const { added, changed, missing } = comparison.end();
  const rest = others.comparedWith(then);
  const observed = [
    `goes: ${[named(added), ...othersNamed(rest, 'removed')].join(', ')}`,
    `gets another value: ${[named(changed), ...othersNamed(rest, 'changed')].join(', ')}`,
    `comes back: ${[named(missing), ...othersNamed(rest, 'added')].join(', ')}`,
  ].join('; ');
  const check = { ...GROUP, id: 'restore-difference', title: 'Difference', expected: 'is told' };
  run.check({ ...check, observed, passed: true });
  run.log.info(`Against what there is now: ${observed}`);
  return tokens;
}

/**
 * Sends the snapshot to the leader, which all servers follow.
 * @throws Failure `no-leader`, `snapshot`, `acl-denied` or `unreachable`; the report says how Consul is left
 */
export async function restoreSnapshot(run: Run, servers: Servers, { path, key }: ToRestore): Promise<void> {
  const { server, stale } = await findSource(run, servers);
  if (stale) throw noLeader(server);
  const { plain } = await openSnapshot(path, key);
  run.known.changed = true;
  const before = run.known.snapshot?.path;
  run.known.left = { is: 'restore-sent', before };
  await sendSnapshot(run, server, plain, { servers });
  run.known.left = { is: 'restored-unproven', before };
}

/**
 * All that the cluster of this server holds is replaced by what the snapshot holds, in plaintext.
 * @param watched the servers of that cluster
 * @throws Failure; `stalled` where one of them has blocked itself
 */
export async function sendSnapshot(
  run: Run,
  server: ConsulClient,
  body: Readable,
  watched: { servers: Servers; lookMs?: number },
): Promise<void> {
  const over = new AbortController();
  const signal = AbortSignal.any([run.signal, over.signal]);
  const watching = blockedServer(run, watched.servers, signal, watched).then((failure) => {
    if (failure) over.abort(failure);
  });
  try {
    await server.upload('/v1/snapshot', body, { signal, timeoutMs: run.left() + SILENCE_MS });
  } catch (error) {
    throw refused(error);
  } finally {
    over.abort();
    await watching;
  }
}

/**
 * Every key of the snapshot has to be there with its value, but those that somebody has changed since; and all else that
 * does not come and go by itself.
 * @throws Failure `state-lost`
 */
export async function proveContent(run: Run, servers: Servers, restored: ToRestore): Promise<void> {
  const { complaints, since, gone } = await lookAtContent(run, servers, restored);
  const passed = complaints.length === 0;
  const ended = gone.total > 0 ? ` but ${wentWithSession(gone)}` : '';
  const written = since > 0 ? `, ${since} of them written anew since` : '';
  run.check({
    ...GROUP,
    id: 'restore-content',
    title: 'Content',
    expected: `the ${count(restored.keys.size, 'key')} of the snapshot, each with its value`,
    observed: passed ? `all of them${ended}${written}` : complaints.join('; '),
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

function noLeader(server: ConsulClient): Failure {
  return new Failure({
    reason: 'no-leader',
    what: 'no server knows a leader, so nothing can be restored',
    where: server.name,
    hint: '`mode: verify` says what is wrong with the servers.',
  });
}
