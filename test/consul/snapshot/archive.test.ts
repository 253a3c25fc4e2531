import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type VerifiedSnapshot, verifySnapshot } from '../../../src/consul/snapshot/archive.ts';
import { SnapshotKeys } from '../../../src/consul/snapshot/keys.ts';
import { packed, SNAPSHOT, summed } from './fixture.ts';

/** In pieces of this size, as they come over a network. */
function inPieces(bytes: Uint8Array, size: number): Readable {
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    Buffer.from(bytes.subarray(index * size, (index + 1) * size)),
  );
  return Readable.from(pieces);
}

function verify(bytes: Uint8Array, size = 1000): Promise<VerifiedSnapshot> {
  return verifySnapshot(inPieces(bytes, size), 'here');
}

describe('a snapshot that Consul has written', () => {
  // As `consul snapshot inspect` counts them: see fixture.ts.
  const expected = {
    counts: {
      keys: 3,
      nodes: 1,
      services: 2,
      checks: 1,
      sessions: 1,
      tokens: 2,
      policies: 2,
      configEntries: 1,
    },
  };

  test.each([1, 7, 512, 100_000])('is read in pieces of %d bytes', async (size) => {
    expect(await verify(SNAPSHOT, size)).toMatchObject(expected);
  });

  test('tells its index and term', async () => {
    const { index, raftIndex, term } = await verify(SNAPSHOT);
    expect(index).toBe(raftIndex);
    expect(index).toBeGreaterThan(10);
    expect(term).toBeGreaterThan(0);
  });

  test('tells when it was taken, where its id says so', async () => {
    // As `date -u -d @1796003413.072` says it, of the id in meta.json.
    expect((await verify(SNAPSHOT)).takenAt).toBe('2026-11-30T01:50:13.072Z');
    const other = packed((folder) => {
      const meta = readFileSync(join(folder, 'meta.json'), 'utf8');
      writeFileSync(join(folder, 'meta.json'), meta.replace(/"ID":"[^"]+"/, '"ID":"another"'));
      summed(folder);
    });
    expect((await verify(other)).takenAt).toBeUndefined();
  });

  test('tells its keys, whose values need not be text', async () => {
    const keys = new SnapshotKeys();
    await verifySnapshot(inPieces(SNAPSHOT, 100), 'here', { key: (entry) => keys.add(entry) });
    expect(keys.comparedWith(new SnapshotKeys()).removed).toEqual(['app/binary', 'app/empty', 'app/ümlaut']);
  });

  test('packed anew by another program is the same', async () => {
    expect(await verify(packed(summed))).toMatchObject(expected);
  });
});

describe('what is refused', () => {
  const refused = async (bytes: Uint8Array, what: RegExp) => {
    await expect(verify(bytes)).rejects.toMatchObject({ reason: 'snapshot', where: 'here' });
    await expect(verify(bytes)).rejects.toThrow(what);
  };

  test('every beginning of a snapshot', async () => {
    for (let length = 0; length < SNAPSHOT.length; length += 37) {
      await expect(verify(SNAPSHOT.subarray(0, length)), `${length} bytes`).rejects.toMatchObject({
        reason: 'snapshot',
      });
    }
  });

  test('a bit that has flipped, wherever it changes what is read', async () => {
    const whole = await verify(SNAPSHOT);
    let same = 0;
    for (let at = 0; at < SNAPSHOT.length; at += 11) {
      const bytes = Buffer.from(SNAPSHOT);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
      const outcome = await verify(bytes).catch((error: unknown) => error);
      // The name or time in the header of gzip, and what fills up the blocks of tar, are no part of it.
      if (outcome instanceof Error) expect(outcome).toMatchObject({ reason: 'snapshot' });
      else {
        expect(outcome).toEqual(whole);
        same += 1;
      }
    }
    expect(same).toBeLessThan(5);
  });

  test('a bit that has flipped below the sums of gzip', async () => {
    const tar = gunzipSync(SNAPSHOT);
    const at = tar.indexOf('app/binary');
    tar[at] = (tar[at] ?? 0) ^ 1;
    await refused(gzipSync(tar), /the sum of state\.bin is wrong/);
  });

  test.each<[string, () => Buffer, RegExp]>([
    ['no archive', () => Buffer.from('not a snapshot'), /incorrect header check/],
    ['nothing', () => Buffer.alloc(0), /damaged/],
    ['a member that is missing', () => packed(summed, ['meta.json', 'SHA256SUMS']), /no state\.bin/],
    ['sums that are missing', () => packed(summed, ['meta.json', 'state.bin']), /no SHA256SUMS/],
    [
      'a member that no snapshot has',
      () =>
        packed(
          (folder) => {
            summed(folder);
            writeFileSync(join(folder, 'other'), 'x');
          },
          ['meta.json', 'state.bin', 'SHA256SUMS', 'other'],
        ),
      /no snapshot has: "other"/,
    ],
    [
      'a state that ends within a record, with right sums',
      () =>
        packed((folder) => {
          const state = readFileSync(join(folder, 'state.bin'));
          writeFileSync(join(folder, 'state.bin'), Buffer.concat([state, Buffer.from([2])]));
          summed(folder);
        }),
      /ends within a record/,
    ],
    [
      'a state that is no msgpack, with right sums',
      () =>
        packed((folder) => {
          const state = readFileSync(join(folder, 'state.bin'));
          writeFileSync(join(folder, 'state.bin'), Buffer.concat([state, Buffer.from([2, 0xc1])]));
          summed(folder);
        }),
      /damaged/,
    ],
    [
      'a length that would fill the memory',
      () =>
        packed((folder) => {
          const state = readFileSync(join(folder, 'state.bin'));
          writeFileSync(
            join(folder, 'state.bin'),
            Buffer.concat([state, Buffer.from([2, 0xdb, 0xff, 0xff, 0xff, 0xff])]),
          );
          summed(folder);
        }),
      /damaged/,
    ],
  ])('%s', async (_, bytes, what) => {
    await refused(bytes(), what);
  });

  test('what is no archive in a file, whose stream ends with it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'consul-deploy-archive-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'bad.snap');
    for (const content of [Buffer.from('no snapshot at all'), SNAPSHOT.subarray(0, -20)]) {
      writeFileSync(file, content);
      await expect(verifySnapshot(createReadStream(file), file)).rejects.toThrow(/the snapshot is damaged/);
    }
  });

  test.each([1000, 100_000])('something that follows its end, in pieces of %d bytes', async (size) => {
    const more = Buffer.concat([SNAPSHOT, Buffer.from('more')]);
    await expect(verify(more, size)).rejects.toThrow(
      /damaged: (something follows its end|incorrect header check)/,
    );
  });

  test('what the source itself throws is thrown', async () => {
    const broken = new Error('the connection broke');
    const source = Readable.from(
      (async function* () {
        yield SNAPSHOT.subarray(0, 300);
        throw broken;
      })(),
    );
    await expect(verifySnapshot(source, 'here')).rejects.toBe(broken);
  });
});
