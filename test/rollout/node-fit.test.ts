import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { misfit, type NodeDemands, type SchedulingNode } from '../../src/rollout/node-fit.ts';

const LABELS = { 'kubernetes.io/os': 'linux', zone: 'a', disks: '4' };
const node = (
  spec: SchedulingNode['spec'] = {},
  labels: Record<string, string> = LABELS,
): SchedulingNode => ({
  metadata: { name: 'n1', labels },
  spec,
});
const TAINT = { key: 'pool', value: 'db', effect: 'NoSchedule' };

describe('a node selector', () => {
  test.each<[Record<string, string>, boolean]>([
    [{}, true],
    [{ 'kubernetes.io/os': 'linux' }, true],
    [{ 'kubernetes.io/os': 'linux', zone: 'a' }, true],
    [{ 'kubernetes.io/os': 'linux', zone: 'b' }, false],
    [{ constructor: '' }, false],
  ])('%j', (nodeSelector, fits) => {
    expect(misfit(node(), { nodeSelector })).toBe(fits ? undefined : 'other labels');
  });

  test('and a node that has no labels at all', () => {
    expect(misfit({ metadata: { name: 'bare' } }, { nodeSelector: { a: 'b' } })).toBe('other labels');
    expect(misfit({ metadata: { name: 'bare' } }, {})).toBeUndefined();
  });
});

describe('a required node affinity', () => {
  type Terms = object[];
  const affinity = (nodeSelectorTerms: Terms): NodeDemands => ({
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
  });
  const zone = (operator: string, values?: string[]) => [
    { matchExpressions: [{ key: 'zone', operator, values }] },
  ];
  const disks = (operator: string, value: string) => [
    { matchExpressions: [{ key: 'disks', operator, values: [value] }] },
  ];
  const none = (operator: string, values?: string[]) => [
    { matchExpressions: [{ key: 'none', operator, values }] },
  ];

  // https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#operators
  test.each<[string, Terms, boolean]>([
    ['In', zone('In', ['a', 'b']), true],
    ['In, of others', zone('In', ['b']), false],
    ['In, of a label that is missing', none('In', ['b']), false],
    ['NotIn', zone('NotIn', ['a']), false],
    ['NotIn, of others', zone('NotIn', ['b']), true],
    ['NotIn, of a label that is missing', none('NotIn', ['a']), true],
    ['Exists', zone('Exists'), true],
    ['Exists, of a label that is missing', none('Exists'), false],
    ['DoesNotExist', zone('DoesNotExist'), false],
    ['DoesNotExist, of a label that is missing', none('DoesNotExist'), true],
    ['Gt', disks('Gt', '3'), true],
    ['Gt, and no more', disks('Gt', '4'), false],
    ['Gt, of a label that is missing', none('Gt', ['0']), false],
    ['Lt', disks('Lt', '10'), true],
    ['Lt, and no less', disks('Lt', '4'), false],
    ['Lt, of a label that is missing', none('Lt', ['9']), false],
    [
      'Lt, of a label that is no number',
      [{ matchExpressions: [{ key: 'zone', operator: 'Lt', values: ['10'] }] }],
      false,
    ],
    ['one of two terms', [...zone('In', ['b']), ...disks('Gt', '3')], true],
    [
      'both requirements of a term',
      [
        {
          matchExpressions: [...zone('Exists'), ...disks('Gt', '9')].flatMap(
            ({ matchExpressions }) => matchExpressions,
          ),
        },
      ],
      false,
    ],
    ['the name', [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }], true],
    ['another name', [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n2'] }] }], false],
    [
      'the name, and a label that is another',
      [{ ...zone('In', ['b'])[0], matchFields: [{ key: 'metadata.name', operator: 'Exists' }] }],
      false,
    ],
    [
      'the name, and a label',
      [{ ...zone('In', ['a'])[0], matchFields: [{ key: 'metadata.name', operator: 'Exists' }] }],
      true,
    ],
    ['a field that nobody knows', [{ matchFields: [{ key: 'metadata.uid', operator: 'Exists' }] }], false],
    ['an empty term', [{}], false],
    ['no term', [], false],
    ['an operator nobody knows', zone('Like', ['a']), false],
  ])('%s', (_, terms, fits) => {
    expect(misfit(node(), affinity(terms))).toBe(fits ? undefined : 'other labels');
  });

  test('without any term is met by no node', () => {
    const required = { requiredDuringSchedulingIgnoredDuringExecution: {} };
    expect(misfit(node(), { affinity: { nodeAffinity: required } })).toBe('other labels');
  });

  test('is nothing where only a preference is given', () => {
    expect(misfit(node(), { affinity: {} })).toBeUndefined();
    expect(misfit(node(), { affinity: { nodeAffinity: {} } })).toBeUndefined();
  });
});

describe('a cordoned node', () => {
  test('takes a pod that tolerates it', () => {
    const cordoned = node({ unschedulable: true });
    expect(misfit(cordoned, {})).toBe('cordoned');
    expect(misfit(cordoned, { tolerations: [{ operator: 'Exists' }] })).toBeUndefined();
    const key = 'node.kubernetes.io/unschedulable';
    expect(misfit(cordoned, { tolerations: [{ key, operator: 'Exists' }] })).toBeUndefined();
  });
});

test('a taint counts unless it is only a preference', () => {
  expect(misfit(node({ taints: [TAINT] }), {})).toBe('tainted');
  expect(misfit(node({ taints: [{ ...TAINT, effect: 'PreferNoSchedule' }] }), {})).toBeUndefined();
});

// https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#concepts
describe('a taint pool=db:NoSchedule is tolerated by', () => {
  test.each([
    [{ key: 'pool', operator: 'Equal', value: 'db', effect: 'NoSchedule' }, true],
    [{ key: 'pool', value: 'db' }, true],
    [{ key: 'pool', operator: 'Exists' }, true],
    [{ key: 'pool', operator: 'Exists', effect: '' }, true],
    [{ operator: 'Exists' }, true],
    [{ key: '', operator: 'Exists' }, true],
    [{ key: '', value: 'db' }, false],
    [{ value: 'db' }, false],
    [{ key: 'pool', value: 'web' }, false],
    [{ key: 'pool' }, false],
    [{ key: 'disk', operator: 'Exists' }, false],
    [{ key: 'disk', value: 'db' }, false],
    [{ key: 'pool', operator: 'Exists', effect: 'NoExecute' }, false],
  ])('%j: %s', (toleration, fits) => {
    expect(misfit(node({ taints: [TAINT] }), { tolerations: [toleration] })).toBe(
      fits ? undefined : 'tainted',
    );
  });

  test('one of two tolerations, and of two taints each needs one', () => {
    const others = [
      { key: 'other', operator: 'Exists' },
      { key: 'pool', operator: 'Exists' },
    ];
    expect(misfit(node({ taints: [TAINT] }), { tolerations: others })).toBeUndefined();
    const taints = [TAINT, { key: 'spot', effect: 'NoExecute' }];
    expect(misfit(node({ taints }), { tolerations: others })).toBe('tainted');
  });
});

test('a taint without a value is tolerated by a toleration without one', () => {
  const taints = [{ key: 'spot', effect: 'NoExecute' }];
  expect(misfit(node({ taints }), { tolerations: [{ key: 'spot' }] })).toBeUndefined();
  expect(misfit(node({ taints }), { tolerations: [{ key: 'spot', value: 'yes' }] })).toBe('tainted');
});

test('a node without taints that has all labels asked for always fits', () => {
  const labels = fc.dictionary(fc.string(), fc.string());
  fc.assert(
    fc.property(labels, labels, (asked, others) => {
      expect(misfit(node({}, { ...others, ...asked }), { nodeSelector: asked })).toBeUndefined();
    }),
  );
});
