import { verifySnapshot } from '../../consul/snapshot/archive.ts';
import { KeyComparison } from '../../consul/snapshot/key-comparison.ts';
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
}

/** Takes another snapshot and reads it, without leaving it anywhere, and compares it with the one that was restored. */
export async function lookAtContent(run: Run, servers: Servers, restored: ToRestore): Promise<Content> {
  const { server } = await findSource(run, servers);
  const { body } = await server.download('/v1/snapshot', { signal: run.signal, timeoutMs: SILENCE_MS });
  // What was written after the restored one was taken may differ from it.
  const comparison = new KeyComparison(restored.keys, restored.snapshot.raftIndex);
  const { counts } = await verifySnapshot(body, `${server.name}: /v1/snapshot`, {
    key: (entry) => comparison.add(entry),
  });
  const { missing, changed, since } = comparison.end();
  const lacking = STEADY_KINDS.filter((kind) => counts[kind] < restored.snapshot.counts[kind]);
  const complaints = [
    ...(missing.total > 0 ? [`missing: ${named(missing)}`] : []),
    ...(changed.total > 0 ? [`with another value: ${named(changed)}`] : []),
    ...lacking.map((kind) => `${counts[kind]} of ${restored.snapshot.counts[kind]} ${NOUNS[kind]}`),
  ];
  return { complaints, since };
}
