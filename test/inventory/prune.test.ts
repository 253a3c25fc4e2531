import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { entryKey, entryOf, union } from '../../src/inventory/entry.ts';
import type { InventoryEntry } from '../../src/inventory/inventory.ts';
import {
  type Fate,
  fateOf,
  leftovers,
  mostPruned,
  type OtherRecords,
  pruneCandidates,
  spareInDestroy,
} from '../../src/inventory/prune.ts';
import { inventory, object } from './fixture.ts';

const NOBODY = { named: new Map<string, string>() };
const ui = object('Service', 'consul-ui');
const server = object('Service', 'consul-server');
const entry = (one: typeof ui, uid?: string) => ({ ...entryOf(one), ...(uid !== undefined && { uid }) });

describe('what is no longer rendered', () => {
  test.each<[string, ReturnType<typeof entry>[], (typeof ui)[], string[]]>([
    ['nothing, when all of it is', [entry(ui, '1'), entry(server, '2')], [server, ui], []],
    ['an object', [entry(ui, '1'), entry(server, '2')], [server], ['consul-ui']],
    [
      'the object of another namespace',
      [entry(ui, '1')],
      [object('Service', 'consul-ui', { namespace: 'other' })],
      ['consul-ui'],
    ],
    [
      'the object of another kind',
      [entry(object('StatefulSet', 'consul-client'), '1')],
      [object('DaemonSet', 'consul-client')],
      ['consul-client'],
    ],
    [
      'nothing, when only its version is another',
      [{ ...entry(ui, '1'), apiVersion: 'policy/v1beta1' }],
      [{ ...ui, apiVersion: 'policy/v1' }],
      [],
    ],
    ['nothing of an empty inventory', [], [ui], []],
  ])('%s', (_, entries, rendered, names) => {
    expect(leftovers(inventory({ entries }), rendered).map(({ name }) => name)).toEqual(names);
    expect(pruneCandidates(inventory({ entries }), rendered, 'consul').map(({ name }) => name)).toEqual(
      names,
    );
  });

  test.each(['Namespace', 'PersistentVolume', 'PersistentVolumeClaim', 'CustomResourceDefinition', 'Secret'])(
    'a %s is never a candidate',
    (kind) => {
      const entries = [entry(object(kind, 'a'), '1')];
      expect(leftovers({ entries }, [])).toHaveLength(1);
      expect(pruneCandidates({ entries }, [], 'consul')).toEqual([]);
    },
  );
});

test('a volume claim is data, also under the name of a configuration', () => {
  const entries = [entry(object('PersistentVolumeClaim', 'consul-server-config'), '1')];
  expect(pruneCandidates({ entries }, [], 'consul')).toEqual([]);
});

test('whatever was rendered before and is now, everything is accounted for once', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  const kind = fc.constantFrom('Service', 'ConfigMap', 'Secret', 'Namespace', 'StatefulSet');
  const rendered = fc.uniqueArray(
    fc.tuple(kind, name).map(([kind, name]) => object(kind, name)),
    { selector: ({ kind, metadata }) => `${kind} ${metadata.name}` },
  );
  fc.assert(
    fc.property(rendered, rendered, (before, now) => {
      const entries = before.map((one) => entryOf(one));
      const keys = (all: readonly InventoryEntry[]) => all.map(entryKey).sort();
      const left = leftovers({ entries }, now);
      const candidates = pruneCandidates({ entries }, now, 'consul');
      // Before the apply the record names all of it; after it, what is rendered and what is left.
      expect(
        keys(
          union(
            entries,
            now.map((one) => entryOf(one)),
          ),
        ),
      ).toEqual(keys([...now.map((one) => entryOf(one)), ...left]));
      expect(keys(left)).toEqual(expect.arrayContaining(keys(candidates)));
      expect(candidates.map((one) => one.kind)).not.toContain('Secret');
      expect(candidates.map((one) => one.kind)).not.toContain('Namespace');
    }),
  );
});

describe('how many may be removed', () => {
  const entries = Array.from({ length: 14 }, (_, i) => entry(object('Service', `s${i}`)));
  test.each([
    [{ kind: 'count', count: 3 } as const, 3],
    [{ kind: 'count', count: 0 } as const, 0],
    [{ kind: 'percent', percent: 30 } as const, 4],
    [{ kind: 'percent', percent: 0 } as const, 0],
    [{ kind: 'percent', percent: 100 } as const, 14],
  ])('%j: %i of 14', (limit, most) => {
    expect(mostPruned({ entries }, limit)).toBe(most);
  });
});

describe('the fate of one of them', () => {
  const ours = {
    uid: '1',
    managedFields: [
      {
        manager: 'consul-deploy',
        operation: 'Apply',
        apiVersion: 'v1',
        fieldsType: 'FieldsV1',
        fieldsV1: {},
      },
    ],
    labels: { 'app.kubernetes.io/managed-by': 'consul-deploy', 'app.kubernetes.io/instance': 'consul' },
  };
  const live = (change: object = {}, kind = 'Service') => object(kind, 'consul-ui', { ...ours, ...change });
  const owner = (controller: boolean) => [
    { apiVersion: 'v1', kind: 'Endpoints', name: 'e', uid: 'x', controller },
  ];

  test.each<[string, ReturnType<typeof live> | undefined, Fate]>([
    ['it is as we left it', live(), { action: 'remove' }],
    ['it has no labels, as a post-renderer may want it', live({ labels: undefined }), { action: 'remove' }],
    [
      'it has an owner that does not control it',
      live({ ownerReferences: owner(false) }),
      { action: 'remove' },
    ],
    ['it is gone', undefined, { action: 'forget' }],
    [
      'it was recreated',
      live({ uid: '2' }),
      { action: 'keep', why: 'somebody else recreated it', forget: true },
    ],
    [
      'a controller has it',
      live({ ownerReferences: owner(true) }),
      { action: 'keep', why: 'it belongs to Endpoints/e now', forget: true },
    ],
    [
      'another deployment has it',
      live({ labels: { ...ours.labels, 'app.kubernetes.io/instance': 'other' } }),
      { action: 'keep', why: 'it belongs to the deployment "other" now', forget: true },
    ],
    [
      'others have all of its fields',
      live({ managedFields: [] }),
      { action: 'keep', why: 'no field of it is ours any more', forget: true },
    ],
    [
      'somebody else writes all of its fields',
      live({ managedFields: ours.managedFields.map((one) => ({ ...one, manager: 'kubectl' })) }),
      { action: 'keep', why: 'no field of it is ours any more', forget: true },
    ],
    [
      'it is a Secret',
      live({}, 'Secret'),
      { action: 'keep', why: 'a Secret is never removed by a deploy', forget: false },
    ],
    [
      'its owner wants it',
      live({ annotations: { 'consul-deploy/prune': 'keep' } }),
      { action: 'keep', why: 'its annotation consul-deploy/prune says so', forget: false },
    ],
    [
      'it is in a namespace that we have made',
      live({}, 'Namespace'),
      { action: 'keep', why: 'a Namespace is never removed by a deploy', forget: false },
    ],
    [
      'its annotation says something else',
      live({ annotations: { 'consul-deploy/prune': 'yes' } }),
      { action: 'remove' },
    ],
  ])('when %s', (_, found, fate) => {
    expect(
      fateOf(entry(object(found?.kind ?? 'Service', 'consul-ui'), '1'), found, 'consul', { others: NOBODY }),
    ).toEqual(fate);
  });

  const applying = (manager: string, operation = 'Apply') => [
    ...ours.managedFields,
    { manager, operation, apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: {} },
  ];
  const shared = { named: new Map([[entryKey(entry(ui)), 'b']]) };
  const hidden = { named: new Map<string, string>(), unread: 'may not be listed' };
  test.each<[string, ReturnType<typeof live>, OtherRecords, Fate]>([
    [
      'the record of another deployment names it',
      live({ labels: undefined }),
      shared,
      { action: 'keep', why: 'it is in the record of the deployment "b", too', forget: true },
    ],
    [
      'it has our label, and the record of another deployment names it',
      live(),
      shared,
      { action: 'keep', why: 'it is in the record of the deployment "b", too', forget: true },
    ],
    [
      'it has no label of ours, and the records of others cannot be read',
      live({ labels: { app: 'x' } }),
      hidden,
      {
        action: 'keep',
        why: 'it may belong to another deployment, too: may not be listed',
        forget: false,
      },
    ],
    ['it has our label, whoever else may be there', live(), hidden, { action: 'remove' }],
    [
      'it has no label of ours, and somebody else applies it',
      live({ labels: undefined, managedFields: applying('flux') }),
      NOBODY,
      { action: 'keep', why: '"flux" applies it, too', forget: false },
    ],
    [
      'it has no label of ours, and somebody has changed it once',
      live({ labels: undefined, managedFields: applying('kubectl-edit', 'Update') }),
      NOBODY,
      { action: 'remove' },
    ],
    [
      'it has no label of ours, and a controller applies its status',
      live({
        labels: undefined,
        managedFields: applying('kube-controller-manager').map((one) =>
          one.manager === 'consul-deploy' ? one : { ...one, subresource: 'status' },
        ),
      }),
      NOBODY,
      { action: 'remove' },
    ],
    [
      'it has the label of another tool, and the same instance',
      live({ labels: { ...ours.labels, 'app.kubernetes.io/managed-by': 'Helm' } }),
      hidden,
      {
        action: 'keep',
        why: 'it may belong to another deployment, too: may not be listed',
        forget: false,
      },
    ],
    [
      'it has our label, and somebody else applies it',
      live({ managedFields: applying('flux') }),
      NOBODY,
      { action: 'remove' },
    ],
  ])('when %s', (_, found, others, fate) => {
    expect(fateOf(entry(ui, '1'), found, 'consul', { others })).toEqual(fate);
  });

  test('of one that a killed run may have made goes by its fields', () => {
    const unknown = entry(object('Service', 'consul-ui'));
    expect(fateOf(unknown, live(), 'consul', { others: NOBODY })).toEqual({ action: 'remove' });
    expect(fateOf(unknown, live({ managedFields: [] }), 'consul', { others: NOBODY })).toMatchObject({
      action: 'keep',
    });
  });

  test.each(['consul-server-config', 'consul-client-config'])(
    'the Secret %s is rendered from the inputs, and goes as its ConfigMap does',
    (name) => {
      const one = entry(object('Secret', name), '1');
      expect(pruneCandidates({ entries: [one] }, [], 'consul')).toEqual([one]);
      expect(pruneCandidates({ entries: [one] }, [], 'other')).toEqual([]);
      const found = { ...live({}, 'Secret'), metadata: { ...live({}, 'Secret').metadata, name } };
      expect(fateOf(one, found, 'consul', { others: NOBODY })).toEqual({ action: 'remove' });
      expect(fateOf(one, found, 'consul', { others: NOBODY, spare: spareInDestroy(false) })).toEqual({
        action: 'remove',
      });
    },
  );

  test.each([
    ['Service', false, 'remove'],
    ['StatefulSet', false, 'remove'],
    ['Secret', false, 'keep'],
    ['PersistentVolumeClaim', false, 'keep'],
    ['Secret', true, 'remove'],
    ['PersistentVolumeClaim', true, 'remove'],
    ['Namespace', true, 'keep'],
    ['Namespace', false, 'keep'],
    ['CustomResourceDefinition', false, 'keep'],
  ])('in a destroy: %s, with destroy-data %s: %s', (kind, destroyData, action) => {
    const one = entry(object(kind, 'consul-ui'), '1');
    const fate = fateOf(one, live({}, kind), 'consul', {
      others: NOBODY,
      spare: spareInDestroy(destroyData),
    });
    expect(fate.action).toBe(action);
    if (fate.action !== 'keep') return;
    expect(fate.why).toBe(
      kind === 'Namespace'
        ? 'its namespace goes last, if at all'
        : `a ${kind} is data, and destroy-data is false`,
    );
  });
});
