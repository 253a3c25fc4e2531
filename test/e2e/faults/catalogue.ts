import { selfSigned } from '../../certificate.ts';
import { CLIENTS, CONTAINER, meddle, SERVERS, type Told, type Workload } from '../run/scenario.ts';

/** Inputs that lead to a fault, and what the run has to say about it. */
export interface Fault {
  name: string;
  /** Part of the namespace's name. */
  scenario: string;
  /** `patches` as objects, the others as text. */
  inputs: Record<string, string | object[]>;
  reason: string;
  told: Told & { what: string | RegExp };
  /** What stands in the summary besides. */
  evidence?: string;
  /** The words of `told.what` are in the log of the pod. */
  said?: true;
}

/** The inputs of a fault, as a workflow would give them. */
export function inputsOf({ inputs }: Fault): Record<string, string> {
  const texts = Object.entries(inputs).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ]);
  return Object.fromEntries(texts);
}

function replace(target: Workload, path: string, value: unknown) {
  return { target, operations: [{ op: 'replace', path: `${CONTAINER}/${path}`, value }] };
}

function add(target: Workload, path: string, value: unknown) {
  return { target, operations: [{ op: 'add', path, value }] };
}

function dataVolume(emptyDir: object) {
  return {
    target: SERVERS,
    operations: [{ op: 'replace', path: '/spec/template/spec/volumes/1', value: { name: 'data', emptyDir } }],
  };
}

const PEM = '/consul/data/tls.pem';

/** Traffic between agents is encrypted, and both sides have to show a certificate of this authority. */
const TLS = JSON.stringify({
  tls: {
    internal_rpc: {
      ca_file: PEM,
      cert_file: PEM,
      key_file: PEM,
      verify_incoming: true,
      verify_outgoing: true,
    },
  },
});

/** A certificate that is its own authority, where the agents look for it. */
function certified(target: Workload) {
  const { key, cert } = selfSigned('server.dc1.consul');
  return meddle(target, `printf %s '${cert}${key}' >${PEM}`);
}

/** One fault of the clients alone: the servers are ready all the while. */
export const OF_CLIENTS: readonly Fault[] = [
  {
    name: 'a container that ends with 3 each time',
    scenario: 'crash',
    inputs: { patches: [meddle(CLIENTS, 'echo giving up; exit 3')] },
    reason: 'crash',
    told: { what: /exit code 3, [3-5] times/, where: /^Pod\/consul-client-\d$/, hint: 'log' },
    evidence: 'log: giving up',
  },
  {
    name: 'a memory limit that is too small',
    scenario: 'oom',
    inputs: { 'client-resources': '{"limits":{"memory":"12Mi"}}' },
    reason: 'out-of-memory',
    told: {
      what: 'killed for taking more memory',
      where: /^Pod\/consul-client-\d$/,
      hint: 'client-resources',
    },
  },
  {
    name: 'a program that the image does not hold',
    scenario: 'no-program',
    inputs: { patches: [add(CLIENTS, `${CONTAINER}/command`, ['/no/such/program'])] },
    reason: 'broken-container',
    told: { what: '/no/such/program', where: /^Pod\/consul-client-\d$/, hint: '`patches`' },
  },
  {
    name: 'a Secret in the environment that is not there',
    scenario: 'no-secret',
    inputs: {
      patches: [
        add(CLIENTS, `${CONTAINER}/env/-`, {
          name: 'A',
          valueFrom: { secretKeyRef: { name: 'nobody-made', key: 'a' } },
        }),
      ],
    },
    reason: 'missing-reference',
    told: { what: 'secret "nobody-made" not found', where: /^Pod\/consul-client-\d$/, hint: 'Create it' },
  },
  {
    name: 'a ConfigMap to mount that is not there',
    scenario: 'no-configmap',
    inputs: {
      patches: [
        {
          target: CLIENTS,
          operations: [
            {
              op: 'add',
              path: '/spec/template/spec/volumes/-',
              value: { name: 'x', configMap: { name: 'nobody-made' } },
            },
            { op: 'add', path: `${CONTAINER}/volumeMounts/-`, value: { name: 'x', mountPath: '/x' } },
          ],
        },
      ],
    },
    reason: 'missing-reference',
    told: { what: 'configmap "nobody-made" not found', where: /^Pod\/consul-client-\d$/, hint: 'Create it' },
  },
  {
    name: 'more processors than any node has',
    scenario: 'too-big',
    inputs: { 'client-resources': '{"requests":{"cpu":"64"}}' },
    reason: 'unschedulable',
    told: { what: /2 pods .*Insufficient cpu/, where: 'Pod/consul-client-0', hint: 'client-resources' },
  },
  {
    name: 'a node selector that no node meets',
    scenario: 'no-node',
    inputs: { patches: [add(CLIENTS, '/spec/template/spec/nodeSelector', { nobody: 'has' })] },
    reason: 'unschedulable',
    told: { what: /didn't match Pod's node affinity\/selector/, where: 'Pod/consul-client-0', hint: 'Label' },
  },
  {
    name: 'a readiness probe that never passes',
    scenario: 'probe',
    inputs: { patches: [replace(CLIENTS, 'readinessProbe/httpGet/path', '/nowhere')] },
    reason: 'not-ready',
    told: { what: /Readiness probe failed.*404/, where: 'Pod/consul-client-0', hint: 'probe' },
  },
  {
    name: 'another gossip key',
    scenario: 'gossip-key',
    inputs: { 'client-config': '{"encrypt":"pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s="}' },
    reason: 'gossip-key',
    told: { what: 'remote state is not encrypted', where: /^Pod\/consul-client-\d$/, hint: '`encrypt`' },
  },
  {
    name: 'a datacenter of their own',
    scenario: 'datacenter',
    inputs: { 'client-config': '{"datacenter":"dc9"}' },
    reason: 'wrong-datacenter',
    told: { what: 'part of wrong datacenter', where: /^Pod\/consul-client-\d$/, hint: '`datacenter`' },
  },
  {
    name: 'a key of their configuration that Consul does not know',
    scenario: 'client-config',
    inputs: { 'client-config': '{"nonsense_key":true}' },
    reason: 'invalid-config',
    told: {
      what: 'invalid config key nonsense_key',
      where: /^Pod\/consul-client-\d$/,
      hint: 'client-config',
    },
  },
  {
    name: 'no TLS, which the servers ask for',
    scenario: 'no-tls',
    inputs: { 'server-config': TLS, patches: [certified(SERVERS)] },
    reason: 'tls',
    told: {
      what: /consul-server-\d says of it: .*Non-TLS connection/,
      where: /^Pod\/consul-client-\d$/,
      hint: 'certificates',
    },
  },
  {
    name: 'a certificate of another authority than that of the servers',
    scenario: 'other-tls',
    inputs: { 'server-config': TLS, 'client-config': TLS, patches: [certified(SERVERS), certified(CLIENTS)] },
    reason: 'tls',
    // Whoever of them says so first.
    told: {
      what: 'signed by unknown authority',
      where: /^Pod\/consul-(server|client)-\d$/,
      hint: 'certificates',
    },
  },
  {
    name: 'one node name for all of them',
    scenario: 'same-name',
    inputs: { patches: [meddle(CLIENTS, 'set -- "$@" -node=same')] },
    reason: 'node-conflict',
    told: { what: /name conflict|[Nn]ode name/, where: /^Pod\/consul-client-\d$/, hint: 'same name' },
  },
];

/** A fault of the servers: the run does not wait for all of them to show it. */
export const OF_SERVERS: readonly Fault[] = [
  {
    name: 'a key of their configuration that Consul does not know',
    scenario: 'server-config',
    said: true,
    inputs: { 'server-config': '{"nonsense_key":true}' },
    reason: 'invalid-config',
    told: {
      what: 'invalid config key nonsense_key',
      where: /^Pod\/consul-server-\d$/,
      hint: 'server-config',
    },
  },
  {
    name: 'data of a server that was away for too long',
    scenario: 'stale-data',
    said: true,
    inputs: {
      patches: [meddle(SERVERS, 'echo \'{"last_seen_unix":1}\' >/consul/data/server_metadata.json')],
    },
    reason: 'stale-data',
    told: { what: 'refusing to rejoin', where: /^Pod\/consul-server-\d$/, hint: 'delete its volume claim' },
  },
  {
    name: 'a data volume that is full',
    scenario: 'full',
    inputs: {
      patches: [
        // Without what a start before has left half written, which would be complained about instead.
        meddle(SERVERS, 'rm -f /consul/data/node-id; dd if=/dev/zero of=/consul/data/fill bs=1k 2>/dev/null'),
        dataVolume({ medium: 'Memory', sizeLimit: '1Mi' }),
      ],
    },
    reason: 'disk-full',
    told: { what: 'no space left on device', where: /^Pod\/consul-server-\d$/, hint: 'larger' },
  },
  {
    name: 'one among them that nobody can reach',
    scenario: 'cut-off',
    inputs: {
      // The others have a quorum without it.
      'server-config': '{"bootstrap_expect":2}',
      patches: [
        // At another port, and it looks for nobody itself.
        meddle(
          SERVERS,
          '[ "$POD_NAME" != consul-server-2 ] || set -- agent -node="$POD_NAME" -advertise="$POD_IP" -serf-lan-port=9301',
        ),
      ],
    },
    reason: 'cut-off',
    told: {
      what: 'consul-server-2: it sees no leader, while others follow',
      where: 'Pod/consul-server-2',
      hint: '8301',
    },
  },
];
