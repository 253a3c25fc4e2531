import type { Readable } from 'node:stream';
import { isPassing } from '../../consul/failure.ts';
import { type VerifiedSnapshot, verifySnapshot } from '../../consul/snapshot/archive.ts';
import { DamagedSnapshot } from '../../consul/snapshot/damaged.ts';
import type { Reader } from '../../consul/snapshot/state.ts';
import { Failure } from '../../failure.ts';
import type { Run } from '../../session/run.ts';
import { findSource, refused, type Servers, type Source } from './source.ts';

/** A server may be busy with its own disk before the first byte. */
const SILENCE_MS = 120_000;
/** A leader that goes in the middle leaves half a snapshot; the next one leads within seconds. */
const TRIES = 3;

/**
 * Does this with what a server holds now, and does it again where the server goes meanwhile.
 * @param leaderMs how long a leader is waited for
 * @throws Failure `snapshot`, `no-leader`, `acl-denied` or `unreachable`
 */
export async function fromSource<T>(
  run: Run,
  servers: Servers,
  leaderMs: number | undefined,
  work: (source: Source) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const source = await findSource(run, servers, { leaderMs });
    try {
      return await work(source);
    } catch (error) {
      run.signal.throwIfAborted();
      const again = isPassing(error) || error instanceof DamagedSnapshot;
      if (!again || attempt === TRIES) throw refused(error);
      run.log.info(`The snapshot is taken again: ${Failure.from(error).what}`);
    }
  }
}

/** What the server holds now, as it comes. */
export async function download(run: Run, { server, stale }: Source): Promise<Readable> {
  const { body } = await server.download('/v1/snapshot', {
    signal: run.signal,
    timeoutMs: SILENCE_MS,
    query: { stale },
  });
  return body;
}

/** Reads it to its end. @throws DamagedSnapshot also where it is older than what had been seen of the server */
export async function verifyDownload(
  { server, seen }: Source,
  body: Readable,
  reader: Reader,
): Promise<VerifiedSnapshot> {
  const snapshot = await verifySnapshot(body, `${server.name}: /v1/snapshot`, reader);
  if (snapshot.index >= seen) return snapshot;
  throw new DamagedSnapshot(server.name, `its index is ${snapshot.index}, and ${seen} had been seen before`);
}
