import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { ReadEntry } from 'tar';
import { Parser } from 'tar/parse';
import { DamagedSnapshot } from './damaged.ts';
import { type Reader, readState, type SnapshotState } from './state.ts';

/** A snapshot that was read to its end, and whose sums are right. */
export interface VerifiedSnapshot extends SnapshotState {
  /** Of Raft when it was taken. */
  raftIndex: number;
  term: number;
  /** RFC 3339; undefined where the file does not say when. */
  takenAt: string | undefined;
}

const META = 'meta.json';
const STATE = 'state.bin';
const SUMS = 'SHA256SUMS';
/** Longer than any that Consul writes. */
const LONGEST_TEXT = 1024 * 1024;

/**
 * Reads a snapshot as `consul snapshot save` writes it: a gzipped tar of `meta.json`, `state.bin` and `SHA256SUMS`
 * (https://github.com/hashicorp/consul/blob/v1.22.7/snapshot/archive.go). Nothing of it is kept in memory or on disk.
 * @param where the file or server it comes from, for errors
 * @throws Failure `snapshot` for what is not whole, or no snapshot; and what the source throws
 */
export async function verifySnapshot(
  source: Readable,
  where: string,
  reader?: Reader,
): Promise<VerifiedSnapshot> {
  const gunzip = createGunzip();
  const members = new Members(where, reader);
  // A pipeline ends all of its streams with the error of one: that of the first is the cause.
  let broken: { error: unknown; source: boolean } | undefined;
  source.once('error', (error) => {
    broken ??= { error, source: true };
  });
  gunzip.once('error', (error) => {
    broken ??= { error, source: false };
  });
  let bytes = 0;
  source.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  try {
    await pipeline(source, gunzip, (unpacked: AsyncIterable<Buffer>) => members.read(unpacked));
  } catch (error) {
    if (members.failure) throw members.failure;
    if (broken?.source) throw broken.error;
    throw new DamagedSnapshot(where, said(error), error);
  }
  // What follows the archive is no part of it, and Consul refuses it: concludeGzipRead in snapshot.go.
  if (gunzip.bytesWritten !== bytes) throw new DamagedSnapshot(where, 'something follows its end');
  return members.verified();
}

class Members {
  failure: unknown;
  readonly #where: string;
  readonly #reader: Reader | undefined;
  readonly #sums = new Map<string, string>();
  readonly #texts = new Map<string, string>();
  #state: SnapshotState | undefined;

  constructor(where: string, reader: Reader | undefined) {
    this.#where = where;
    this.#reader = reader;
  }

  async read(unpacked: AsyncIterable<Buffer>): Promise<void> {
    let reading: Promise<void> = Promise.resolve();
    const stop = new AbortController();
    const fail = (error: unknown) => {
      this.failure ??= error;
      stop.abort(error);
    };
    const parser = new Parser({
      strict: true,
      onReadEntry: (entry) => {
        reading = reading.then(() => this.#member(entry)).catch(fail);
      },
    });
    parser.on('error', (error) => fail(new DamagedSnapshot(this.#where, said(error), error)));
    for await (const chunk of unpacked) {
      if (!parser.write(chunk)) await once(parser, 'drain', { signal: stop.signal });
      stop.signal.throwIfAborted();
    }
    const ended = once(parser, 'end', { signal: stop.signal });
    parser.end();
    await ended;
    await reading;
    stop.signal.throwIfAborted();
  }

  async #member(entry: ReadEntry): Promise<void> {
    const { path: name } = entry;
    if (entry.type !== 'File' || ![META, STATE, SUMS].includes(name)) {
      throw new DamagedSnapshot(
        this.#where,
        `there is a member that no snapshot has: ${JSON.stringify(name.slice(0, 100))}`,
      );
    }
    if (this.#sums.has(name)) throw new DamagedSnapshot(this.#where, `${name} is there twice`);
    const hash = createHash('sha256');
    const bytes = hashed(entry, hash);
    if (name === STATE) {
      try {
        this.#state = await readState(bytes, this.#reader);
      } catch (error) {
        throw new DamagedSnapshot(this.#where, said(error), error);
      }
    } else {
      if (entry.size > LONGEST_TEXT) throw new DamagedSnapshot(this.#where, `${name} is too long`);
      const chunks: Uint8Array[] = [];
      for await (const chunk of bytes) chunks.push(chunk);
      this.#texts.set(name, Buffer.concat(chunks).toString());
    }
    this.#sums.set(name, hash.digest('hex'));
  }

  verified(): VerifiedSnapshot {
    const state = this.#state;
    const meta = this.#texts.get(META);
    const sums = this.#texts.get(SUMS);
    if (!state || meta === undefined || sums === undefined) {
      const missing = [META, STATE, SUMS].filter((name) => !this.#sums.has(name));
      throw new DamagedSnapshot(this.#where, `it has no ${missing.join(' and no ')}`);
    }
    this.#compare(sums);
    const { Index, Term, ID } = this.#metaOf(meta);
    return { ...state, raftIndex: Index, term: Term, takenAt: takenAt(ID) };
  }

  /** As sha256sum writes them: the sum, two spaces, the name. */
  #compare(text: string): void {
    const given = new Map(
      text
        .trimEnd()
        .split('\n')
        .map((line) => {
          const [sum = '', name = ''] = line.split(/ +/, 2);
          return [name, sum] as const;
        }),
    );
    for (const name of [META, STATE]) {
      if (given.get(name) !== this.#sums.get(name))
        throw new DamagedSnapshot(this.#where, `the sum of ${name} is wrong`);
    }
  }

  #metaOf(text: string): { Index: number; Term: number; ID: unknown } {
    let meta: { Index?: unknown; Term?: unknown; ID?: unknown };
    try {
      meta = JSON.parse(text);
    } catch (error) {
      throw new DamagedSnapshot(this.#where, `${META} is no JSON`, error);
    }
    const { Index, Term, ID } = meta ?? {};
    if (typeof Index !== 'number' || typeof Term !== 'number') {
      throw new DamagedSnapshot(this.#where, `${META} has no index or no term`);
    }
    return { Index, Term, ID };
  }
}

/**
 * The id is the term, the index and the milliseconds since 1970, by the clock of the server (`snapshotName` in
 * https://github.com/hashicorp/raft/blob/v1.7.3/file_snapshot.go).
 */
function takenAt(id: unknown): string | undefined {
  const [, ms] = (typeof id === 'string' && /^\d+-\d+-(\d{1,14})$/.exec(id)) || [];
  return ms === undefined ? undefined : new Date(Number(ms)).toISOString();
}

async function* hashed(
  entry: AsyncIterable<Uint8Array>,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of entry) {
    hash.update(chunk);
    yield chunk;
  }
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
