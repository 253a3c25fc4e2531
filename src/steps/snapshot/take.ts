import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { isPassing } from '../../consul/failure.ts';
import { type VerifiedSnapshot, verifySnapshot } from '../../consul/snapshot/archive.ts';
import { Breakdown } from '../../consul/snapshot/breakdown.ts';
import { DamagedSnapshot } from '../../consul/snapshot/damaged.ts';
import type { Reader, SnapshotKeyEntry } from '../../consul/snapshot/state.ts';
import { Failure } from '../../failure.ts';
import type { Run } from '../../session/run.ts';
import { counted } from './counted.ts';
import { type Encryption, encryption } from './encryption.ts';
import { type WrittenFile, writeFileWhole } from './file.ts';
import { findSource, refused, type Servers, type Source } from './source.ts';

/** A server may be busy with its own disk before the first byte. */
const SILENCE_MS = 120_000;
/** A leader that goes in the middle leaves half a snapshot; the next one leads within seconds. */
const TRIES = 3;
/** Of prefixes and services in the report. */
const MOST_ROWS = 100;

export interface TakeOptions {
  /** Reads along; made anew for each try. */
  reader?: () => Reader;
  /** How long a leader is waited for. */
  leaderMs?: number | undefined;
}

/**
 * Takes a snapshot through the leader, reads it to its end while it comes, and leaves it in the file of the run: encrypted, or
 * in plaintext where that was asked for. Nothing of it is in memory as a whole, or on the disk in plaintext otherwise.
 * @throws Failure `snapshot` where it is damaged or cannot be written, `no-leader`, `acl-denied` or `unreachable`
 */
export async function takeSnapshot(
  run: Run,
  servers: Servers,
  { reader, leaderMs }: TakeOptions = {},
): Promise<VerifiedSnapshot> {
  const { snapshotKey, snapshotPath: path } = run.config;
  const encrypted = snapshotKey && (await encryption(snapshotKey));
  for (let attempt = 1; ; attempt += 1) {
    const source = await findSource(run, servers, { leaderMs });
    const breakdown = new Breakdown();
    const others = reader?.();
    const readers = {
      key: (entry: SnapshotKeyEntry) => {
        breakdown.key(entry);
        others?.key?.(entry);
      },
      service: (name: string) => breakdown.service(name),
    };
    try {
      const { snapshot, file } = await download(run, source, { path, encrypted, reader: readers });
      tell(run, { source, snapshot, file, encrypted: encrypted !== undefined, breakdown });
      return snapshot;
    } catch (error) {
      run.signal.throwIfAborted();
      const again = isPassing(error) || error instanceof DamagedSnapshot;
      if (!again || attempt === TRIES) throw refused(error);
      run.log.info(`The snapshot is taken again: ${Failure.from(error).what}`);
    }
  }
}

async function download(
  run: Run,
  { server, seen, stale }: Source,
  { path, encrypted, reader }: { path: string; encrypted: Encryption | undefined; reader: Reader },
): Promise<{ snapshot: VerifiedSnapshot; file: WrittenFile }> {
  const { body } = await server.download('/v1/snapshot', {
    signal: run.signal,
    timeoutMs: SILENCE_MS,
    query: { stale },
  });
  const copy = new PassThrough();
  const verified = verifySnapshot(copy, `${server.name}: /v1/snapshot`, reader).then((snapshot) => {
    if (snapshot.index >= seen) return snapshot;
    throw new DamagedSnapshot(
      server.name,
      `its index is ${snapshot.index}, and ${seen} had been seen before`,
    );
  });
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

function tell(run: Run, { source, snapshot, file, encrypted, breakdown }: Taken): void {
  const { index, counts } = snapshot;
  const { path, bytes, sha256 } = file;
  const stale = source.stale;
  run.known.snapshot = {
    path,
    bytes,
    sha256,
    index,
    encrypted,
    stale,
    counts: { ...counts },
    prefixes: breakdown.prefixes().slice(0, MOST_ROWS),
    services: breakdown.services().slice(0, MOST_ROWS),
  };
  const how = encrypted ? 'encrypted' : 'in plaintext';
  const check = {
    id: 'snapshot',
    title: 'Snapshot',
    group: 'data',
    expected: stale ? 'whole' : `whole, and not older than index ${source.seen}`,
    observed: `index ${index} from ${source.server.name}: ${counted(counts)}; sums right, read to its end; ${how} in ${path}`,
  } as const;
  if (!stale) {
    run.check({ ...check, passed: true });
    return;
  }
  const missing = 'there is no leader, so writes that this server has not seen are missing';
  run.concern({ ...check, observed: `${check.observed}; ${missing}` });
}
