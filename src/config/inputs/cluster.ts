import { allowance } from '../parser/allowance.ts';
import { boolean } from '../parser/boolean.ts';
import { choice } from '../parser/choice.ts';
import { image } from '../parser/image.ts';
import { list } from '../parser/list.ts';
import { datacenter, domain, objectPrefix } from '../parser/name.ts';
import { wholeNumber } from '../parser/number.ts';
import { isRecursor } from '../parser/recursor.ts';
import type { Input } from './input.ts';

/** What the cluster is. */
export const CLUSTER = {
  name: {
    parser: objectPrefix,
    default: 'consul',
    description: 'Prefix of the names of all objects: `consul` makes `consul-server` and `consul-client`.',
  },
  image: {
    parser: image,
    default: 'hashicorp/consul:1.22.7',
    description: 'Image of servers and clients, by tag or digest. Consul 1.20 or later.',
  },
  datacenter: {
    parser: datacenter,
    default: 'dc1',
    description: 'Name of the Consul datacenter.',
  },
  domain: {
    parser: domain,
    default: 'consul',
    description: 'DNS domain that Consul answers for.',
  },
  servers: {
    parser: choice(['1', '3', '5']),
    default: '3',
    description: 'Number of servers: 1, 3 or 5. Each needs a node of its own.',
  },
  clients: {
    parser: choice(['statefulset', 'daemonset', 'none']),
    default: 'statefulset',
    description:
      'How client agents run: `statefulset` (as many as `client-replicas`), `daemonset` (one on every node that can run it) or `none`.',
  },
  'client-replicas': {
    parser: wholeNumber(1, 5000),
    default: '10',
    description: 'Number of client agents with `clients: statefulset`, from 1 to 5000.',
  },
  'client-max-unavailable': {
    parser: allowance,
    default: '10%',
    description:
      'How many clients a change replaces at a time, as a count or a share such as `10%`; at least one.',
  },
  recursors: {
    parser: list('IP addresses of DNS servers, each with an optional port', isRecursor),
    default: '',
    description:
      'IP addresses of upstream DNS servers, each with an optional port, for names outside `domain`. One per line or comma-separated.',
  },
  ui: {
    parser: boolean,
    default: 'true',
    description: "Serve Consul's web UI, with a Service for it.",
  },
} as const satisfies Record<string, Input>;
