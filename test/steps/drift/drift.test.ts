import { describe, expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { render } from '../../../src/manifests/render.ts';
import type { Drift } from '../../../src/report/result/change.ts';
import type { ContainerView } from '../../../src/rollout/container.ts';
import type { PodView } from '../../../src/rollout/pod.ts';
import { type Role, Workloads } from '../../../src/session/workloads.ts';
import {
  addDrift,
  driftFailure,
  strangers,
  tellDrift,
  tellImages,
  tellLastDeploy,
  tellVersion,
} from '../../../src/steps/drift/drift.ts';
import { inventory, object } from '../../inventory/fixture.ts';
import { pod } from '../../rollout/fixture.ts';
import { config, startRun } from '../../session/fixture.ts';

const HEAD = { kind: 'ConfigMap', namespace: 'consul' };
const DRIFT: Drift[] = [
  {
    ...HEAD,
    name: 'a',
    what: 'changed',
    fields: [{ path: '.data.a', before: '1', after: '2' }],
    by: 'kubectl-edit',
  },
  { ...HEAD, name: 'b', what: 'missing', fields: [] },
  { ...HEAD, name: 'c', what: 'unexpected', fields: [] },
];
const deployed = [object('ConfigMap', 'a'), object('ConfigMap', 'b')];

function told(drift: Drift[], onDrift: Config['onDrift'] = 'fail', unseen: string[] = []) {
  const { run } = startRun({ mode: 'verify', onDrift });
  addDrift(run, drift);
  tellLastDeploy(run, inventory());
  tellDrift(run, { drift, deployed, unseen, live: [] });
  const { checks, warnings } = run.result();
  return {
    run,
    warnings,
    statuses: Object.fromEntries(checks.map(({ id, status }) => [id, status])),
    checks,
  };
}

test.each([
  ['no drift', [], 'fail', ['passed', 'passed', 'passed'], 0],
  ['drift', DRIFT, 'fail', ['failed', 'failed', 'failed'], 0],
  ['drift that is only reported', DRIFT, 'report', ['warning', 'warning', 'warning'], 3],
] as const)('%s: one check for each kind of it', (_, drift, onDrift, expected, warned) => {
  const { statuses, warnings } = told([...drift], onDrift);
  const [objects, fields, others] = expected;
  expect(statuses).toEqual({
    'drift-deploy': 'passed',
    'drift-objects': objects,
    'drift-fields': fields,
    'drift-unexpected': others,
  });
  expect(warnings).toHaveLength(warned);
});

test('what could not be looked at is told', () => {
  const { checks } = told([], 'fail', ['the list of Services']);
  expect(checks.at(-1)?.observed).toBe('none; not looked at: the list of Services');
});

describe('the failure for drift', () => {
  test('has the totals, and every field as evidence', () => {
    const { run } = told(DRIFT);
    const failure = driftFailure(run, inventory());
    expect(failure).toMatchObject({
      reason: 'drift',
      what: '1 field of 1 object changed, 1 object missing, 1 object unexpected',
    });
    expect(run.result(failure).failure?.details).toEqual([
      'ConfigMap/a .data.a: deployed 1, live 2, changed by "kubectl-edit"',
      'ConfigMap/b: it is missing',
      'ConfigMap/c: it was not deployed',
    ]);
  });

  test('is none without drift, or where that is only reported', () => {
    expect(driftFailure(told([]).run, inventory())).toBeUndefined();
    expect(driftFailure(told(DRIFT, 'report').run, inventory())).toBeUndefined();
  });

  test('says where the last deploy was cut off or red', () => {
    const { run } = startRun({ mode: 'verify' });
    const cutOff = inventory({ phase: 'applying', run: 'org/repo/actions/runs/7' });
    tellLastDeploy(run, cutOff);
    expect(run.result().checks).toMatchObject([
      {
        id: 'drift-deploy',
        status: 'failed',
        observed: expect.stringContaining('not proven: org/repo/actions/runs/7'),
      },
    ]);
    const failure = driftFailure(run, cutOff);
    expect(failure).toMatchObject({ reason: 'drift', what: 'the last deploy was not proven' });
    expect(run.result(failure).failure?.details).toEqual([
      expect.stringContaining('runs/7 began at 2026-01-01'),
    ]);
  });
});

test.each([
  ['the same', 'consul:latest', ['1.22.7', '1.22.7'], 'passed'],
  ['another in one server', 'consul:latest', ['1.22.7', '1.23.0'], 'failed'],
  ['told by the image, and so proven already', 'consul:1.22.7', ['1.22.7', '1.23.0'], undefined],
])('the version as it was recorded: %s', (_, image, versions, status) => {
  const { run } = startRun({ mode: 'verify', image });
  const evidence = versions.map((version, index) => ({
    name: `server-${index}`,
    version,
    denied: [],
    errors: {},
  }));
  tellVersion(run, { servers: evidence }, inventory({ consulVersion: '1.22.7' }));
  expect(run.result().checks[0]?.status).toBe(status);
  expect(run.result().drift ?? []).toHaveLength(status === 'failed' ? 1 : 0);
});

test('pods with the labels of this cluster that none of its workloads made', () => {
  const { run } = startRun({ mode: 'verify' });
  const workloads = new Workloads(run, render(config()));
  const pods = [
    pod('consul-server-0', { ownerUid: 'uid of consul-server' }),
    pod('orphan', { ownerUid: 'another' }),
    pod('leaving', { ownerUid: 'another', terminating: true }),
    (({ ownerUid: _, ...rest }) => rest)(pod('by-hand')),
  ];
  for (const one of pods) workloads.observation.apply('Pod', { type: 'upsert', uid: one.uid, object: one });
  const live = [object('StatefulSet', 'consul-server', { uid: 'uid of consul-server' })];
  expect(strangers(run, workloads, live).map(({ name, what }) => [name, what])).toEqual([
    ['orphan', 'unexpected'],
    ['by-hand', 'unexpected'],
  ]);
});

function container(name: string, imageId: string): ContainerView {
  return { name, imageId, init: false, restarts: 0, running: true, started: true };
}

describe('the image that was proven, by its digest,', () => {
  const image = (digit: string) => `docker.io/hashicorp/consul@sha256:${digit.repeat(64)}`;
  const [proven, other] = [image('1'), image('2')];
  const SIDECAR = `docker.io/library/proxy@sha256:${'3'.repeat(64)}`;

  function images(pods: Record<Role, string[][]>, shape: Partial<Config> = {}, recorded = proven) {
    const { run } = startRun({ mode: 'verify' });
    const views = (role: Role) =>
      pods[role].map((ids, index) =>
        pod(`consul-${role}-${index}`, {
          // As the kubelet sorts them: `a` before `consul`.
          containers: ids.map((imageId, at) => container(at === ids.length - 1 ? 'consul' : 'a', imageId)),
        }),
      );
    const objects = render(config(shape));
    tellImages(
      run,
      { pods: views },
      objects,
      inventory({ ...(recorded !== undefined && { image: recorded }) }),
    );
    const [check] = run.result().checks;
    return { status: check?.status, observed: check?.observed, drift: run.known.drift };
  }

  test('is in all pods, also beside a sidecar and under another name', () => {
    const renamed = proven.replace('docker.io', 'mirror.example');
    expect(images({ server: [[SIDECAR, proven]], client: [[renamed]] })).toEqual({
      status: 'passed',
      observed: 'in all 2 pods',
      drift: [],
    });
  });

  test('is not claimed of pods whose image is not known', () => {
    expect(images({ server: [[proven], [proven], []], client: [['sha256:4']] })).toMatchObject({
      status: 'passed',
      observed: 'in 2 of 4 pods; the others tell no digest',
    });
  });

  test('is told again when a pod has started meanwhile, and what is known already only once', () => {
    const { run } = startRun({ mode: 'verify' });
    const servers = [[proven], [other]].map((ids, index) =>
      pod(`consul-server-${index}`, { containers: ids.map((id) => container('consul', id)) }),
    );
    const starting = { ...servers[1], containers: [] } as PodView;
    const record = inventory({ image: proven });
    for (const seen of [[servers[0], starting], servers, servers]) {
      const pods = (role: Role) => (role === 'server' ? (seen as PodView[]) : []);
      tellImages(run, { pods }, render(config()), record);
    }
    const result = run.result();
    expect(result.drift).toMatchObject([{ name: 'consul-server-1' }]);
    expect(result.checks).toMatchObject([{ status: 'failed', observed: 'another in consul-server-1' }]);
  });

  test('is another one in a pod, though a sidecar there has the proven one', () => {
    const found = images({
      server: [
        [SIDECAR, proven],
        [proven, other],
      ],
      client: [],
    });
    expect(found).toMatchObject({ status: 'failed', observed: 'another in consul-server-1' });
  });

  test('is not asked of a sidecar, whose image may change', () => {
    expect(
      images({
        server: [
          [SIDECAR, proven],
          [other, proven],
        ],
        client: [],
      }).status,
    ).toBe('passed');
  });

  test('is another one in a pod', () => {
    const found = images({ server: [[proven], [other]], client: [] });
    expect(found).toMatchObject({ status: 'failed', observed: 'another in consul-server-1' });
    expect(found.drift).toMatchObject([
      { kind: 'Pod', name: 'consul-server-1', what: 'changed', fields: [{ before: proven, after: other }] },
    ]);
  });

  test('is not that of clients that were deployed with an image of their own', () => {
    const patched = [
      {
        target: { kind: 'StatefulSet', name: 'consul-client' },
        operations: [
          { op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'other:1' } as const,
        ],
      },
    ];
    expect(images({ server: [[proven]], client: [[other]] }, { patches: patched }).status).toBe('passed');
  });

  test('is not known of every image', () => {
    expect(images({ server: [[other]], client: [] }, {}, 'hashicorp/consul:1.22.7')).toEqual({
      status: undefined,
      observed: undefined,
      drift: undefined,
    });
    expect(images({ server: [['sha256:1']], client: [] }).status).toBeUndefined();
  });
});
