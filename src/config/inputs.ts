import type * as z from 'zod';
import { FAULTS } from './config.ts';
import { allowance } from './parser/allowance.ts';
import { boolean } from './parser/boolean.ts';
import { choice } from './parser/choice.ts';
import { duration } from './parser/duration.ts';
import { fragment } from './parser/fragment.ts';
import { image } from './parser/image.ts';
import { kubeconfig } from './parser/kubeconfig.ts';
import { list } from './parser/list.ts';
import { datacenter, domain, namespaceName, objectPrefix, subdomain } from './parser/name.ts';
import { wholeNumber } from './parser/number.ts';
import { optional, type Parser } from './parser/parser.ts';
import { patches } from './parser/patch.ts';
import { isRecursor } from './parser/recursor.ts';
import { resources } from './parser/resources.ts';
import { storage } from './parser/storage.ts';
import { glob, isFieldGlob, isObjectGlob, isServiceId, line, planDigest } from './parser/text.ts';
import { words } from './parser/words.ts';

/** The groups of the documentation, in its order. */
export const INPUT_GROUPS = ['what to do', 'where', 'cluster', 'shape', 'safety', 'proof', 'report'] as const;

export interface Input {
  readonly group: (typeof INPUT_GROUPS)[number];
  readonly parser: Parser<unknown>;
  /** As action.yml carries it; empty where there is none. */
  readonly default: string;
  /** Markdown, one line. */
  readonly description: string;
  /** The value may hold a secret: no message repeats it. */
  readonly confidential?: true;
}

const SECOND = 1000;
const DAY = 24 * 60 * 60 * SECOND;

/** Every input by its name. action.yml and the tables of docs/inputs.md say the same, and tests hold them to it. */
export const INPUTS = {
  mode: {
    group: 'what to do',
    parser: choice(['deploy', 'plan', 'verify', 'sweep', 'destroy', 'render']),
    default: 'deploy',
    description:
      '`deploy` brings the cluster to what the inputs say and proves that it works; `plan` shows what a deploy would change and writes nothing; `verify` proves that the cluster works and still is what was deployed; `sweep` finds ghosts in the catalog, and removes them with `sweep-apply`; `destroy` removes what was deployed; `render` writes the Kubernetes objects as YAML and needs no cluster.',
  },
  timeout: {
    group: 'what to do',
    parser: duration(SECOND, DAY),
    default: '10m',
    description: 'The deadline of the whole run, such as `90s`, `10m` or `1h30m`.',
  },
  'stable-for': {
    group: 'what to do',
    parser: duration(0, DAY),
    default: '10s',
    description:
      'How long leader, term, voters and the readiness of every pod have to stay as they are before the cluster counts as proven. Less than `timeout`.',
  },

  kubeconfig: {
    group: 'where',
    parser: kubeconfig,
    default: '',
    description:
      'Path to a kubeconfig, or a kubeconfig as one line of base64 (`base64 -w0`). Without it: the environment variable `KUBECONFIG`, then the service account of the pod the runner is in.',
    confidential: true,
  },
  context: {
    group: 'where',
    parser: optional(line('the name of a context of the kubeconfig')),
    default: '',
    description: "Context of the kubeconfig. Without it: the kubeconfig's current context.",
  },
  namespace: {
    group: 'where',
    parser: namespaceName,
    default: 'consul',
    description: 'Namespace to deploy to.',
  },
  'create-namespace': {
    group: 'where',
    parser: boolean,
    default: 'true',
    description: 'Create the namespace where it is missing.',
  },
  'expect-cluster': {
    group: 'where',
    parser: optional(glob),
    default: '',
    description:
      "Glob that the API server's URL or the context's name has to match, such as `*staging*`. One that begins with `!`, such as `!*production*`, has to hold for both. A guard against deploying to the wrong cluster.",
  },

  name: {
    group: 'cluster',
    parser: objectPrefix,
    default: 'consul',
    description: 'Prefix of the names of all objects: `consul` makes `consul-server` and `consul-client`.',
  },
  image: {
    group: 'cluster',
    parser: image,
    default: 'hashicorp/consul:1.22.7',
    description: 'Image of servers and clients, by tag or digest. Consul 1.20 or later.',
  },
  datacenter: {
    group: 'cluster',
    parser: datacenter,
    default: 'dc1',
    description: 'Name of the Consul datacenter.',
  },
  domain: {
    group: 'cluster',
    parser: domain,
    default: 'consul',
    description: 'DNS domain that Consul answers for.',
  },
  servers: {
    group: 'cluster',
    parser: choice(['1', '3', '5']),
    default: '3',
    description: 'Number of servers: 1, 3 or 5. Each needs a node of its own.',
  },
  clients: {
    group: 'cluster',
    parser: choice(['statefulset', 'daemonset', 'none']),
    default: 'statefulset',
    description:
      'How client agents run: `statefulset` (as many as `client-replicas`), `daemonset` (one on every node that can run it) or `none`.',
  },
  'client-replicas': {
    group: 'cluster',
    parser: wholeNumber(1, 5000),
    default: '10',
    description: 'Number of client agents with `clients: statefulset`, from 1 to 5000.',
  },
  'client-max-unavailable': {
    group: 'cluster',
    parser: allowance,
    default: '10%',
    description:
      'How many clients a change replaces at a time, as a count or a share such as `10%`; at least one.',
  },
  recursors: {
    group: 'cluster',
    parser: list('IP addresses of DNS servers, each with an optional port', isRecursor),
    default: '',
    description:
      'IP addresses of upstream DNS servers, each with an optional port, for names outside `domain`. One per line or comma-separated.',
  },
  ui: {
    group: 'cluster',
    parser: boolean,
    default: 'true',
    description: "Serve Consul's web UI, with a Service for it.",
  },

  'server-storage': {
    group: 'shape',
    parser: storage,
    default: '10Gi',
    description:
      "Size of each server's volume, or `ephemeral`: without a volume a server that is replaced loses its data. A bigger size later grows the volumes where their StorageClass allows it.",
  },
  'storage-class': {
    group: 'shape',
    parser: optional(subdomain),
    default: '',
    description: "StorageClass of the servers' volumes. Without it: the cluster's default.",
  },
  'server-addresses': {
    group: 'shape',
    parser: choice(['auto', 'service', 'pod']),
    default: 'auto',
    description:
      'Which address a server advertises: that of its own Service, which stays when its pod is replaced (`service`), or that of its pod (`pod`). `auto` keeps what a cluster has.',
  },
  'server-resources': {
    group: 'shape',
    parser: resources,
    default: '{"requests":{"cpu":"100m","memory":"256Mi"},"limits":{"memory":"512Mi"}}',
    description:
      'Requests and limits of a server, as YAML; replaces the default whole. No CPU limit on purpose: throttling costs elections.',
  },
  'client-resources': {
    group: 'shape',
    parser: resources,
    default: '{"requests":{"cpu":"20m","memory":"64Mi"},"limits":{"memory":"256Mi"}}',
    description: 'Requests and limits of a client agent, as YAML; replaces the default whole.',
  },
  'server-config': {
    group: 'shape',
    parser: optional(fragment),
    default: '',
    description:
      'Agent configuration for servers, as JSON or HCL, which Consul merges over that of the action. With a gossip key, a token or another secret in it, it goes into a Secret instead of the ConfigMap.',
    confidential: true,
  },
  'client-config': {
    group: 'shape',
    parser: optional(fragment),
    default: '',
    description:
      'Agent configuration for client agents, as JSON or HCL, which Consul merges over that of the action. With a secret in it, it goes into a Secret instead of the ConfigMap.',
    confidential: true,
  },
  patches: {
    group: 'shape',
    parser: patches,
    default: '',
    description:
      'Changes to the rendered objects: a YAML list of `{target: {kind, name}, merge: {…}}` (JSON merge patch) or `{target: {kind, name}, operations: […]}` (JSON patch).',
    confidential: true,
  },
  'post-render': {
    group: 'shape',
    parser: optional(line('a command')),
    default: '',
    description:
      'Command that takes the rendered YAML on standard input and gives the YAML to apply on standard output, as post-renderers of Helm do.',
    confidential: true,
  },

  'force-conflicts': {
    group: 'safety',
    parser: list('globs of Kind/name:field.path', isFieldGlob),
    default: '',
    description:
      'Fields to take over from other field managers, as globs of `Kind/name:field.path`. One per line or comma-separated.',
  },
  adopt: {
    group: 'safety',
    parser: choice(['if-unowned', 'never', 'always']),
    default: 'if-unowned',
    description:
      'What to do with objects that exist and were not deployed by this action: `if-unowned` takes over those that nobody but `kubectl apply` claims, `never` none, `always` also those of other tools.',
  },
  'expect-plan': {
    group: 'safety',
    parser: optional(planDigest),
    default: '',
    description:
      'The output `plan-digest` of a plan that was approved. The deploy computes its plan again, and where anything differs it applies nothing and shows the difference.',
  },
  'allow-data-loss': {
    group: 'safety',
    parser: list('globs of Kind/name', isObjectGlob),
    default: '',
    description:
      'Objects with which a deploy may lose data, as globs of `Kind/name`. One per line or comma-separated. Without it, what a plan classes as data loss is refused before the first write.',
  },
  prune: {
    group: 'safety',
    parser: boolean,
    default: 'true',
    description:
      'Remove objects that an earlier deploy made and that are no longer rendered, after the cluster is proven. Namespaces and volume claims are never removed, nor Secrets but those of agent configuration.',
  },
  'max-prune': {
    group: 'safety',
    parser: allowance,
    default: '30%',
    description:
      'How much of the inventory one deploy may remove: a count such as `3` or a share such as `30%`. What is more needs a higher limit.',
  },
  'on-drift': {
    group: 'safety',
    parser: choice(['fail', 'report']),
    default: 'fail',
    description: 'What `verify` does about drift: `fail` the run, or only `report` it.',
  },
  confirm: {
    group: 'safety',
    parser: optional(line('the name of the cluster')),
    default: '',
    description: 'For `destroy`: the value of `name`, as a sign that this cluster is meant.',
  },
  'destroy-data': {
    group: 'safety',
    parser: boolean,
    default: 'false',
    description: "For `destroy`: remove the servers' volume claims too, and with them all data.",
  },
  'sweep-apply': {
    group: 'safety',
    parser: boolean,
    default: 'false',
    description:
      'For `sweep`: remove what was found, and prove that it stays away. Without it the ghosts are only listed.',
  },
  deregister: {
    group: 'safety',
    parser: list('ids of services, other than consul', isServiceId),
    default: '',
    description:
      'For `sweep`: ids of services to remove at every agent that holds them, also where a live agent announces them. One per line or comma-separated.',
  },
  lock: {
    group: 'safety',
    parser: boolean,
    default: 'true',
    description: 'Hold a Lease during the run, so that two runs do not change one cluster at once.',
  },
  'move-registrations': {
    group: 'safety',
    parser: boolean,
    default: 'false',
    description:
      'For `deploy`: move services that are registered at servers to client agents, after the proof, with no moment without a healthy instance.',
  },

  smoke: {
    group: 'proof',
    parser: boolean,
    default: 'true',
    description: 'Prove a write: a key is written, read back from every server and deleted.',
  },
  'smoke-service': {
    group: 'proof',
    parser: boolean,
    default: 'true',
    description:
      'Prove a registration: a service is registered at client agents, seen in the catalog and deregistered.',
  },
  'smoke-dns': {
    group: 'proof',
    parser: boolean,
    default: 'true',
    description: "Prove that Consul's DNS answers for that service. Needs `smoke-service`.",
  },
  'max-unready-clients': {
    group: 'proof',
    parser: allowance,
    default: '0',
    description: 'How many client agents may be missing: a count such as `2` or a share such as `10%`.',
  },
  chaos: {
    group: 'proof',
    parser: words(FAULTS),
    default: '',
    description:
      'For `verify`: what to break on purpose once all is proven, to see it heal by itself: `delete-server` (the pod of a follower), `delete-leader`, `delete-client`. One per line or comma-separated, one after the other in that order.',
  },

  summary: {
    group: 'report',
    parser: boolean,
    default: 'true',
    description: 'Write the step summary.',
  },
  'report-path': {
    group: 'report',
    parser: optional(line('a path')),
    default: '',
    description:
      'File to write the JSON report to, in the workspace or the temporary directory of the runner.',
  },
  'junit-path': {
    group: 'report',
    parser: optional(line('a path')),
    default: '',
    description:
      'File to write the checks and the verdict to as JUnit XML, in the workspace or the temporary directory of the runner.',
  },
  'manifests-path': {
    group: 'report',
    parser: optional(line('a path')),
    default: '',
    description:
      'File to write the rendered YAML to, in the workspace or the temporary directory of the runner. `render` writes `consul-manifests.yaml` in the workspace without it. Secrets go into a file beside it, such as `consul-manifests.secrets.yaml`, which only the user of the runner can read.',
  },
  'log-level': {
    group: 'report',
    parser: choice(['quiet', 'info', 'debug']),
    default: 'info',
    description: 'How much the log says: `quiet`, `info` or `debug`.',
  },
} as const satisfies Record<string, Input>;

export type InputName = keyof typeof INPUTS;

/** The parsed value of every input. */
export type InputValues = { [Name in InputName]: z.output<(typeof INPUTS)[Name]['parser']> };

export const INPUT_NAMES = Object.keys(INPUTS) as InputName[];
