import { describe, expect, test } from 'vitest';
import { byGravity, type Effect, effectOf, some } from '../../src/change/consequence.ts';
import { removal, type Step } from '../../src/change/step.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { CONSEQUENCES } from '../../src/report/result/change.ts';
import { configMap, managed, stored, workload } from './fixture.ts';

const NODES = { desiredNumberScheduled: 4 };
const SERVERS = ['consul-server-2', 'consul-server-1', 'consul-server-0'];

function step(action: Step['action'], live: KubernetesObject | undefined, predicted: KubernetesObject): Step {
  return { action, desired: predicted, ...(live && { live }), predicted };
}

function change(live: KubernetesObject, predicted: KubernetesObject, ...paths: string[]): Effect {
  const fields = paths.map((path) => ({ path, before: 1, after: 2 }));
  return effectOf(step('change', live, predicted), fields);
}

function object(kind: string, rest: object = {}): KubernetesObject {
  return { apiVersion: 'v1', kind, metadata: { name: 'x' }, ...rest };
}

describe('a change outside workloads', () => {
  test.each([
    ['ConfigMap', '.metadata.labels.team', 'metadata'],
    ['ConfigMap', '.metadata.annotations.a', 'metadata'],
    ['ConfigMap', '.data.a', 'in-place'],
    ['Secret', '.data.a', 'in-place'],
    ['Service', '.spec.ports[port=80,protocol="TCP"].name', 'in-place'],
    ['Service', '.metadata.annotations.cloud.example/internal', 'in-place'],
    ['Service', '.metadata.labels.team', 'metadata'],
    ['Namespace', '.metadata.labels.pod-security.kubernetes.io/enforce', 'in-place'],
    ['Namespace', '.metadata.finalizers', 'metadata'],
    ['ServiceAccount', '.metadata.annotations.eks.amazonaws.com/role-arn', 'in-place'],
    ['PodDisruptionBudget', '.spec.maxUnavailable', 'in-place'],
  ])('of %s %s is %s', (kind, path, consequence) =>
    expect(change(object(kind), object(kind), path)).toEqual({ consequence, notes: [] }),
  );

  test('of who owns fields alone is metadata', () =>
    expect(change(object('ConfigMap'), object('ConfigMap')).consequence).toBe('metadata'));
});

describe('what others change with it counts', () => {
  const webhook = (object: KubernetesObject, fields: Record<string, unknown>) =>
    stored(object, [managed(fields, { manager: 'webhook', operation: 'Update' })]);
  const DATA = { 'f:data': { 'f:a': {} } };
  const SECONDS = { 'f:spec': { 'f:minReadySeconds': {} } };
  const PORT = 'k:{"port":1,"protocol":"TCP"}';
  const ports = (...numbers: number[]) => ({
    ...object('Service'),
    spec: { ports: numbers.map((port) => ({ port, protocol: 'TCP' })) },
  });
  test.each<[string, KubernetesObject, KubernetesObject, string]>([
    ['data', webhook(configMap({ a: '1' }), DATA), webhook(configMap({ a: '2' }), DATA), 'in-place'],
    ['a workload', workload(), webhook(workload({ spec: { minReadySeconds: 1 } }), SECONDS), 'in-place'],
    ['metadata', configMap({}), webhook(configMap({}), { 'f:metadata': { 'f:labels': {} } }), 'metadata'],
    [
      'but the order of a list does not',
      webhook(ports(1, 2), { 'f:spec': { 'f:ports': { [PORT]: {} } } }),
      webhook(ports(2, 1), { 'f:spec': { 'f:ports': { [PORT]: {} } } }),
      'metadata',
    ],
  ])('%s', (_, live, predicted, consequence) =>
    expect(change(live, predicted).consequence).toBe(consequence),
  );
});

describe('pods', () => {
  test('of servers roll one at a time, the last ordinal first', () => {
    expect(change(workload({ image: 'a' }), workload({ image: 'b' }), '.spec.template')).toEqual({
      consequence: 'rolls-pods',
      podCount: 3,
      pods: SERVERS,
      notes: ['one server at a time, the last ordinal first, each only while Raft can do without it'],
    });
  });

  test('of clients are rolled by the controller', () => {
    const clients = (image: string) => workload({ role: 'client', replicas: 2, claims: false, image });
    expect(change(clients('a'), clients('b'), '.spec.template')).toEqual({
      consequence: 'rolls-pods',
      podCount: 2,
      pods: ['consul-client-1', 'consul-client-0'],
      notes: ['by the controller, the last ordinal first, 1 at a time'],
    });
  });

  test('of a DaemonSet are counted by nodes', () => {
    const agents = (image: string) => workload({ kind: 'DaemonSet', role: 'client', image, status: NODES });
    const { pods, ...effect } = change(agents('a'), agents('b'), '.spec.template');
    expect(effect).toEqual({
      consequence: 'rolls-pods',
      podCount: 4,
      notes: ['by the controller, node by node, 1 at a time'],
    });
    expect(pods).toBeUndefined();
  });

  test.each<[string, object, string[] | undefined]>([
    [
      'a partition holds some back',
      { updateStrategy: { rollingUpdate: { partition: 1 } } },
      SERVERS.slice(0, 2),
    ],
    ['a partition holds all back', { updateStrategy: { rollingUpdate: { partition: 3 } } }, undefined],
    ['they wait to be deleted', { updateStrategy: { type: 'OnDelete' } }, undefined],
  ])('when %s', (_, spec, pods) => {
    const after = workload({ image: 'b', spec: spec as Record<string, unknown> });
    const effect = change(workload({ image: 'a' }), after, '.spec.template');
    expect(effect.pods).toEqual(pods);
    expect(effect.consequence).toBe(pods ? 'rolls-pods' : 'in-place');
  });

  test.each([
    ['go on where a deploy was stopped half way', 'b', ['consul-server-1', 'consul-server-0']],
    ['stay when a partition goes that holds nobody back', 'a', undefined],
  ])('%s', (_, updateRevision, pods) => {
    const spec = (partition: number) => ({ updateStrategy: { rollingUpdate: { partition } } });
    const live = workload({ spec: spec(2), status: { currentRevision: 'a', updateRevision } });
    const effect = change(live, workload({ spec: spec(0) }), '.spec.updateStrategy.rollingUpdate.partition');
    expect(effect.pods).toEqual(pods);
    expect(effect.consequence).toBe(pods ? 'rolls-pods' : 'in-place');
  });

  test('are numbered from where the ordinals start', () => {
    const spec = { ordinals: { start: 5 } };
    const effect = change(workload({ image: 'a', spec }), workload({ image: 'b', spec }), '.spec.template');
    expect(effect.pods).toEqual(['consul-server-7', 'consul-server-6', 'consul-server-5']);
  });

  test('of a workload of another kind are replaced by its controller, as many as there are', () => {
    const deployment = (replicas: number, image: string) =>
      workload({ kind: 'Deployment', role: 'client', replicas, image });
    const rolled = (before: number, after: number) =>
      change(deployment(before, 'a'), deployment(after, 'b'), '.spec.template');
    expect(rolled(2, 3)).toEqual({
      consequence: 'rolls-pods',
      podCount: 2,
      notes: ['the controller replaces its pods', 'starts 1 more pod'],
    });
    expect(rolled(0, 3)).toEqual({ consequence: 'in-place', notes: ['starts 3 more pods'] });
    const same = change(deployment(2, 'a'), deployment(2, 'a'), '.spec.minReadySeconds');
    expect(same).toEqual({ consequence: 'in-place', notes: [] });
  });

  test('of a DaemonSet stay where its template does', () => {
    const agents = workload({ kind: 'DaemonSet', role: 'client', status: NODES });
    expect(change(agents, agents, '.spec.minReadySeconds')).toEqual({ consequence: 'in-place', notes: [] });
  });

  test.each([
    ['as many at a time as its strategy says', { rollingUpdate: { maxUnavailable: '25%' } }, '25%'],
    ['one at a time where its strategy says nothing more', { type: 'RollingUpdate' }, '1'],
  ])('of clients are rolled %s', (_, updateStrategy, unavailable) => {
    const clients = (image: string) =>
      workload({ role: 'client', claims: false, image, spec: { updateStrategy } });
    expect(change(clients('a'), clients('b'), '.spec.template').notes).toEqual([
      `by the controller, the last ordinal first, ${unavailable} at a time`,
    ]);
  });

  test('that wait for somebody to delete them are told as that', () => {
    const after = workload({ image: 'b', spec: { updateStrategy: { type: 'OnDelete' } } });
    expect(change(workload({ image: 'a' }), after, '.spec.template')).toEqual({
      consequence: 'in-place',
      notes: ['its pods take it only when somebody deletes them (OnDelete)'],
    });
  });

  test('of the only server leave nobody who answers; of one that is left of several or held back they do', () => {
    const of = (replicas: number, image: string, partition = 0) =>
      workload({ replicas, image, spec: { updateStrategy: { rollingUpdate: { partition } } } });
    const noteOf = (before: KubernetesObject, after: KubernetesObject) =>
      change(before, after, '.spec.template').notes[0];
    const alone = 'the only server: nothing answers until it is back';
    expect(noteOf(of(1, 'a'), of(1, 'b'))).toBe(alone);
    expect(noteOf(of(1, 'a'), of(3, 'b'))).toBe(alone);
    expect(noteOf(of(3, 'a'), of(1, 'b'))).toMatch(/^one server at a time/);
    expect(noteOf(of(3, 'a'), of(3, 'b', 2))).toMatch(/^one server at a time/);
  });

  test('roll also for what no field of ours tells', () =>
    expect(change(workload({ image: 'a' }), workload({ image: 'b' })).consequence).toBe('rolls-pods'));

  test.each([
    ['.metadata.labels.team', 'metadata'],
    ['.spec.updateStrategy.type', 'in-place'],
    ['.spec.minReadySeconds', 'in-place'],
  ])('stay when %s changes', (path, consequence) =>
    expect(change(workload(), workload(), path)).toEqual({ consequence, notes: [] }),
  );

  test('stay when a label and something else changes, and the label is the least of it', () => {
    const effect = change(workload(), workload(), '.metadata.labels.team', '.spec.minReadySeconds');
    expect(effect).toEqual({ consequence: 'in-place', notes: [] });
  });
});

describe('scaling', () => {
  test.each<[string, 'server' | 'client', number, number, string, string]>([
    ['clients down', 'client', 10, 8, 'delete', 'removes 2 pods: consul-client-9, consul-client-8'],
    ['clients up', 'client', 2, 3, 'in-place', 'starts 1 more pod'],
    [
      'servers down',
      'server',
      3,
      1,
      'delete',
      'removes 2 pods: consul-server-2, consul-server-1, one at a time, while the others are a quorum',
    ],
    ['servers up', 'server', 1, 3, 'in-place', 'starts 2 more pods, one at a time'],
  ])('%s', (_, role, before, after, consequence, note) => {
    const of = (replicas: number) => workload({ role, replicas });
    const effect = change(of(before), of(after), '.spec.replicas');
    expect(effect.consequence).toBe(consequence);
    expect(effect.notes).toContain(note);
    expect(effect.pods).toBeUndefined();
  });

  test('names no pods where their names are chosen only then', () => {
    const of = (replicas: number) => workload({ kind: 'Deployment', role: 'client', replicas });
    expect(change(of(3), of(1), '.spec.replicas').notes).toEqual(['removes 2 pods']);
  });

  test('is not what a DaemonSet does when nodes come or go meanwhile', () => {
    const of = (nodes: number) =>
      workload({ kind: 'DaemonSet', role: 'client', status: { desiredNumberScheduled: nodes } });
    for (const [before, after] of [
      [4, 3],
      [3, 4],
    ] as const) {
      const effect = change(of(before), of(after), '.metadata.labels.team');
      expect(effect).toEqual({ consequence: 'metadata', notes: [] });
    }
  });

  test('names all where there are six', () => {
    const of = (replicas: number) => workload({ role: 'client', replicas });
    expect(change(of(7), of(1), '.spec.replicas').notes[0]).toMatch(/ consul-client-1$/);
    expect(some(['a', 'b', 'c', 'd', 'e', 'f', 'g'])).toBe('a, b, c, d, e, f and 1 more');
  });

  test('names only some of a thousand', () => {
    const of = (replicas: number) => workload({ role: 'client', replicas });
    const { notes } = change(of(1000), of(10), '.spec.replicas');
    expect(notes[0]).toMatch(/^removes 990 pods: consul-client-999, .*, consul-client-994 and 984 more$/);
  });

  test('and rolling at once tells both', () => {
    const effect = change(
      workload({ replicas: 5, image: 'a' }),
      workload({ replicas: 3, image: 'b' }),
      '.spec.replicas',
    );
    expect(effect).toMatchObject({ consequence: 'delete', podCount: 3, pods: SERVERS });
    expect(effect.notes.join()).toMatch(/one server at a time.*removes 2 pods/);
  });
});

describe('data is lost', () => {
  const retention = (when: 'whenDeleted' | 'whenScaled') => ({
    spec: { persistentVolumeClaimRetentionPolicy: { [when]: 'Delete' } },
  });
  const rolled = (replicas: number, claims: boolean) =>
    change(
      workload({ replicas, claims, image: 'a' }),
      workload({ replicas, claims, image: 'b' }),
      '.spec.template',
    );
  const scaled = (before: number, after: number, claims: boolean) =>
    change(
      workload({ replicas: before, claims, image: 'a' }),
      workload({ replicas: after, claims, image: 'b' }),
      '.spec.replicas',
    );
  const recreated = (live: KubernetesObject, desired: KubernetesObject) =>
    effectOf(step('recreate', live, desired), []);
  const removed = (live: KubernetesObject) => effectOf(removal(live), []);

  test.each<[string, () => Effect]>([
    ['when the only server without a volume is replaced', () => rolled(1, false)],
    ['when the only server that stays without a volume is replaced', () => scaled(3, 1, false)],
    [
      'when servers start without the volumes they had',
      () => recreated(workload(), workload({ claims: false })),
    ],
    [
      'when the only server moves to a volume',
      () =>
        recreated(
          workload({ replicas: 1, claims: false, image: 'a' }),
          workload({ replicas: 1, image: 'b' }),
        ),
    ],
    ['when servers without volumes are removed', () => removed(workload({ claims: false }))],
    ['when claims go with their workload', () => removed(workload(retention('whenDeleted')))],
    [
      'when claims go with their pods',
      () => change(workload(retention('whenScaled')), workload({ replicas: 2 }), '.spec.replicas'),
    ],
    ['with a claim', () => removed(object('PersistentVolumeClaim'))],
    ['with a volume', () => removed(object('PersistentVolume'))],
    ['with a namespace', () => removed(object('Namespace'))],
    [
      'with a claim that is recreated',
      () => recreated(object('PersistentVolumeClaim'), object('PersistentVolumeClaim')),
    ],
  ])('%s', (_, effect) => {
    const { consequence, notes } = effect();
    expect(consequence).toBe('data-loss');
    expect(notes[0]).toBeTruthy();
  });

  test.each<[string, () => Effect, string]>([
    ['a claim', () => removed(object('PersistentVolumeClaim')), 'the volume and what is on it go with it'],
    ['a volume', () => removed(object('PersistentVolume')), 'what is on it goes with it'],
    ['a namespace', () => removed(object('Namespace')), 'everything in it goes with it'],
    ['a kind', () => removed(object('CustomResourceDefinition')), 'all objects of its kind go with it'],
    [
      'a workload whose claims go',
      () => removed(workload(retention('whenDeleted'))),
      'its volume claims are deleted with it (whenDeleted: Delete)',
    ],
    [
      'servers without volumes',
      () => removed(workload({ claims: false })),
      'the servers have no volumes: their data goes with their pods',
    ],
    [
      'pods whose claims go',
      () => change(workload(retention('whenScaled')), workload({ replicas: 2 }), '.spec.replicas'),
      'volume claims of the pods that go are deleted (whenScaled: Delete)',
    ],
    [
      'volumes that servers had',
      () => recreated(workload(), workload({ claims: false })),
      'the servers start without their volumes, and from then on their data goes with their pods',
    ],
  ])('and the first note says why: %s', (_, effect, note) => expect(effect().notes[0]).toBe(note));

  test('and the first note says why of the only server', () =>
    expect(rolled(1, false).notes).toEqual([
      'the only server has no volume: its data goes with its pod',
      'the only server: nothing answers until it is back',
    ]));

  test.each<[string, () => Effect, string]>([
    ['when three servers without volumes are walked', () => rolled(3, false), 'rolls-pods'],
    [
      'when others come before the only server without a volume is replaced',
      () => scaled(1, 3, false),
      'rolls-pods',
    ],
    ['when the only server that stays has a volume', () => scaled(3, 1, true), 'delete'],
    ['when the only server has a volume', () => rolled(1, true), 'rolls-pods'],
    [
      'when servers move to volumes one by one',
      () => recreated(workload({ claims: false }), workload()),
      'recreate',
    ],
    ['when volumes stay', () => recreated(workload(), workload()), 'recreate'],
    ['when servers with volumes are removed', () => removed(workload()), 'delete'],
    ['with clients', () => removed(workload({ role: 'client', claims: false })), 'delete'],
    ['with a ConfigMap', () => removed(configMap({})), 'delete'],
    ['with a Service that is recreated', () => recreated(object('Service'), object('Service')), 'recreate'],
  ])('not %s', (_, effect, consequence) => expect(effect().consequence).toBe(consequence));
});

describe('an object that is recreated around its pods', () => {
  const recreated = (live: KubernetesObject, desired: KubernetesObject) =>
    effectOf(step('recreate', live, desired), []);

  test('has its servers replaced one by one, the first ordinal first', () => {
    expect(recreated(workload({ image: 'a' }), workload({ image: 'b' }))).toEqual({
      consequence: 'recreate',
      podCount: 3,
      pods: SERVERS.toReversed(),
      notes: [
        'removed without its pods, which run on, and recreated around them; then one server at a time, the first ' +
          'ordinal first, each only while Raft can do without it, with what is registered there',
        'volumes that exist keep their size and class',
      ],
    });
  });

  test('has a tenth of its clients replaced at a time', () => {
    const clients = (image: string) => workload({ role: 'client', claims: false, replicas: 2, image });
    expect(recreated(clients('a'), clients('b'))).toEqual({
      consequence: 'recreate',
      podCount: 2,
      pods: ['consul-client-0', 'consul-client-1'],
      notes: [
        'removed without its pods, which run on, and recreated around them; then a tenth of the clients at a time, the ' +
          'first ordinal first, with what is registered there',
      ],
    });
  });

  test('says nothing of volumes where it had none', () => {
    const { notes } = recreated(workload({ claims: false, image: 'a' }), workload({ image: 'b' }));
    expect(notes.join()).not.toContain('volumes that exist');
  });

  test('has the pods of a DaemonSet replaced, whose names are chosen only then', () => {
    const agents = (image: string) => workload({ kind: 'DaemonSet', role: 'client', image, status: NODES });
    const { podCount, pods } = recreated(agents('a'), agents('b'));
    expect([podCount, pods]).toEqual([4, undefined]);
  });

  test('replaces no pod where it is no workload, or its pods stay as they are', () => {
    expect(recreated(object('Service'), object('Service'))).toEqual({ consequence: 'recreate', notes: [] });
    expect(recreated(workload(), workload())).toEqual({
      consequence: 'recreate',
      notes: ['volumes that exist keep their size and class'],
    });
  });
});

describe('what is new or stays', () => {
  test.each<[Step, Effect]>([
    [step('none', configMap({}), configMap({})), { consequence: 'none', notes: [] }],
    [step('create', undefined, configMap({})), { consequence: 'create', notes: [] }],
    [step('create', undefined, workload()), { consequence: 'create', notes: ['starts 3 pods'] }],
    [
      step('create', undefined, workload({ kind: 'DaemonSet' })),
      { consequence: 'create', notes: ['starts a pod on each node'] },
    ],
  ])('%#', (one, effect) => expect(effectOf(one, [])).toEqual(effect));

  test('the gravest comes first', () => {
    const all = CONSEQUENCES.map((consequence) => ({ consequence })).sort(byGravity);
    expect(all.map(({ consequence }) => consequence)).toEqual(CONSEQUENCES.toReversed());
  });
});
