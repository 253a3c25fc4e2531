import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Taken } from '../../src/change/consequence.ts';
import { changePlan } from '../../src/change/plan.ts';
import { removal, type Step } from '../../src/change/step.ts';
import { lastWrites } from '../../src/change/writer.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { configMap, MANAGER, managed, stored, workload } from './fixture.ts';

const OURS = managed({ 'f:data': { 'f:a': {} } }, { time: '2026-01-01T10:00:00Z' });
const AUTOSCALER = managed(
  { 'f:spec': { 'f:replicas': {} } },
  {
    manager: 'kube-controller-manager',
    operation: 'Update',
    subresource: 'scale',
    time: '2026-01-01T12:00:00Z',
  },
);
const DESIRED = configMap({ a: '1' });

function step(live: KubernetesObject | undefined, rest: Partial<Step> = {}): Step {
  return {
    action: live ? 'none' : 'create',
    desired: DESIRED,
    ...(live && { live }),
    predicted: live ?? DESIRED,
    ...rest,
  };
}

const digest = (...steps: Step[]) => changePlan(steps, MANAGER).digest;
const live = (change: Partial<KubernetesObject> = {}, fields = [OURS]) =>
  stored({ ...DESIRED, ...change }, fields);
const meta = (change: object): Partial<KubernetesObject> => ({
  metadata: { ...DESIRED.metadata, ...change },
});

test('the digest of a plan is another one with what no object shows', () => {
  const steps = [step(live())];
  const beside = (...words: string[]) => changePlan(steps, MANAGER, undefined, words).digest;
  expect(beside()).toBe(digest(...steps));
  expect(new Set([beside(), beside('gossip: off → strict'), beside('gossip: strict → off')]).size).toBe(3);
});

describe('the digest of a plan stays', () => {
  // Asked for in each test: what runs when this file is loaded is the same in all of them.
  const plain = () => digest(step(live()));
  test.each<[string, KubernetesObject]>([
    ['the version', live(meta({ resourceVersion: '2' }))],
    ['the generation', live(meta({ generation: 3 }))],
    ['the status', live({ status: { a: 1 } })],
    ['times of managers', live({}, [{ ...OURS, time: '2027-01-01T00:00:00Z' }])],
    [
      "kubectl's copy",
      live(meta({ annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' } })),
    ],
    [
      'what a controller writes alone',
      live(meta({ annotations: { 'cloud.example/neg': 'x' } }), [
        OURS,
        managed(
          { 'f:metadata': { 'f:annotations': { '.': {}, 'f:cloud.example/neg': {} } } },
          { manager: 'service-controller', operation: 'Update' },
        ),
      ]),
    ],
    [
      'a status that a platform keeps in an annotation, under whatever name',
      live(
        meta({
          annotations: {
            'cloud.google.com/neg-status': '{"zones":["a"]}',
            'field.cattle.io/publicEndpoints': '[]',
            'cattle.io/status': '{}',
          },
        }),
        [
          OURS,
          managed(
            {
              'f:metadata': {
                'f:annotations': {
                  'f:cloud.google.com/neg-status': {},
                  'f:field.cattle.io/publicEndpoints': {},
                  'f:cattle.io/status': {},
                },
              },
            },
            { manager: 'rancher', operation: 'Update' },
          ),
        ],
      ),
    ],
  ])('whatever comes of %s', (_, changed) => expect(digest(step(changed))).toBe(plain()));

  test('whatever the API server keeps of an object that will be removed', () => {
    const old = (version: string) => removal(stored(configMap({}, 'old'), [OURS], version));
    expect(digest(old('2'))).toBe(digest(old('1')));
  });

  test('while an autoscaler scales what will be rolled', () => {
    const rolled = (replicas: number) => {
      const live = stored(workload({ replicas, image: 'a', role: 'client' }), [AUTOSCALER]);
      const predicted = stored(workload({ replicas, image: 'b', role: 'client' }), [AUTOSCALER]);
      return step(live, { action: 'change', desired: workload({ image: 'b', role: 'client' }), predicted });
    };
    expect(changePlan([rolled(5)], MANAGER).changes[0]?.podCount).toBe(5);
    expect(digest(rolled(5))).toBe(digest(rolled(3)));
  });

  test('with an autoscaler, and changes when a person scales', () => {
    const scaled = (replicas: number, manager: string) =>
      digest(
        step(stored(workload({ replicas }), [{ ...AUTOSCALER, manager }]), {
          desired: workload({ replicas: 1 }),
        }),
      );
    expect(scaled(3, 'kube-controller-manager')).toBe(scaled(5, 'kube-controller-manager'));
    expect(scaled(3, 'kubectl')).not.toBe(scaled(5, 'kubectl'));
  });

  test('in whatever order the objects and their keys come', () => {
    const steps = ['a', 'b', 'c'].map((name) =>
      step(undefined, { desired: configMap({ x: '1', y: '2' }, name) }),
    );
    fc.assert(
      fc.property(fc.shuffledSubarray(steps, { minLength: 3 }), (shuffled) => {
        const turned = shuffled.map((one) => ({
          ...one,
          desired: Object.fromEntries(Object.entries(one.desired).reverse()) as KubernetesObject,
        }));
        expect(digest(...turned)).toBe(digest(...steps));
      }),
    );
  });

  test('whether or not the API server could judge what is new', () => {
    const created = stored(DESIRED, [OURS]);
    expect(digest(step(undefined, { predicted: created }))).toBe(digest(step(undefined)));
  });
});

describe('the digest of a plan changes with', () => {
  const plain = () => digest(step(live()));
  test.each<[string, Step[]]>([
    ['what is rendered', [step(live(), { desired: configMap({ a: '2' }) })]],
    ['a label by hand', [step(live(meta({ labels: { by: 'hand' } })))]],
    ['an annotation by hand', [step(live(meta({ annotations: { by: 'hand' } })))]],
    [
      'a choice of a person for the platform',
      [step(live(meta({ annotations: { 'cloud.google.com/neg': '{}' } })))],
    ],
    ['a field that is not ours', [step(live({ data: { a: '1', b: '2' } }))]],
    ['another object of that name', [step(live(meta({ uid: 'another' })))]],
    ['an object that is gone', [step(undefined)]],
    ['one object more', [step(live()), step(undefined, { desired: configMap({}, 'b') })]],
    ['one that will be removed', [step(live()), removal(stored(configMap({}, 'old'), []))]],
    ['what to do with it', [step(live(), { action: 'recreate' })]],
  ])('%s', (_, steps) => expect(digest(...steps)).not.toBe(plain()));

  describe('what the API server would make of it', () => {
    const path = { 'f:data': { 'f:a': {} }, 'f:metadata': { 'f:labels': { 'f:team': {} } } };
    const made = (kind: string, change: Partial<KubernetesObject>) => {
      const before = stored({ ...DESIRED, kind }, [managed(path)]);
      const predicted = stored({ ...DESIRED, kind, ...change }, [managed(path)]);
      return digest({ action: 'change', desired: before, live: before, predicted });
    };

    test('of a ConfigMap', () => {
      expect(made('ConfigMap', { data: { a: '2' } })).not.toBe(made('ConfigMap', { data: { a: '3' } }));
    });

    test('of the metadata of a Secret, but not with its data, of which the digests tell', () => {
      const team = (team: string) => meta({ labels: { team } });
      expect(made('Secret', team('x'))).not.toBe(made('Secret', team('y')));
      expect(made('Secret', { data: { a: '2' } })).toBe(made('Secret', { data: { a: '3' } }));
      expect(made('Secret', { data: { a: '2' } })).not.toBe(made('Secret', {}));
    });
  });

  test('and has the form that expect-plan takes', () => expect(plain()).toMatch(/^sha256:[0-9a-f]{64}$/));
});

describe('a plan', () => {
  const servers = (image: string, manager = MANAGER) =>
    stored(workload({ image }), [
      managed({
        'f:spec': {
          'f:template': {
            'f:spec': { 'f:containers': { 'k:{"name":"consul"}': { '.': {}, 'f:name': {}, 'f:image': {} } } },
          },
        },
      }),
      ...(manager === MANAGER
        ? []
        : [managed({ 'f:spec': { 'f:replicas': {} } }, { manager, operation: 'Update' })]),
    ]);
  const steps: Step[] = [
    step(live()),
    step(live(), {
      desired: configMap({ a: '1\n2\n' }),
      predicted: live({ data: { a: '1\n2\n' } }),
      action: 'change',
    }),
    {
      action: 'change',
      desired: workload({ image: 'b' }),
      live: servers('a', 'kubectl-edit'),
      predicted: servers('b'),
      yielded: [{ field: '.spec.replicas', manager: 'hpa' }],
    },
    removal(stored(configMap({}, 'old'), [])),
  ];

  describe('a ConfigMap that what runs can reload', () => {
    const before = stored({ ...configMap({ a: '1' }, 'consul-server-config') }, [OURS]);
    const after = stored({ ...configMap({ a: '2' }, 'consul-server-config') }, [OURS]);
    const map: Step = { action: 'change', desired: after, live: before, predicted: after };
    const servers = (image: string, action: Step['action'] = 'change'): Step => {
      const desired = workload({ image });
      return { action, desired, live: stored(workload(), []), predicted: stored(desired, []) };
    };
    const other = step(stored(workload({ name: 'other' }), []), { desired: workload({ name: 'other' }) });
    const pod = { ...workload(), kind: 'Pod' };
    const noWorkload = step(stored(pod, []), { desired: pod });
    const told = (steps: Step[], isReload: boolean) => {
      const { changes } = changePlan(steps, MANAGER, () => (isReload ? 'reloads' : undefined));
      return changes.find(({ kind }) => kind === 'ConfigMap');
    };

    test('reloads, and says who reads it', () => {
      expect(told([map, servers('consul:1', 'none')], true)).toMatchObject({
        consequence: 'reloads',
        notes: [
          'its agents read it again; no pod is replaced for it',
          'read by the pods of StatefulSet/consul-server',
        ],
      });
    });

    test('restarts agents in their pods, but for those that wait for somebody to delete them', () => {
      const restarted = (image: string) => {
        const updateStrategy = { type: 'OnDelete' };
        const desired = workload({ image, spec: { updateStrategy } });
        const live = stored(workload({ spec: { updateStrategy } }), []);
        const waiting: Step = { action: 'change', desired, live, predicted: stored(desired, []) };
        const consequenceWhere = (taken: Taken) =>
          changePlan([map, waiting], MANAGER, () => taken).changes.find(({ kind }) => kind === 'ConfigMap')
            ?.consequence;
        return [consequenceWhere('reloads'), consequenceWhere('restarts')];
      };
      expect(restarted('consul:1')).toEqual(['reloads', 'restarts']);
      expect(restarted('consul:2')).toEqual(['reloads', 'in-place']);
    });

    test.each<[string, Step[], boolean]>([
      ['who reads it is only about to be made', [map, step(undefined, { desired: workload() })], true],
      ['another workload stays, which does not read it', [map, other], true],
      ['something else that stays has such a volume', [map, noWorkload], true],
      ['it cannot be reloaded', [map, servers('consul:1', 'none')], false],
      ['all pods that read it are replaced anyway', [map, servers('consul:2')], true],
      ['they are replaced around a new workload', [map, servers('consul:1', 'recreate')], true],
      ['nobody reads it', [map], true],
    ])('is in place where %s', (_, steps, isReload) =>
      expect(told(steps, isReload)?.consequence).toBe('in-place'),
    );
  });

  test('tells the gravest first, and of each object what differs and why it matters', () => {
    expect(changePlan(steps, MANAGER).changes).toMatchObject([
      { kind: 'ConfigMap', name: 'old', consequence: 'delete', fields: [] },
      {
        kind: 'StatefulSet',
        name: 'consul-server',
        namespace: 'consul',
        consequence: 'rolls-pods',
        podCount: 3,
        pods: ['consul-server-2', 'consul-server-1', 'consul-server-0'],
        fields: [
          { path: '.spec.template.spec.containers[name="consul"].image', before: '"a"', after: '"b"' },
        ],
        notes: [
          'one server at a time, the last ordinal first, each only while Raft can do without it',
          'leaves .spec.replicas to "hpa"',
          'takes from "kubectl-edit": .spec.replicas',
        ],
      },
      {
        consequence: 'in-place',
        fields: [{ path: '.data.a', after: '2\n' }],
        notes: ['read by the pods of StatefulSet/consul-server'],
      },
      { consequence: 'none', fields: [], notes: [] },
    ]);
  });

  test('says why it writes an object without a difference of ours', () => {
    const notes = (one: Step) => changePlan([one], MANAGER).changes[0]?.notes.join();
    expect(notes(step(live(), { action: 'change' }))).toContain('only who owns its fields changes');
    const webhook = live({ data: { a: '1', b: '2' } }, [
      OURS,
      managed({ 'f:data': { 'f:b': {} } }, { manager: 'x' }),
    ]);
    expect(notes(step(live(), { action: 'change', predicted: webhook }))).toContain('that others own');
    const [one, two] = [live({ list: [1, 2] }), live({ list: [2, 1] })];
    expect(notes(step(one, { action: 'change', predicted: two }))).toContain('only the order of a list');
    expect(notes(step(live(), { adopting: 'always' }))).toContain('was not deployed by this action');
  });

  test('says of a ConfigMap whose label and data change who reads it, and nothing of one whose label does', () => {
    const fields = managed({ 'f:data': { 'f:a': {} }, 'f:metadata': { 'f:labels': { 'f:team': {} } } });
    const of = (team: string, a: string) =>
      stored({ ...configMap({ a }), ...meta({ labels: { team } }) }, [fields]);
    const readers = ['a', 'b'].map((name) =>
      step(undefined, {
        desired: workload({
          name,
          spec: { template: { spec: { volumes: [{ configMap: { name: 'consul-server-config' } }] } } },
        }),
      }),
    );
    const notesOf = (predicted: KubernetesObject) => {
      const map: Step = { action: 'change', desired: predicted, live: of('x', '1'), predicted };
      const { changes } = changePlan([map, ...readers], MANAGER);
      return changes.find(({ kind }) => kind === 'ConfigMap')?.notes;
    };
    expect(notesOf(of('y', '2'))).toEqual(['read by the pods of StatefulSet/a, StatefulSet/b']);
    expect(notesOf(of('y', '1'))).toEqual([]);
  });

  test('of a Secret tells what was written as text', () => {
    const secret = (pw: string) => {
      const object = {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 's' },
        data: { pw, other: 'eA==' },
      };
      return stored(object, [managed({ 'f:stringData': { 'f:pw': {}, 'f:other': {} } })]);
    };
    const [before, after] = [secret('YQ=='), secret('Yg==')];
    const change = { action: 'change', desired: after, live: before, predicted: after } as const;
    expect(changePlan([change], MANAGER).changes).toMatchObject([
      {
        consequence: 'in-place',
        fields: [{ path: '.data.pw', before: '(hidden)', after: '(hidden, changed)' }],
      },
    ]);
  });

  test('tells who wrote last, controllers left out', () => {
    const objects = [live({}, [OURS, AUTOSCALER]), servers('a', 'kubectl-edit')];
    const edited = managed({}, { manager: 'kubectl', subresource: 'scale', time: '2026-01-02T00:00:00Z' });
    objects.push(stored(workload(), [edited]));
    expect(lastWrites(objects, 5)).toEqual([
      { object: 'StatefulSet/consul-server', manager: 'kubectl (scale)', at: '2026-01-02T00:00:00Z' },
      { object: 'ConfigMap/consul-server-config', manager: MANAGER, at: '2026-01-01T10:00:00Z' },
    ]);
    expect(lastWrites(objects, 1)).toHaveLength(1);
  });
});
