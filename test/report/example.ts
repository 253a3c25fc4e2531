import type { Topology } from '../../src/report/result/topology.ts';
import type { Check, GhostReport, PastRun, Result } from '../../src/report/result.ts';

const digest = 'sha256:5c1f2b0c9d7e4a3f8b6a1d2e3c4f5061728394a5b6c7d8e9f0a1b2c3d4e5f607';

function check(
  id: string,
  group: Check['group'],
  title: string,
  expected: string,
  rest: Partial<Check> = {},
): Check {
  return { id, group, title, expected, observed: expected, status: 'passed', durationMs: 1000, ...rest };
}

function helpOn(reason: string): string {
  return `https://github.com/org/consul-deploy/blob/v0.1.0/docs/troubleshooting.md#${reason}`;
}

/** Three servers on three nodes, with clients beside them. */
const TOPOLOGY: Topology = {
  servers: [
    { name: 'consul-server-0', node: 'worker-1', state: 'ready', raft: 'leader' },
    { name: 'consul-server-1', node: 'worker-2', state: 'ready', raft: 'voter' },
    { name: 'consul-server-2', node: 'worker-3', state: 'ready', raft: 'voter' },
  ],
  nodes: [
    { node: 'worker-1', clients: 4, ready: 4 },
    { node: 'worker-2', clients: 3, ready: 3 },
    { node: 'worker-3', clients: 3, ready: 3 },
  ],
};

/** Deploys and nightly verifications; the last one is the run of these examples. */
const HISTORY: PastRun[] = [
  ...Array.from(
    { length: 9 },
    (_, day): PastRun => ({
      at: `2026-02-${19 + day}T03:17:00.000Z`,
      mode: day % 3 === 0 ? 'deploy' : 'verify',
      changed: day % 3 === 0,
      verdictMs: 7_000 + ((day * 1_700) % 5_000),
      ...(day !== 4 && { commitMs: 20 + ((day * 7) % 30), failedWrites: day === 6 ? 2 : 0 }),
      ...(day % 3 !== 0 && { drift: day === 5 ? 3 : 0 }),
    }),
  ),
  {
    at: '2026-03-01T10:00:00.000Z',
    mode: 'deploy',
    changed: true,
    verdictMs: 8201,
    commitMs: 41,
    failedWrites: 0,
  },
];

/** A deploy as it should be. */
export function success(rest: Partial<Result> = {}): Result {
  return {
    schemaVersion: 1,
    mode: 'deploy',
    result: 'success',
    left: 'running the new configuration, nothing pending',
    startedAt: '2026-03-01T10:00:00.000Z',
    durationMs: 8412,
    cluster: { server: 'https://10.0.0.1:6443', context: 'staging', version: 'v1.36.1' },
    namespace: 'consul',
    name: 'consul',
    changed: true,
    manifestDigest: digest,
    image: `docker.io/hashicorp/consul@${digest}`,
    consulVersion: '1.22.7',
    leader: 'consul-server-0',
    voters: 3,
    clientsReady: 10,
    clientsDesired: 10,
    topology: TOPOLOGY,
    history: HISTORY,
    uiCommand: 'kubectl --context staging -n consul port-forward svc/consul-ui 8500:80',
    phases: [
      { name: 'read', startMs: 0, endMs: 12, status: 'passed' },
      { name: 'connect', startMs: 12, endMs: 310, status: 'passed' },
      { name: 'render', startMs: 310, endMs: 325, status: 'passed' },
      { name: 'lock', startMs: 325, endMs: 371, status: 'passed' },
      { name: 'dry-run', startMs: 371, endMs: 640, status: 'passed' },
      { name: 'apply', startMs: 640, endMs: 1290, status: 'passed' },
      { name: 'wait', startMs: 1290, endMs: 5920, status: 'passed' },
      { name: 'prove', startMs: 2100, endMs: 8201, status: 'passed' },
      { name: 'finish', startMs: 8201, endMs: 8412, status: 'passed' },
    ],
    checks: [
      check('servers-ready', 'servers', 'Servers ready', '3 of 3', { durationMs: 3180 }),
      check('clients-ready', 'clients', 'Clients ready', '10 of 10', { durationMs: 4630 }),
      check('quorum-leader', 'quorum', 'One leader', 'the same on 3 servers', {
        observed: 'consul-server-0 on 3 servers',
      }),
      check('quorum-voters', 'quorum', 'Voters', '3', { durationMs: 2100 }),
      check('version', 'quorum', 'Version', '1.22.7', { durationMs: 84 }),
      check('smoke-kv', 'smoke', 'KV write seen on every server', 'index on 3 servers', { durationMs: 41 }),
      check('smoke-service', 'smoke', 'Service registered, seen, gone', '10 clients', { durationMs: 760 }),
      check('smoke-dns', 'smoke', 'Service in DNS', 'an answer', {
        status: 'skipped',
        observed: '',
        durationMs: 0,
      }),
    ],
    objects: [
      { kind: 'Namespace', name: 'consul', action: 'unchanged' },
      { kind: 'ConfigMap', name: 'consul-server', namespace: 'consul', action: 'changed' },
      { kind: 'Service', name: 'consul-server', namespace: 'consul', action: 'created' },
      { kind: 'StatefulSet', name: 'consul-server', namespace: 'consul', action: 'created' },
    ],
    warnings: [],
    timings: {
      'first-write': 645,
      'servers-ready': 4470,
      'clients-ready': 5920,
      quorum: 5020,
      verdict: 8201,
    },
    ...rest,
  };
}

/** The third server cannot be scheduled. */
export function failure(rest: Partial<Result> = {}): Result {
  const { leader: _leader, voters: _voters, ...base } = success();
  return {
    ...base,
    result: 'failure',
    durationMs: 600_000,
    left: 'running what was applied; the lock is released',
    failure: {
      reason: 'timeout',
      what: 'consul-server-2 did not become ready within 10 min',
      where: 'Pod/consul-server-2',
      hint: 'Free 100m of CPU on a third node, or ask for fewer servers.',
      help: helpOn('timeout'),
      details: ['FailedScheduling: 0/3 nodes are available: 1 Insufficient cpu', 'consul-server-2: Pending'],
    },
    phases: base.phases.map((phase) =>
      phase.name === 'wait' ? { ...phase, endMs: 600_000, status: 'failed' } : phase,
    ),
    checks: [
      check('clients-ready', 'clients', 'Clients ready', '10 of 10', { durationMs: 4630 }),
      check('quorum-voters', 'quorum', 'Voters', '3', {
        status: 'pending',
        observed: '2',
        durationMs: 597_000,
      }),
      check('servers-ready', 'servers', 'Servers ready', '3 of 3', {
        status: 'failed',
        observed: '2 of 3: consul-server-2 is Pending',
        durationMs: 598_710,
      }),
    ],
    warnings: ['server-storage is ephemeral: a server that loses its node loses its data'],
    ...rest,
  };
}

export function cancelled(rest: Partial<Result> = {}): Result {
  const { failure: _failure, ...base } = failure();
  return {
    ...base,
    result: 'cancelled',
    durationMs: 12_300,
    failure: {
      reason: 'cancelled',
      what: 'the run was cancelled',
      help: helpOn('cancelled'),
      details: [],
    },
    phases: base.phases
      .filter(({ startMs }) => startMs < 2000)
      .map((phase) => (phase.status === 'failed' ? { ...phase, endMs: 12_300 } : phase)),
    checks: base.checks.map((entry) =>
      entry.status === 'passed' ? entry : { ...entry, status: 'pending', durationMs: 11_010 },
    ),
    timings: { 'first-write': 645, 'clients-ready': 5920 },
    ...rest,
  };
}

/** Of each consequence one object. */
export function planned(rest: Partial<Result> = {}): Result {
  const { leader: _l, voters: _v, clientsReady: _r, clientsDesired: _d, uiCommand: _u, ...base } = success();
  const object = { namespace: 'consul', fields: [], notes: [] };
  return {
    ...base,
    mode: 'plan',
    left: 'Nothing was changed.',
    planDigest: digest,
    checks: [],
    objects: [],
    phases: base.phases.filter(({ endMs }) => endMs <= 640),
    durationMs: 640,
    timings: {},
    plan: [
      {
        ...object,
        kind: 'PersistentVolumeClaim',
        name: 'old',
        consequence: 'data-loss',
        notes: ['the volume and what is on it go with it'],
      },
      { ...object, kind: 'Service', name: 'old', consequence: 'delete' },
      {
        ...object,
        kind: 'StatefulSet',
        name: 'consul-server',
        consequence: 'recreate',
        podCount: 3,
        pods: ['consul-server-2', 'consul-server-1', 'consul-server-0'],
        notes: ['one server at a time, the last ordinal first, each only while Raft can do without it'],
      },
      {
        ...object,
        kind: 'StatefulSet',
        name: 'consul-client',
        consequence: 'rolls-pods',
        podCount: 2,
        pods: ['consul-client-1', 'consul-client-0'],
        fields: [
          {
            path: '.spec.template.spec.containers[name="consul"].image',
            before: '"consul:1.22.6"',
            after: '"consul:1.22.7"',
          },
          { path: '.spec.minReadySeconds', after: '10' },
        ],
        notes: ['by the controller, the last ordinal first, 1 at a time'],
      },
      { ...object, kind: 'DaemonSet', name: 'agents', consequence: 'rolls-pods', podCount: 4 },
      { ...object, kind: 'ConfigMap', name: 'new', consequence: 'create' },
      {
        ...object,
        kind: 'ConfigMap',
        name: 'consul-client-config',
        consequence: 'in-place',
        fields: [{ path: '.data.10-agent.json', before: '  "a": 1,', after: '  "a": 2,\n  "b": 3,' }],
        notes: ['read by the pods of StatefulSet/consul-client'],
      },
      {
        ...object,
        kind: 'ServiceAccount',
        name: 'consul-client',
        consequence: 'metadata',
        fields: [{ path: '.metadata.labels.team', before: '"a"' }],
      },
      { ...object, kind: 'ServiceAccount', name: 'consul-server', consequence: 'none' },
    ],
    ...rest,
  };
}

/** What a hostile or broken container may put into a status message. */
export const HOSTILE: Record<string, string> = {
  command: 'back-off\n::error::owned\n  ::set-env name=A::b',
  'old command': 'pulling ##[error]owned',
  'carriage return': 'ok\r::add-mask::a\r\n::stop-commands::x',
  'hidden characters': '\u200b:\u200b:error::owned #\u00ad#[error]owned',
  'line separators': 'a\u2028::error::b\u0085::error::c',
  'percent codes': '%0A::set-output name=result::success%0D%0A',
  html: '<script>alert(1)</script></pre></details><img src=x onerror=y>&lt;',
  table: 'a | b \\| c\n| :-- | :-- |\n| d |',
  fence: '```\n# out\n````sh\n~~~',
  'link and mention':
    '[x](https://evil.example) https://evil.example www.evil.example @octocat a@b.example #1 ![i](//e)',
  terminal:
    '\u001b[31mred\u001b[0m \u001b]8;;https://evil.example\u0007link\u001b]8;;\u0007 \u009b2Jgone\u0000',
  'lone surrogates': '\ud800 a \udc00',
  'bidirectional override': 'abc \u202edcba',
  huge: '\u001b[;'.repeat(100_000) + '|`<'.repeat(600_000),
};

/** `text` in every field that may come from the cluster, or from a file. */
export function hostile(text: string, result = failure()): Result {
  const some = { total: 3, names: [text, text] };
  const names = { onlyHere: some, onlyThere: some, changed: some };
  return {
    ...result,
    topology: {
      servers: [{ name: text, node: text, state: 'ready', raft: 'leader' }],
      nodes: [{ node: `${text} `, clients: 2, ready: 1 }],
    },
    history: [{ at: text, mode: 'deploy', changed: true, verdictMs: 1 }],
    phases: result.phases.map((phase) =>
      phase.name === 'apply'
        ? {
            ...phase,
            steps: [
              { name: text, startMs: 640, endMs: 900, status: 'passed', waits: [{ what: text, ms: 200 }] },
            ],
          }
        : phase,
    ),
    left: text,
    cluster: { server: text, context: text, version: text },
    image: text,
    consulVersion: text,
    leader: text,
    uiCommand: text,
    snapshot: {
      ...{ path: '/w/a.snap', bytes: 1, sha256: '0'.repeat(64), encrypted: true, stale: false, index: 1 },
      ...{ takenAt: text, versions: [text, text], counts: { keys: 1, services: 1 } },
      prefixes: [{ prefix: text, keys: 1, bytes: 1 }],
      services: [{ service: text, instances: 1, nodes: 1 }],
    },
    difference: {
      ...{ with: text, index: 1, takenAt: text, total: 9, keys: names, nodes: names, services: names },
      counts: [{ kind: text, here: 1, there: 2 }],
    },
    failure: {
      reason: 'timeout',
      what: text,
      where: text,
      hint: text,
      help: helpOn('timeout'),
      details: [text, text],
    },
    checks: result.checks.map((entry) => ({ ...entry, title: text, expected: text, observed: text })),
    objects: [{ kind: text, name: text, namespace: text, action: 'created' }],
    warnings: [text],
    planDigest: text,
    plan: [
      {
        kind: text,
        name: text,
        namespace: text,
        consequence: 'data-loss',
        fields: [{ path: text, before: text, after: text }, { path: text }],
        podCount: 2,
        pods: [text, text],
        notes: [text, text],
      },
    ],
    drift: [
      {
        kind: text,
        name: text,
        namespace: text,
        what: 'changed',
        fields: [{ path: text, before: text, after: text }, { path: text }],
        by: text,
        at: text,
      },
      { kind: text, name: text, what: 'unexpected', fields: [] },
    ],
  };
}

/** One with the shortest words that it may have. */
export const ghost = (rest: Partial<GhostReport>): GhostReport => ({
  ...{
    class: 'no-pod',
    nodes: ['a'],
    evidence: 'e',
    remedy: 'none',
    why: 'w',
    counts: true,
    outcome: 'found',
  },
  ...rest,
});

/** As a sweep that was applied tells them. */
export const GHOSTS: GhostReport[] = [
  {
    class: 'no-pod',
    nodes: ['consul-client-9'],
    evidence: 'a member that has failed; no pod',
    remedy: 'force-leave',
    why: 'no pod brings it back',
    counts: true,
    outcome: 'removed',
  },
  {
    class: 'duplicate',
    nodes: ['consul-client-0', 'consul-client-1'],
    service: 'we|b',
    evidence: '2 agents announce it under one address',
    remedy: 'none',
    why: 'name it in `deregister`',
    counts: true,
    outcome: 'kept',
  },
  {
    class: 'external',
    nodes: ['database'],
    evidence: 'no agent',
    remedy: 'none',
    why: 'it is there on purpose',
    counts: false,
    outcome: 'kept',
  },
];
