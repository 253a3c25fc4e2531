import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Failure } from '../../failure.ts';

/** A file that is there only when it is whole, and that nobody else may read. */
export interface WrittenFile {
  path: string;
  bytes: number;
  /** Of the file as it is, in hexadecimal. */
  sha256: string;
}

/** As `writeFileWhole` names what is not whole yet, after the name of the file. */
const UNFINISHED = /^\.[0-9a-f]{8}\.part$/;

/**
 * Removes what a run that was killed while it wrote has left beside the path. It may be in plaintext, and nobody asks for it.
 * @returns the paths of those that went, and of those that could not be removed
 */
export async function removeUnfinished(path: string): Promise<{ removed: string[]; left: string[] }> {
  const [folder, name] = [dirname(path), basename(path)];
  // A folder that is not there yet, or that nobody may list, is told by whoever writes into it.
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const found = entries.filter(
    (entry) =>
      entry.isFile() && entry.name.startsWith(name) && UNFINISHED.test(entry.name.slice(name.length)),
  );
  const done: { removed: string[]; left: string[] } = { removed: [], left: [] };
  for (const entry of found) {
    const beside = join(folder, entry.name);
    const isGone = await rm(beside, { force: true }).then(
      () => true,
      () => false,
    );
    done[isGone ? 'removed' : 'left'].push(beside);
  }
  return done;
}

/**
 * Writes beside the path, and moves the file there when all of it is on the disk: an earlier snapshot stays until then.
 * @param verified what has to hold before the file takes its place
 * @throws Failure `snapshot` where it cannot be written, and what the source and `verified` throw
 */
export async function writeFileWhole(
  path: string,
  source: AsyncIterable<Uint8Array>,
  verified: Promise<unknown>,
): Promise<WrittenFile> {
  const beside = `${path}.${randomBytes(4).toString('hex')}.part`;
  try {
    const written = await toDisk(path, beside, source);
    await verified;
    await writing(path, () => rename(beside, path));
    return { path, ...written };
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

async function toDisk(
  path: string,
  beside: string,
  source: AsyncIterable<Uint8Array>,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  const file = await writing(path, async () => {
    await mkdir(dirname(path), { recursive: true });
    return open(beside, 'wx', 0o600);
  });
  try {
    for await (const chunk of source) {
      hash.update(chunk);
      bytes += chunk.length;
      await writing(path, () => file.writeFile(chunk));
    }
    await writing(path, () => file.sync());
  } finally {
    await file.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}

async function writing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    const full = code === 'ENOSPC' || code === 'EDQUOT';
    throw new Failure({
      reason: 'snapshot',
      what: full
        ? 'the disk of the runner is full, so the snapshot could not be written'
        : `the snapshot could not be written (${code})`,
      where: path,
      hint: full
        ? 'Make room, or give a `snapshot-path` on another disk. An earlier snapshot at that path is still there.'
        : 'Give a `snapshot-path` at which the user of the runner may write.',
      cause: error,
    });
  }
}
