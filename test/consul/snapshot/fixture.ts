import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { encode } from '@msgpack/msgpack';
import { onTestFinished } from 'vitest';

/**
 * `consul snapshot save` of a server of Consul 1.22.7 that was started for this alone, on the loopback interface, with ACLs and
 * a token that is made up. In it are three keys (one of them with bytes that are no text), the service `web`, a session and
 * a configuration entry. `consul snapshot inspect` counts: Register 4, ACLPolicy 2, ACLToken 2, Index 20, ConfigEntry 1,
 * KVS 3, Autopilot 1, Session 1, FederationState 1, SystemMetadata 1, ChunkingState 1.
 */
export const SNAPSHOT: Buffer = readFileSync(new URL('fixture.snap', import.meta.url));

/** The members of the real one, some of them changed, packed by the system's own tar. */
export function packed(
  change: (folder: string) => void,
  members = ['meta.json', 'state.bin', 'SHA256SUMS'],
): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'consul-deploy-archive-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  execFileSync('tar', ['-xzf', '-', '-C', folder], { input: SNAPSHOT });
  change(folder);
  return gzipSync(execFileSync('tar', ['-cf', '-', '-C', folder, ...members], { maxBuffer: 1 << 26 }));
}

/** The sums anew, by the system's own program. */
export function summed(folder: string): void {
  const sums = execFileSync('sha256sum', ['meta.json', 'state.bin'], { cwd: folder });
  writeFileSync(join(folder, 'SHA256SUMS'), sums);
}

/** With other bytes of the same length in its state, and right sums: still whole, and another one. */
export function altered(from: string, to: string): Buffer {
  return packed((folder) => {
    const state = readFileSync(join(folder, 'state.bin'));
    for (let at = state.indexOf(from); at >= 0; at = state.indexOf(from, at + 1)) state.write(to, at);
    writeFileSync(join(folder, 'state.bin'), state);
    summed(folder);
  });
}

/** The real one with these records after its own, each with its type, and right sums. */
export function appended(records: readonly (readonly [type: number, record: object])[]): Buffer {
  return packed((folder) => {
    const state = readFileSync(join(folder, 'state.bin'));
    const more = records.flatMap(([type, record]) => [Buffer.from([type]), encode(record)]);
    writeFileSync(join(folder, 'state.bin'), Buffer.concat([state, ...more]));
    summed(folder);
  });
}

/** A key as a record; its name may be any bytes. */
export function keyRecord(
  key: string | Uint8Array,
  value = '',
  session = '',
): readonly [type: number, record: object] {
  const [Key, Value] = [Buffer.from(key), Buffer.from(value)];
  return [2, { Key, Value, Flags: 0, ModifyIndex: 15, Session: session }];
}
