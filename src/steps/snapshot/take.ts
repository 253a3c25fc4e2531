import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { SnapshotKey } from '../../config/config.ts';
import type { VerifiedSnapshot } from '../../consul/snapshot/archive.ts';
import { Breakdown } from '../../consul/snapshot/breakdown.ts';
import type { Reader } from '../../consul/snapshot/state.ts';
import type { Run } from '../../session/run.ts';
import { counted } from './counted.ts';
import { download, fromSource, verifyDownload } from './download.ts';
import { type Encryption, encryption } from './encryption.ts';
import { removeUnfinished, type WrittenFile, writeFileWhole } from './file.ts';
import { overview } from './overview.ts';
import type { Servers, Source } from './source.ts';

export interface TakeOptions {
  /** Reads along; made anew for each try. */
  reader?: () => Reader;
  /** How long a leader is waited for. */
  leaderMs?: number | undefined;
  /** Where it goes, in place of the file of the run: one that is removed again, of which the report tells nothing. */
  into?: { path: string; key: SnapshotKey } | undefined;
}

/** A snapshot that was taken, and the file that it is in. */
export interface TakenSnapshot {
  path: string;
  /** What it is encrypted with. */
  key: SnapshotKey | undefined;
  snapshot: VerifiedSnapshot;
}

/**
 * Takes a snapshot through the leader, reads it to its end while it comes, and leaves it in the file of the run: encrypted, or
 * in plaintext where that was asked for. Nothing of it is in memory as a whole, or on the disk in plaintext otherwise.
 * @throws Failure `snapshot` where it is damaged or cannot be written, `no-leader`, `acl-denied` or `unreachable`
 */
export async function takeSnapshot(
  run: Run,
  servers: Servers,
  { reader, leaderMs, into }: TakeOptions = {},
): Promise<TakenSnapshot> {
  const { path, key } = into ?? { path: run.config.snapshotPath, key: run.config.snapshotKey };
  const encrypted = key && (await encryption(key));
  await tidyUp(run, path);
  return fromSource(run, servers, leaderMs, async (source) => {
    const breakdown = new Breakdown();
    const others = reader?.();
    const readers: Reader = {
      ...others,
      key: (entry) => {
        breakdown.key(entry);
        others?.key?.(entry);
      },
      service: (entry) => {
        breakdown.service(entry);
        others?.service?.(entry);
      },
    };
    const { snapshot, file } = await keep(run, source, { path, encrypted, reader: readers });
    const taken = { source, snapshot, file, encrypted: encrypted !== undefined, breakdown };
    tell(run, taken, into !== undefined);
    return { path, key, snapshot };
  });
}

/** After a run that was killed. */
async function tidyUp(run: Run, path: string): Promise<void> {
  const { removed, left } = await removeUnfinished(path);
  for (const file of removed) run.log.info(`${file} is left from a run that was killed; it is removed`);
  for (const file of left)
    run.warn(`${file} is left from a run that was killed, and could not be removed: it may hold secrets.`);
}

async function keep(
  run: Run,
  source: Source,
  { path, encrypted, reader }: { path: string; encrypted: Encryption | undefined; reader: Reader },
): Promise<{ snapshot: VerifiedSnapshot; file: WrittenFile }> {
  const body = await download(run, source);
  const copy = new PassThrough();
  const verified = verifyDownload(source, copy, reader);
  // Its failure is waited for below; until then it ends what is read.
  verified.catch((error) => body.destroy(error));
  const plain = copied(body, copy);
  try {
    const file = await writeFileWhole(path, encrypted ? encrypted(plain) : plain, verified);
    return { snapshot: await verified, file };
  } catch (error) {
    body.destroy();
    copy.destroy(error instanceof Error ? error : undefined);
    throw error;
  }
}

/** What is read goes to `copy`, too, as fast as the slower of both takes it. */
async function* copied(source: AsyncIterable<Buffer>, copy: PassThrough): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of source) {
      if (!copy.write(chunk)) await once(copy, 'drain');
      yield chunk;
    }
    copy.end();
  } catch (error) {
    copy.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}

interface Taken {
  source: Source;
  snapshot: VerifiedSnapshot;
  file: WrittenFile;
  encrypted: boolean;
  breakdown: Breakdown;
}

function tell(run: Run, { source, snapshot, file, encrypted, breakdown }: Taken, isRemoved: boolean): void {
  const { index, counts } = snapshot;
  const { path, bytes, sha256 } = file;
  const stale = source.stale;
  if (!isRemoved)
    run.known.snapshot = { path, bytes, sha256, encrypted, stale, ...overview(snapshot, breakdown) };
  const how = encrypted ? 'encrypted' : 'in plaintext';
  const check = {
    id: 'snapshot',
    title: 'Snapshot',
    group: 'data',
    expected: stale ? 'whole' : `whole, and not older than index ${source.seen}`,
    observed: `index ${index} from ${source.server.name}: ${counted(counts)}; sums right, read to its end; ${isRemoved ? 'left nowhere' : `${how} in ${path}`}`,
  } as const;
  if (!stale) {
    run.check({ ...check, passed: true });
    return;
  }
  const missing = 'there is no leader, so writes that this server has not seen are missing';
  run.concern({ ...check, observed: `${check.observed}; ${missing}` });
}
