import { open } from 'node:fs/promises';
import { pipeline, Readable, Transform } from 'node:stream';
import type { SnapshotKey } from '../../config/config.ts';
import { DamagedSnapshot } from '../../consul/snapshot/damaged.ts';
import { Failure } from '../../failure.ts';

/** Every file of age begins so (https://age-encryption.org/v1). */
const AGE = 'age-encryption.org/v1\n';

export interface OpenedSnapshot {
  plain: Readable;
  /** In the file. */
  encrypted: boolean;
}

/**
 * The snapshot in a file, decrypted where it is encrypted.
 * @param seen is given the file as it is, piece by piece
 * @throws Failure `snapshot` where there is no such file or the key does not open it, `invalid-input` without a key
 */
export async function openSnapshot(
  path: string,
  key: SnapshotKey | undefined,
  seen?: (chunk: Buffer) => void,
): Promise<OpenedSnapshot> {
  const file = await opened(path);
  const start = Buffer.alloc(AGE.length);
  await file.read(start, 0, AGE.length, 0);
  const stream = file.createReadStream({ start: 0 });
  const bytes = seen ? passing(stream, seen) : stream;
  if (start.toString('latin1') !== AGE) return { plain: bytes, encrypted: false };
  if (!key) {
    bytes.destroy();
    throw new Failure({
      reason: 'invalid-input',
      what: 'the snapshot is encrypted, and there is no key to read it with',
      where: path,
      hint: 'Nothing was changed. Give `snapshot-key`: the secret key, or the passphrase.',
    });
  }
  try {
    const plain = whole(await decrypted(bytes, key), path);
    return { plain: Readable.from(plain, { objectMode: false }), encrypted: true };
  } catch (error) {
    bytes.destroy();
    if (error instanceof Failure) throw error;
    // Without the library's own message, which may quote the key.
    throw new Failure({
      reason: 'snapshot',
      what: 'the key does not open the snapshot',
      where: path,
      hint: 'Nothing was changed. Give in `snapshot-key` the secret key or the passphrase that it was written for.',
    });
  }
}

function passing(stream: Readable, seen: (chunk: Buffer) => void): Readable {
  const through = new Transform({
    transform(chunk: Buffer, _, done) {
      seen(chunk);
      done(null, chunk);
    },
  });
  // An error of one ends both, and whoever reads gets it.
  return pipeline(stream, through, () => undefined);
}

async function decrypted(bytes: Readable, key: SnapshotKey): Promise<AsyncIterable<Uint8Array>> {
  const age = await import('age-encryption');
  const decrypter = new age.Decrypter();
  if (key.kind === 'passphrase') decrypter.addPassphrase(key.passphrase);
  else {
    if (key.identities.length === 0) throw noIdentity();
    for (const identity of key.identities) decrypter.addIdentity(identity);
  }
  const plain = await decrypter.decrypt(Readable.toWeb(bytes) as ReadableStream<Uint8Array>);
  return plain as unknown as AsyncIterable<Uint8Array>;
}

/** Every piece has a sum of its own, and the last one says that it is: so the key is right where the first one is read. */
async function* whole(plain: AsyncIterable<Uint8Array>, path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* plain;
  } catch (error) {
    if (isOfSystem(error)) throw error;
    throw new DamagedSnapshot(path, 'what is encrypted in it ends too early, or has been changed');
  }
}

/** A disk that cannot be read, such as `EIO`. */
function isOfSystem(error: unknown): boolean {
  return error instanceof Error && 'code' in error;
}

function noIdentity(): Failure {
  return new Failure({
    reason: 'invalid-input',
    what: 'a recipient can only write snapshots, and not read them',
    where: 'snapshot-key',
    hint: 'Nothing was changed. Give the secret key as well (`AGE-SECRET-KEY-1…`), from the file that age-keygen wrote.',
  });
}

async function opened(path: string) {
  try {
    return await open(path, 'r');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new Failure({
      reason: 'snapshot',
      what: `there is no snapshot that could be read (${code})`,
      where: path,
      hint: 'Nothing was changed. A relative path starts at the workspace; an artifact has to be downloaded by a step before.',
      cause: error,
    });
  }
}
