import { KeyComparison, type Names } from '../../consul/snapshot/key-comparison.ts';
import { SnapshotSessions } from '../../consul/snapshot/sessions.ts';
import type { Run } from '../../session/run.ts';
import { NOUNS, STEADY_KINDS } from './counted.ts';
import { download, fromSource, verifyDownload } from './download.ts';
import { named } from './named.ts';
import type { Servers } from './source.ts';
import type { ToRestore } from './to-restore.ts';

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

/**
 * Takes another snapshot and reads it, without leaving it anywhere, and compares it with the one that was restored. It is
 * read again where the server goes meanwhile: the restore itself is over.
 */
export function lookAtContent(run: Run, servers: Servers, restored: ToRestore): Promise<Content> {
  return fromSource(run, servers, undefined, async (source) => {
    const sessions = new SnapshotSessions();
    // What was written after the restored one was taken may differ from it.
    const comparison = new KeyComparison(restored.keys, restored.snapshot.raftIndex);
    const { counts } = await verifyDownload(source, await download(run, source), {
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
  });
}
