import type { PlannedChange } from '../../src/report/result/change.ts';
import type { Check, PastRun, Phase, PhaseStep, Result } from '../../src/report/result.ts';
import { cancelled, failure, GHOSTS, planned, success } from '../report/example.ts';

/** A change of the image: three servers and ten clients, one after the other, each waiting for what it waits for. */
function rolled(): Result {
  const step = (name: string, startMs: number, endMs: number, ...waits: [number, string][]): PhaseStep => ({
    ...{ name, startMs, endMs, status: 'passed' },
    ...(waits.length > 0 && { waits: waits.map(([ms, what]) => ({ what, ms })) }),
  });
  const steps = [
    step(
      'consul-server-2',
      1_480,
      6_420,
      [3_100, 'consul-server-2 is not ready: the container has not started yet'],
      [1_200, 'consul-server-2 has 18 entries less than the leader'],
    ),
    step('consul-server-1', 6_420, 11_050, [2_900, 'consul-server-1 is not ready: its agent joins']),
    step(
      'consul-server-0',
      11_050,
      17_300,
      [2_400, 'the leadership is handed over to consul-server-2'],
      [3_000, 'consul-server-0 is not ready: its agent joins'],
    ),
    step('clients 1 to 5 of 10', 17_300, 20_100, [2_600, 'consul-client-7 is not ready']),
    step('clients 6 to 10 of 10', 20_100, 22_700, [2_500, 'consul-client-2 is not ready']),
  ];
  const phase = (name: Phase['name'], startMs: number, endMs: number, rest: Partial<Phase> = {}): Phase => ({
    ...{ name, startMs, endMs, status: 'passed' },
    ...rest,
  });
  const check = (
    group: Check['group'],
    title: string,
    expected: string,
    observed: string,
    durationMs: number,
    status: Check['status'] = 'passed',
  ): Check => ({ id: 'a-check', group, title, expected, observed, durationMs, status });
  const { topology } = success();
  return success({
    durationMs: 26_300,
    leader: 'consul-server-2',
    uiCommand: 'kubectl -n consul port-forward service/consul-ui 8500:80   # http://localhost:8500/ui',
    left: 'The cluster runs what was rendered.',
    serverAddresses: 'service',
    gossip: 'strict',
    tls: { state: 'enforced', issuer: 'consul', until: '2026-05-30T10:00:00Z' },
    phases: [
      phase('read', 0, 12),
      phase('render', 12, 30),
      phase('connect', 30, 420),
      phase('lock', 420, 470),
      phase('dry-run', 470, 1_300),
      phase('apply', 1_300, 22_800, { steps }),
      phase('wait', 22_800, 24_100),
      phase('prove', 22_800, 25_900),
      phase('record', 25_900, 26_200),
    ],
    timings: {
      ...{ 'first-write': 1_310, 'servers-ready': 22_810, 'clients-ready': 24_100, quorum: 22_900 },
      verdict: 25_900,
    },
    checks: [
      check('servers', 'Servers ready', '3 pods of this revision, ready and available', '3 of 3', 5_300),
      check('clients', 'Clients ready', '10 pods of this revision, ready and available', '10 of 10', 6_300),
      check(
        'quorum',
        'Leader',
        'every server names the same leader',
        'consul-server-2 at 10.96.14.51:8300, named by all 3',
        5_900,
      ),
      check('quorum', 'Voters', '3', '3, the same on every server', 5_900),
      check('quorum', 'Failure tolerance', '1 or more, all healthy', 'can lose 1, all healthy', 8_100),
      check(
        'quorum',
        'Members',
        '3 servers and 10 clients alive',
        '3 servers and 10 clients alive; consul-client-old left before',
        6_400,
      ),
      check('quorum', 'Version', '1.22.7 on every server', '1.22.7', 5_900),
      check(
        'quorum',
        'Stable',
        'leader, term, voters and ready pods the same for 10.0 s',
        'for 10.0 s, since the last pod became ready',
        3_000,
      ),
      check(
        'smoke',
        'Key/value',
        'a write, seen on 3 of 3 servers, then deleted',
        'committed in 41 ms, on all servers 13 ms later, deleted',
        700,
      ),
      check(
        'smoke',
        'Service registration and DNS',
        'registered at 10 of 10 clients, seen by a server and in DNS, gone again',
        '10 services, the slowest seen after 38 ms, all gone again',
        900,
      ),
      check('servers', 'Gossip', 'encrypted, at every agent', 'encrypted, at 13 of 13 agents', 800),
      check('servers', 'RPC', 'TLS alone, at every server', 'TLS alone, at 3 of 3 servers', 600),
      check(
        'cluster',
        'As fast as usual',
        'at most three times the median of earlier runs',
        'verdict after 25900 ms (median of 8 runs: 24100 ms)',
        0,
      ),
      check('quorum', 'Same leader', 'consul-server-0, as on 2026-02-28', 'consul-server-2', 0, 'warning'),
    ],
    warnings: ['Same leader: consul-server-2'],
    topology: {
      nodes: [],
      ...topology,
      servers: (topology?.servers ?? []).map((server, index) => ({
        ...server,
        raft: index === 2 ? 'leader' : 'voter',
      })),
    },
    history: runs(24),
    planDigest: success().manifestDigest ?? '',
    plan: [
      {
        ...{ kind: 'StatefulSet', name: 'consul-server', namespace: 'consul', consequence: 'rolls-pods' },
        podCount: 3,
        pods: ['consul-server-2', 'consul-server-1', 'consul-server-0'],
        fields: [image],
        notes: ['one server at a time, the last ordinal first, each only while Raft can do without it'],
      },
      {
        ...{ kind: 'StatefulSet', name: 'consul-client', namespace: 'consul', consequence: 'rolls-pods' },
        podCount: 10,
        fields: [image],
        notes: ['in waves of 5'],
      },
    ],
  });
}

const image = {
  path: '.spec.template.spec.containers[name="consul"].image',
  before: '"hashicorp/consul:1.22.6"',
  after: '"hashicorp/consul:1.22.7"',
};

/** A deploy every fifth day, and a verification every night. */
function runs(many: number): PastRun[] {
  return Array.from({ length: many }, (_, index): PastRun => {
    const isDeploy = (many - 1 - index) % 5 === 0;
    const day = new Date(Date.UTC(2026, 2, 1, 10) - (many - 1 - index) * 86_400_000);
    return {
      at: day.toISOString(),
      mode: isDeploy ? 'deploy' : 'verify',
      changed: isDeploy,
      verdictMs: isDeploy ? 21_000 + ((index * 1_300) % 5_000) : 11_000 + ((index * 700) % 2_600),
      commitMs: 22 + ((index * 11) % 24),
      failedWrites: index === 7 ? 2 : index === 8 ? 1 : 0,
      ...(!isDeploy && { drift: index === 16 || index === 17 ? 2 : index === 11 ? 1 : 0 }),
    };
  });
}

/** The third server finds no node. */
function unschedulable(): Result {
  return failure({
    topology: {
      servers: [
        { name: 'consul-server-0', node: 'worker-1', state: 'ready', raft: 'leader' },
        { name: 'consul-server-1', node: 'worker-2', state: 'unready', raft: 'voter' },
        { name: 'consul-server-2', state: 'missing' },
      ],
      nodes: [
        { node: 'worker-1', clients: 5, ready: 5 },
        { node: 'worker-2', clients: 4, ready: 2 },
      ],
      unscheduled: 1,
    },
    history: runs(6).slice(0, -1),
  });
}

function drifted(): Result {
  const object = { namespace: 'consul', at: '2026-02-28T22:14:09Z' };
  return success({
    mode: 'verify',
    changed: false,
    left: 'Nothing was changed; the record has one run more.',
    drift: [
      {
        ...{ ...object, kind: 'StatefulSet', name: 'consul-client', what: 'changed', by: 'kubectl (scale)' },
        fields: [{ path: '.spec.replicas', before: '10', after: '4' }],
      },
      {
        ...{
          ...object,
          kind: 'ConfigMap',
          name: 'consul-server-config',
          what: 'changed',
          by: 'kubectl-edit',
        },
        fields: [
          {
            path: '.data.10-agent.json',
            before: '  "log_level": "INFO",',
            after: '  "log_level": "TRACE",\n  "ui": true,',
          },
        ],
      },
      { kind: 'Service', name: 'consul-ui', namespace: 'consul', what: 'missing', fields: [] },
    ],
    ghosts: GHOSTS,
    history: runs(12).map((run) => ({ ...run, mode: 'verify', changed: false })),
  });
}

/** 500 clients on 250 nodes, and a thousand differences. */
export function many(): Result {
  const nodes = Array.from({ length: 100 }, (_, index) => ({
    node: `ip-10-0-${index}-17.eu-central-1.compute.internal`,
    clients: 2,
    ready: index < 3 ? 1 : 2,
  }));
  const fields = Array.from({ length: 50 }, (_, index) => ({
    path: `.spec.template.spec.containers[name="consul"].env[name="SETTING_${index}"].value`,
    before: JSON.stringify('before '.repeat(40)),
    after: JSON.stringify('after '.repeat(40)),
  }));
  const change = (index: number): PlannedChange => ({
    ...{ kind: 'ConfigMap', name: `settings-of-team-${index}`, namespace: 'consul' },
    ...{ consequence: 'in-place', fields, notes: ['read by the pods of StatefulSet/consul-client'] },
  });
  return success({
    clientsReady: 497,
    clientsDesired: 500,
    topology: {
      servers: Array.from({ length: 5 }, (_, index) => ({
        name: `consul-server-${index}`,
        node: `ip-10-0-${index}-17.eu-central-1.compute.internal`,
        state: 'ready',
        raft: index === 3 ? 'leader' : 'voter',
      })),
      nodes: [...nodes.slice(0, 99), { node: 'one-big-node', clients: 70, ready: 68 }],
      rest: { nodes: 150, clients: 300, ready: 300 },
    },
    phases: success().phases.map((phase) =>
      phase.name === 'apply'
        ? {
            ...phase,
            steps: Array.from({ length: 500 }, (_, index) => ({
              ...{
                name: `consul-client-${index}`,
                startMs: 640 + index,
                endMs: 700 + index,
                status: 'passed',
              },
              waits: [{ what: `consul-client-${index} is not ready: its agent joins`, ms: 50 }],
            })),
          }
        : phase,
    ),
    plan: Array.from({ length: 1_000 }, (_, index) => change(index)),
    drift: Array.from({ length: 1_000 }, (_, index) => ({
      ...{
        kind: 'ConfigMap',
        name: `settings-of-team-${index}`,
        what: 'changed',
        fields: fields.slice(0, 2),
      },
    })),
    objects: Array.from({ length: 2_000 }, (_, index) => ({
      ...{ kind: 'ConfigMap', name: `settings-of-team-${index}`, namespace: 'consul', action: 'changed' },
    })),
    warnings: Array.from({ length: 500 }, (_, index) => `warning ${index}: ${'words '.repeat(60)}`),
    history: runs(30),
  });
}

/** Everything that the page can show, for whoever looks at it. */
export const PAGES: Record<string, () => Result> = {
  green: rolled,
  red: unschedulable,
  cancelled,
  plan: planned,
  drift: drifted,
  many,
};
