import { boolean } from '../parser/boolean.ts';
import { choice } from '../parser/choice.ts';
import { optional } from '../parser/parser.ts';
import { snapshotKey } from '../parser/snapshot-key.ts';
import { line } from '../parser/text.ts';
import type { Input } from './input.ts';

/** Copies of what Consul holds. */
export const DATA = {
  snapshot: {
    parser: choice(['auto', 'always', 'never']),
    default: 'auto',
    description:
      'When `deploy` and `destroy` take a snapshot before they change anything. `auto`: where servers are replaced or restarted, or data may be lost, and `snapshot-key` or `snapshot-plain` says how to keep it.',
  },
  'snapshot-key': {
    parser: optional(snapshotKey),
    default: '',
    description:
      'What a snapshot is encrypted with, which holds secrets: recipients (`age1…`) or secret keys of [age](https://age-encryption.org), one a line, or a passphrase.',
    confidential: true,
  },
  'snapshot-plain': {
    parser: boolean,
    default: 'false',
    description:
      'Leave a snapshot in plaintext where there is no `snapshot-key`. Whoever reads it has all tokens.',
  },
  'snapshot-path': {
    parser: optional(line('a path')),
    default: '',
    description:
      'File to write a snapshot to, in the workspace or the temporary directory of the runner. Without it: `consul-<name>.snap.age` in the workspace, or `.snap` in plaintext.',
  },
  restore: {
    parser: optional(line('a path')),
    default: '',
    description:
      'For `restore`, `rehearse` and `inspect`: the file with the snapshot. A relative path starts at the workspace. Where it is encrypted, `snapshot-key` has to be the secret key or the passphrase.',
  },
  compare: {
    parser: optional(line('a path, or cluster')),
    default: '',
    description:
      'For `inspect`: what the snapshot is compared with. `cluster`: what Consul holds now; or the path of another snapshot, which `snapshot-key` opens as well where it is encrypted.',
  },
  from: {
    parser: choice(['snapshot', 'survivor']),
    default: 'snapshot',
    description:
      'For `restore`. `snapshot`: the file of `restore` is brought in. `survivor`: a majority of the servers has lost its data, and those that still have theirs become the quorum.',
  },
  rehearse: {
    parser: boolean,
    default: 'false',
    description:
      'For `verify`: once all is proven, take a snapshot and try its restore in a namespace of its own, as `mode: rehearse` does with a file. The snapshot is left nowhere, and needs no key.',
  },
} as const satisfies Record<string, Input>;
