import { choice } from '../parser/choice.ts';
import { fragment } from '../parser/fragment.ts';
import { subdomain } from '../parser/name.ts';
import { optional } from '../parser/parser.ts';
import { patches } from '../parser/patch.ts';
import { resources } from '../parser/resources.ts';
import { storage } from '../parser/storage.ts';
import { line } from '../parser/text.ts';
import type { Input } from './input.ts';

/** What its objects look like. */
export const SHAPE = {
  'server-storage': {
    parser: storage,
    default: '10Gi',
    description:
      "Size of each server's volume, or `ephemeral`: without a volume a server that is replaced loses its data. A bigger size later grows the volumes where their StorageClass allows it.",
  },
  'storage-class': {
    parser: optional(subdomain),
    default: '',
    description: "StorageClass of the servers' volumes. Without it: the cluster's default.",
  },
  'server-addresses': {
    parser: choice(['auto', 'service', 'pod']),
    default: 'auto',
    description:
      'Which address a server advertises: that of its own Service, which stays when its pod is replaced (`service`), or that of its pod (`pod`). `auto` keeps what a cluster has.',
  },
  'server-resources': {
    parser: resources,
    default: '{"requests":{"cpu":"100m","memory":"256Mi"},"limits":{"memory":"512Mi"}}',
    description:
      'Requests and limits of a server, as YAML; replaces the default whole. No CPU limit on purpose: throttling costs elections.',
  },
  'client-resources': {
    parser: resources,
    default: '{"requests":{"cpu":"20m","memory":"64Mi"},"limits":{"memory":"256Mi"}}',
    description: 'Requests and limits of a client agent, as YAML; replaces the default whole.',
  },
  'server-config': {
    parser: optional(fragment),
    default: '',
    description:
      'Agent configuration for servers, as JSON or HCL, which Consul merges over that of the action. With a gossip key, a token or another secret in it, it goes into a Secret instead of the ConfigMap.',
    confidential: true,
  },
  'client-config': {
    parser: optional(fragment),
    default: '',
    description:
      'Agent configuration for client agents, as JSON or HCL, which Consul merges over that of the action. With a secret in it, it goes into a Secret instead of the ConfigMap.',
    confidential: true,
  },
  patches: {
    parser: patches,
    default: '',
    description:
      'Changes to the rendered objects: a YAML list of `{target: {kind, name}, merge: {…}}` (JSON merge patch) or `{target: {kind, name}, operations: […]}` (JSON patch).',
    confidential: true,
  },
  'post-render': {
    parser: optional(line('a command')),
    default: '',
    description:
      'Command that takes the rendered YAML on standard input and gives the YAML to apply on standard output, as post-renderers of Helm do.',
    confidential: true,
  },
} as const satisfies Record<string, Input>;
