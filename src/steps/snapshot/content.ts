import { verifySnapshot } from '../../consul/snapshot/archive.ts';
import { KeyComparison, type Names } from '../../consul/snapshot/key-comparison.ts';
import { SnapshotSessions } from '../../consul/snapshot/sessions.ts';
import type { Run } from '../../session/run.ts';
import { NOUNS, STEADY_KINDS } from './counted.ts';
import { named } from './named.ts';
import { findSource, type Servers } from './source.ts';
import type { ToRestore } from './to-restore.ts';

const SILENCE_MS = 120_000;

export interface Content {
  /** What of the snapshot is not there, one line each. */
  complaints: string[];
  /** Keys of it that somebody has written anew since. */
  since: number;
  /** Keys of it whose session had the behavior `delete`, and has ended. */
  gone: Names;
}

/** As a sentence goes on. */
export function wentWithSession(gone: Names): string {
  return `${named(gone)} held by a session that ended with its node or its time, and had them deleted`;
}

/** Takes another snapshot and reads it, without leaving it anywhere, and compares it with the one that was restored. */
export async function lookAtContent(run: Run, servers: Servers, restored: ToRestore): Promise<Content> {
  const { server } = await findSource(run, servers);
  const { body } = await server.download('/v1/snapshot', { signal: run.signal, timeoutMs: SILENCE_MS });
  // What was written after the restored one was taken may differ from it.
  const comparison = new KeyComparison(restored.keys, restored.snapshot.raftIndex);
  const sessions = new SnapshotSessions();
  const { counts } = await verifySnapshot(body, `${server.name}: /v1/snapshot`, {
    key: (entry) => comparison.add(entry),
    record: (type, record) => sessions.add(type, record),
  });
  const { missing, gone, changed, since } = comparison.end((name) => {
    const session = restored.sessions.deleting(name);
    return session !== undefined && !sessions.has(session);
  });
  const lacking = STEADY_KINDS.filter((kind) => counts[kind] < restored.snapshot.counts[kind]);
  const complaints = [
    ...(missing.total > 0 ? [`missing: ${named(missing)}`] : []),
    ...(changed.total > 0 ? [`with another value: ${named(changed)}`] : []),
    ...lacking.map((kind) => `${counts[kind]} of ${restored.snapshot.counts[kind]} ${NOUNS[kind]}`),
  ];
  return { complaints, since, gone };
}
