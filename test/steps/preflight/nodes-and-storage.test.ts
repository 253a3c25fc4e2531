import { describe, expect, test } from 'vitest';
import type { Config, Patch } from '../../../src/config/config.ts';
import { render } from '../../../src/manifests/render.ts';
import { checkNodes, checkStorageClass } from '../../../src/steps/preflight/nodes-and-storage.ts';
import { type ClusterShape, NODES, type NodeShape, startCluster, startRun } from '../../session/fixture.ts';

const TAINT = { key: 'pool', value: 'db', effect: 'NoSchedule' };
const CONTROL_PLANE = { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' };

async function nodes(shape: ClusterShape, change: Partial<Config> = {}) {
  const { run, lines } = startRun(change);
  const { cluster, api } = await startCluster(shape);
  const mistakes = await checkNodes(run, cluster, render(run.config));
  return { mistakes, lines, asked: api.calls.some(({ path }) => path === '/api/v1/nodes') };
}

/** Two nodes that take everything, and this one. */
async function thirdNode(third: Omit<NodeShape, 'name'>, tolerations: object[] = []): Promise<boolean> {
  const target = { kind: 'StatefulSet', name: 'consul-server' };
  const patches: Patch[] = [{ target, merge: { spec: { template: { spec: { tolerations } } } } }];
  const { mistakes } = await nodes(
    { nodes: [...NODES.slice(0, 2), { name: 'third', ...third }] },
    { patches },
  );
  return mistakes?.length === 0;
}

describe('nodes', () => {
  test.each([
    [3, 3, 0],
    [3, 2, 1],
    [1, 1, 0],
    [1, 0, 1],
    [5, 3, 1],
  ] as const)('%i servers on %i nodes: %i shortages', async (servers, count, expected) => {
    const shape = { nodes: Array.from({ length: count }, (_, index) => ({ name: `node-${index}` })) };
    const { mistakes } = await nodes(shape, { servers });
    expect(mistakes).toHaveLength(expected);
    for (const mistake of mistakes ?? []) {
      expect(mistake).toMatch(
        `${servers === 1 ? '1 server needs a node' : `${servers} servers need ${servers} nodes, one each`}, and ${count} of ${count} take servers now. Servers beyond that wait`,
      );
    }
  });

  test('are counted on every page of the list', async () => {
    const { mistakes } = await nodes({ pageSize: 2 });
    expect(mistakes).toEqual([]);
  });

  test('on which servers run are counted on every page of the list', async () => {
    const cordoned = NODES.map((node) => ({ ...node, unschedulable: true }));
    const { mistakes } = await nodes({ nodes: cordoned, occupied: ['a', 'b', 'c'], pageSize: 2 });
    expect(mistakes).toEqual([]);
  });

  test('that take no pods are named', async () => {
    const shape = {
      nodes: [{ name: 'a' }, { name: 'b', unschedulable: true }, { name: 'c', taints: [CONTROL_PLANE] }],
    };
    const { mistakes } = await nodes(shape);
    expect(mistakes).toEqual([
      expect.stringContaining(
        '1 of 3 take servers now (cordoned: b; tainted: c). Servers beyond that wait for nodes',
      ),
    ]);
  });

  test.each([
    ['no taint', {}, true],
    ['cordoned', { unschedulable: true }, false],
    ['NoSchedule', { taints: [TAINT] }, false],
    ['NoExecute', { taints: [{ ...TAINT, effect: 'NoExecute' }] }, false],
    ['PreferNoSchedule', { taints: [{ ...TAINT, effect: 'PreferNoSchedule' }] }, true],
    ['not ready', { taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }] }, false],
  ])('a node with %s', async (_, third, fits) => {
    expect(await thirdNode(third)).toBe(fits);
  });

  // https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#concepts
  test.each([
    ['everything', { operator: 'Exists' }, true],
    ['everything, in words', { key: '', operator: 'Exists', effect: '' }, true],
    ['the key', { key: 'pool', operator: 'Exists' }, true],
    ['key and value', { key: 'pool', operator: 'Equal', value: 'db' }, true],
    ['key and value, Equal by default', { key: 'pool', value: 'db', effect: 'NoSchedule' }, true],
    ['another effect', { key: 'pool', operator: 'Exists', effect: 'NoExecute' }, false],
    ['another value', { key: 'pool', value: 'web' }, false],
    ['no value', { key: 'pool' }, false],
    ['another key', { key: 'pools', operator: 'Exists' }, false],
    ['no key, but Equal', { value: 'db' }, false],
  ])('servers that tolerate %s', async (_, toleration, fits) => {
    expect(await thirdNode({ taints: [TAINT] }, [toleration])).toBe(fits);
  });

  test('with two taints count when servers tolerate both', async () => {
    const taints = [TAINT, CONTROL_PLANE];
    expect(await thirdNode({ taints }, [{ key: 'pool', operator: 'Exists' }])).toBe(false);
    expect(
      await thirdNode({ taints }, [
        { key: 'pool', operator: 'Exists' },
        { ...CONTROL_PLANE, operator: 'Exists' },
      ]),
    ).toBe(true);
  });

  test.each([
    ['Windows', { 'kubernetes.io/os': 'windows' }, false],
    ['Linux', { 'kubernetes.io/os': 'linux' }, true],
  ])('of %s', async (_, labels, fits) => {
    expect(await thirdNode({ labels })).toBe(fits);
  });

  test('that do not have the labels of a node selector do not count', async () => {
    const target = { kind: 'StatefulSet', name: 'consul-server' };
    const merge = { spec: { template: { spec: { nodeSelector: { pool: 'db' } } } } };
    const os = { 'kubernetes.io/os': 'linux' };
    const shape = {
      nodes: NODES.map(({ name }, i) => ({ name, labels: { ...os, pool: i ? 'web' : 'db' } })),
    };
    const { mistakes } = await nodes(shape, { patches: [{ target, merge }] });
    expect(mistakes).toEqual([expect.stringContaining('1 of 3 take servers now (other labels: b, c).')]);
  });

  test('that run a server already keep it, cordoned or not', async () => {
    const shape = { nodes: [...NODES.slice(0, 2), { name: 'c', unschedulable: true }] };
    expect((await nodes({ ...shape, occupied: ['a', 'b', 'c'] })).mistakes).toEqual([]);
    expect((await nodes({ ...shape, occupied: ['a', 'b'] })).mistakes).toHaveLength(1);
  });

  test('do not matter without the anti-affinity', async () => {
    const target = { kind: 'StatefulSet', name: 'consul-server' };
    const patches: Patch[] = [
      { target, operations: [{ op: 'remove', path: '/spec/template/spec/affinity' }] },
    ];
    expect(await nodes({ nodes: [{ name: 'only' }] }, { patches })).toMatchObject({
      mistakes: 'unneeded',
      asked: false,
    });
  });

  test('that may not be listed are left out, and the log says so', async () => {
    const { mistakes, lines } = await nodes({ nodes: [], broken: { '/api/v1/nodes': 403 } });
    expect(mistakes).toBeUndefined();
    expect(lines.join()).toContain('nodes may not be listed');
  });

  test('that the API server does not list for another reason are a failure', async () => {
    await expect(nodes({ broken: { '/api/v1/nodes': 422 } })).rejects.toMatchObject({ name: 'Failure' });
  });
});

describe('the StorageClass', () => {
  async function classes(
    storageClasses: ClusterShape['storageClasses'] & object,
    change: Partial<Config> = {},
  ) {
    const { run } = startRun(change);
    const { cluster } = await startCluster({ storageClasses });
    return checkStorageClass(run, cluster, render(run.config));
  }

  test.each([
    ['the default', [{ name: 'slow' }, { name: 'fast', default: true }], {}, []],
    [
      'no default',
      [{ name: 'slow' }, { name: 'fast' }],
      {},
      ['storage-class: not given, and the cluster has no default StorageClass; there are slow, fast'],
    ],
    [
      'no class at all',
      [],
      {},
      ['storage-class: not given, and the cluster has no default StorageClass; there is none at all'],
    ],
    ['one by name', [{ name: 'slow' }], { storageClass: 'slow' }, []],
    [
      'one that is not there',
      [{ name: 'slow', default: true }],
      { storageClass: 'fast' },
      ['storage-class: there is no StorageClass fast; there are slow'],
    ],
    ['no volumes', [], { serverStorage: { kind: 'ephemeral' } } as const, 'unneeded'],
  ])('%s', async (_, storageClasses, change, mistakes) => {
    expect(await classes(storageClasses, change)).toEqual(mistakes);
  });

  test('with the empty name means a volume made by hand, and is not looked for', async () => {
    expect(await classes([], { storageClass: '' })).toEqual([]);
  });
});
