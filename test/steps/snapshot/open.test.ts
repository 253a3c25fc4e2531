import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Encrypter, generateIdentity, identityToRecipient } from 'age-encryption';
import { expect, onTestFinished, test } from 'vitest';
import { verifySnapshot } from '../../../src/consul/snapshot/archive.ts';
import { openSnapshot } from '../../../src/steps/snapshot/open.ts';
import { SNAPSHOT } from '../../consul/snapshot/fixture.ts';

const identity = await generateIdentity();
const KEY = { kind: 'keys', recipients: [], identities: [identity] } as const;
const encrypter = new Encrypter();
encrypter.addRecipient(await identityToRecipient(identity));
const ENCRYPTED = Buffer.from(await encrypter.encrypt(SNAPSHOT));

async function read(bytes: Uint8Array) {
  const folder = mkdtempSync(join(tmpdir(), 'consul-deploy-open-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'consul.snap.age');
  writeFileSync(path, bytes);
  const { plain } = await openSnapshot(path, KEY);
  return verifySnapshot(plain, path, {});
}

test('an encrypted snapshot is read to its end', async () => {
  expect((await read(ENCRYPTED)).counts).toMatchObject({ keys: expect.any(Number) });
});

const changed = () => {
  const bytes = Buffer.from(ENCRYPTED);
  bytes[bytes.length - 40] = (bytes.at(-40) ?? 0) ^ 1;
  return bytes;
};

test.each([
  ['cut in half', ENCRYPTED.subarray(0, ENCRYPTED.length / 2)],
  ['without its last byte', ENCRYPTED.subarray(0, -1)],
  ['with one bit changed', changed()],
  ['with bytes after its end', Buffer.concat([ENCRYPTED, Buffer.from('more')])],
])('an encrypted snapshot %s is damaged', async (_, bytes) => {
  await expect(read(bytes)).rejects.toMatchObject({
    reason: 'snapshot',
    what: 'the snapshot is damaged: what is encrypted in it ends too early, or has been changed',
    where: expect.stringMatching(/consul\.snap\.age$/),
  });
});

test('a file whose first lines are cut off cannot be opened', async () => {
  await expect(read(ENCRYPTED.subarray(0, 60))).rejects.toMatchObject({ reason: 'snapshot' });
});
