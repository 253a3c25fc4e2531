import { createHash } from 'node:crypto';
import { type VerifiedSnapshot, verifySnapshot } from '../../consul/snapshot/archive.ts';
import { Breakdown } from '../../consul/snapshot/breakdown.ts';
import { SnapshotContents } from '../../consul/snapshot/contents.ts';
import type { Reader } from '../../consul/snapshot/state.ts';
import type { Run } from '../../session/run.ts';
import { counted } from './counted.ts';
import { download, fromSource, verifyDownload } from './download.ts';
import { openSnapshot } from './open.ts';
import { overview } from './overview.ts';
import type { Servers } from './source.ts';

/** A snapshot that was read to its end, with what it is compared by. */
export interface Inspected {
  /** `cluster`, or the path of the file. */
  from: string;
  snapshot: VerifiedSnapshot;
  contents: SnapshotContents;
}

/**
 * Reads a file to its end, and tells what is in it.
 * @throws Failure `snapshot` or `invalid-input`
 */
export async function inspectFile(run: Run, path: string): Promise<Inspected> {
  const sum = createHash('sha256');
  let bytes = 0;
  const opened = await openSnapshot(path, run.config.snapshotKey, (chunk) => {
    sum.update(chunk);
    bytes += chunk.length;
  });
  const breakdown = new Breakdown();
  // Digests are made only where they are compared.
  const contents = new SnapshotContents();
  const compared = run.config.compare !== undefined;
  const snapshot = await verifySnapshot(opened.plain, path, {
    key: (entry) => {
      breakdown.key(entry);
      if (compared) contents.key(entry);
    },
    node: (entry) => {
      if (compared) contents.node(entry);
    },
    service: (entry) => {
      breakdown.service(entry);
      if (compared) contents.service(entry);
    },
  });
  run.known.snapshot = {
    path,
    bytes,
    sha256: sum.digest('hex'),
    encrypted: opened.encrypted,
    stale: false,
    ...overview(snapshot, breakdown),
  };
  tell(run, { id: 'snapshot', title: 'Snapshot' }, snapshot, opened.encrypted ? 'encrypted' : 'in plaintext');
  return { from: path, snapshot, contents };
}

/** Reads the other file to its end. @throws Failure `snapshot` or `invalid-input` */
export async function readOther(run: Run, path: string): Promise<Inspected> {
  const contents = new SnapshotContents();
  const { plain } = await openSnapshot(path, run.config.snapshotKey);
  const snapshot = await verifySnapshot(plain, path, readerOf(contents));
  tell(run, OTHER, snapshot, `in ${path}`);
  return { from: path, snapshot, contents };
}

/** Takes a snapshot of what Consul holds now and reads it to its end, without leaving it anywhere. @throws Failure */
export async function readCluster(run: Run, servers: Servers, leaderMs?: number): Promise<Inspected> {
  return fromSource(run, servers, leaderMs, async (source) => {
    const contents = new SnapshotContents();
    const snapshot = await verifyDownload(source, await download(run, source), readerOf(contents));
    const from = `from ${source.server.name}`;
    if (source.stale) {
      const missing = 'there is no leader, so writes that this server has not seen are missing';
      run.concern({
        ...OTHER,
        ...GROUP,
        expected: 'whole',
        observed: `${observed(snapshot, from)}; ${missing}`,
      });
    } else tell(run, OTHER, snapshot, from);
    return { from: 'cluster', snapshot, contents };
  });
}

const GROUP = { group: 'data' } as const;
const OTHER = { id: 'compared-snapshot', title: 'Compared with' } as const;

function readerOf(contents: SnapshotContents): Reader {
  return {
    key: (entry) => contents.key(entry),
    node: (entry) => contents.node(entry),
    service: (entry) => contents.service(entry),
  };
}

function tell(
  run: Run,
  check: { id: string; title: string },
  snapshot: VerifiedSnapshot,
  where: string,
): void {
  run.check({ ...check, ...GROUP, expected: 'whole', observed: observed(snapshot, where), passed: true });
}

function observed({ index, counts }: VerifiedSnapshot, where: string): string {
  return `index ${index}: ${counted(counts)}; sums right, read to its end; ${where}`;
}
