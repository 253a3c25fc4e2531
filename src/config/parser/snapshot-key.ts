import type { SnapshotKey } from '../config.ts';
import { type Parser, parser } from './parser.ts';

/** The alphabet of bech32, in which age writes its keys (https://age-encryption.org/v1). */
const BECH32 = '[02-9ac-hj-np-z]{58}';
const RECIPIENT = new RegExp(`^age1${BECH32}$`);
const IDENTITY = new RegExp(`^AGE-SECRET-KEY-1${BECH32}$`, 'i');
const SHORTEST_PASSPHRASE = 12;

/**
 * One age key on each line, comments as `age-keygen` writes them left out; or else a passphrase. With a secret key a
 * snapshot is written for it, and can be read again.
 */
export const snapshotKey: Parser<SnapshotKey> = parser(
  `age recipients (age1…) or secret keys (AGE-SECRET-KEY-1…), one a line; or a passphrase of ${SHORTEST_PASSPHRASE} or more characters in one line`,
  (text, refuse) => {
    const lines = text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#'));
    const recipients = lines.filter((line) => RECIPIENT.test(line));
    const identities = lines.filter((line) => IDENTITY.test(line)).map((line) => line.toUpperCase());
    if (lines.length > 0 && recipients.length + identities.length === lines.length) {
      return { kind: 'keys', recipients, identities };
    }
    const [passphrase = ''] = lines;
    if (lines.length !== 1) return refuse();
    if (/^(age1|AGE-SECRET-KEY-)/i.test(passphrase))
      return refuse({
        hint: 'it begins as an age key does, and is none: compare it with what age-keygen said',
      });
    if (passphrase.length < SHORTEST_PASSPHRASE) return refuse({ hint: 'the passphrase is too short' });
    return { kind: 'passphrase', passphrase };
  },
);
