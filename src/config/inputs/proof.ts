import { FAULTS } from '../config.ts';
import { allowance } from '../parser/allowance.ts';
import { boolean } from '../parser/boolean.ts';
import { words } from '../parser/words.ts';
import type { Input } from './input.ts';

/** What is proven. */
export const PROOF = {
  smoke: {
    parser: boolean,
    default: 'true',
    description: 'Prove a write: a key is written, read back from every server and deleted.',
  },
  'smoke-service': {
    parser: boolean,
    default: 'true',
    description:
      'Prove a registration: a service is registered at client agents, seen in the catalog and deregistered.',
  },
  'smoke-dns': {
    parser: boolean,
    default: 'true',
    description: "Prove that Consul's DNS answers for that service. Needs `smoke-service`.",
  },
  'max-unready-clients': {
    parser: allowance,
    default: '0',
    description: 'How many client agents may be missing: a count such as `2` or a share such as `10%`.',
  },
  chaos: {
    parser: words(FAULTS),
    default: '',
    description:
      'For `verify`: what to break on purpose once all is proven, to see it heal by itself: `delete-server` (the pod of a follower), `delete-leader`, `delete-client`. One per line or comma-separated, one after the other in that order.',
  },
} as const satisfies Record<string, Input>;
