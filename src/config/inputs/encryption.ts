import { boolean } from '../parser/boolean.ts';
import { choice } from '../parser/choice.ts';
import { subdomain } from '../parser/name.ts';
import { optional } from '../parser/parser.ts';
import { words } from '../parser/words.ts';
import type { Input } from './input.ts';

/** Who can read what the agents tell each other. */
export const ENCRYPTION = {
  'gossip-encryption': {
    parser: choice(['auto', 'true', 'false']),
    default: 'auto',
    description:
      'Encrypt the gossip of the agents. `auto`: a new cluster is encrypted, and one that runs stays as it is. `true` takes one that runs there, and `false` back, step by step; agents restart, pods stay.',
  },
  'gossip-key-secret': {
    parser: optional(subdomain),
    default: '',
    description:
      'Name of a Secret in the namespace whose `key` is the key for gossip: 16, 24 or 32 bytes in base64, as `consul keygen` makes them. Without it a deploy makes a key.',
  },
  tls: {
    parser: choice(['auto', 'true', 'false']),
    default: 'auto',
    description:
      'Encrypt what agents ask the servers (RPC), with certificates of an authority that a deploy makes. `auto`: a new cluster speaks TLS, and one that runs stays as it is. `true` takes one that runs there, and `false` back, step by step; servers restart, pods stay.',
  },
  'tls-secret': {
    parser: optional(subdomain),
    default: '',
    description:
      'Name of a Secret in the namespace with the certificate of the servers (`tls.crt`, `tls.key`, `ca.crt`, as cert-manager makes them). Without it a deploy makes certificates, and renews them.',
  },
  'tls-client-secret': {
    parser: optional(subdomain),
    default: '',
    description: 'Name of a Secret with the certificate of the clients, which goes with tls-secret.',
  },
  https: {
    parser: choice(['off', 'also', 'only']),
    default: 'off',
    description:
      'HTTPS of every agent at port 8501, with the certificates of `tls`: `also` beside plain HTTP at 8500, or `only`, so that plain HTTP is heard within the pod alone.',
  },
  renew: {
    parser: boolean,
    default: 'false',
    description:
      'Of a verification: renew the certificates of the agents, by reloads, when less than a third of their life is left. A deploy does so in any case.',
  },
  rotate: {
    parser: words(['gossip', 'ca']),
    default: '',
    description:
      'What a deploy replaces by a new one while all agents run: `gossip`, the key for gossip; `ca`, the authority of the certificates. Nothing restarts.',
  },
} as const satisfies Record<string, Input>;
