import { Readable } from 'node:stream';
import type { SnapshotKey } from '../../config/config.ts';
import { Failure } from '../../failure.ts';

/** Of scrypt, as a power of two: 64 MiB and some 0.3 s for each guess. The program `age` makes 18 of it, and reads up to 22. */
const PASSPHRASE_WORK = 16;

/** A stage of a pipeline: what goes in comes out in the format of age (https://age-encryption.org/v1). */
export type Encryption = (plain: AsyncIterable<Buffer>) => AsyncIterable<Uint8Array>;

/** @throws Failure `invalid-input` where a key has a mistake in it, before anything is read */
export async function encryption(key: SnapshotKey): Promise<Encryption> {
  const age = await import('age-encryption');
  const encrypter = new age.Encrypter();
  if (key.kind === 'passphrase') {
    encrypter.setScryptWorkFactor(PASSPHRASE_WORK);
    encrypter.setPassphrase(key.passphrase);
  } else {
    try {
      for (const recipient of key.recipients) encrypter.addRecipient(recipient);
      for (const identity of key.identities) encrypter.addRecipient(await age.identityToRecipient(identity));
    } catch {
      // Without the library's own message, which may quote the key.
      throw new Failure({
        reason: 'invalid-input',
        what: 'a key to encrypt the snapshot with has a mistake in it: its checksum is wrong',
        where: 'snapshot-key',
        hint: 'Nothing was changed. Copy the key again from what age-keygen said.',
      });
    }
  }
  return async function* (plain) {
    const encrypted = await encrypter.encrypt(
      Readable.toWeb(Readable.from(plain)) as ReadableStream<Uint8Array>,
    );
    yield* encrypted as unknown as AsyncIterable<Uint8Array>;
  };
}
