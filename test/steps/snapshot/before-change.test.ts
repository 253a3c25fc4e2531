import { expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import type { Consequence, PlannedChange } from '../../../src/report/result/change.ts';
import { snapshotBefore } from '../../../src/steps/snapshot/before-change.ts';
import {
  type Danger,
  dangerOf,
  takesSnapshot,
  tellPlannedSnapshot,
} from '../../../src/steps/snapshot/danger.ts';
import { deployed, startFakeApi } from '../../session/fake-api.ts';
import { config, startRun } from '../../session/fixture.ts';

const change = (kind: string, name: string, consequence: Consequence): PlannedChange => ({
  kind,
  name,
  consequence,
  fields: [],
  notes: [],
});

test.each<[string, PlannedChange[], Danger]>([
  ['nothing', [], 'none'],
  ['servers that roll', [change('StatefulSet', 'consul-server', 'rolls-pods')], 'servers'],
  ['servers that restart in their pods', [change('StatefulSet', 'consul-server', 'restarts')], 'servers'],
  ['clients that restart in their pods', [change('StatefulSet', 'consul-client', 'restarts')], 'none'],
  ['servers that are made anew', [change('StatefulSet', 'consul-server', 'recreate')], 'servers'],
  ['clients that roll', [change('StatefulSet', 'consul-client', 'rolls-pods')], 'none'],
  ['servers that reload', [change('ConfigMap', 'consul-server-config', 'reloads')], 'none'],
  ['a claim that goes', [change('PersistentVolumeClaim', 'data-consul-server-1', 'data-loss')], 'data-loss'],
  [
    'the gravest of several',
    [change('StatefulSet', 'consul-server', 'rolls-pods'), change('StatefulSet', 'x', 'data-loss')],
    'data-loss',
  ],
])('the danger of a plan with %s', (_, plan, danger) => {
  expect(dangerOf(config(), plan)).toBe(danger);
});

test('encryption that comes to a cluster that runs restarts its servers', () => {
  expect(dangerOf(config(), [], ['gossip: off → strict'])).toBe('servers');
  expect(dangerOf(config(), [change('StatefulSet', 'x', 'data-loss')], ['TLS: off → enforced'])).toBe(
    'data-loss',
  );
});

const KEY = { snapshotKey: { kind: 'passphrase', passphrase: 'twelve words' } } as const;

test.each<[Partial<Config>, Danger, boolean]>([
  [{}, 'destroy', false],
  [KEY, 'none', false],
  [KEY, 'servers', true],
  [KEY, 'data-loss', true],
  [KEY, 'destroy', true],
  [{ snapshotPlain: true }, 'servers', true],
  [{ ...KEY, snapshot: 'always' }, 'none', true],
  [{ ...KEY, snapshot: 'never' }, 'data-loss', false],
])('whether a snapshot is taken with %j before %s: %s', (inputs, danger, expected) => {
  expect(takesSnapshot(config(inputs), danger)).toBe(expected);
});

const ROLLS = [change('StatefulSet', 'consul-server', 'rolls-pods')];
const LOSES = [change('PersistentVolumeClaim', 'data-consul-server-1', 'data-loss')];

test.each<[Partial<Config>, PlannedChange[], string[], string | undefined]>([
  [
    KEY,
    ROLLS,
    [],
    'A snapshot of the servers that run is taken first, since servers are replaced or restarted.',
  ],
  [
    KEY,
    [],
    ['TLS: off → enforced'],
    'A snapshot of the servers that run is taken first, since servers are replaced or restarted.',
  ],
  [KEY, [], [], undefined],
  [
    { ...KEY, snapshot: 'always' },
    [],
    [],
    'A snapshot of the servers that run is taken first, since the input snapshot is always.',
  ],
  [
    {},
    LOSES,
    [],
    'No snapshot is taken first although data may be lost: there is no snapshot-key to encrypt it with.',
  ],
  [
    { ...KEY, snapshot: 'never' },
    LOSES,
    [],
    'No snapshot is taken first although data may be lost: the input snapshot is never.',
  ],
  [{}, [], [], undefined],
])('beside the plan stands whether a snapshot is taken: with %j', (inputs, plan, encryptionSteps, line) => {
  const { run } = startRun(inputs);
  Object.assign(run.known, { plan, encryptionSteps });
  tellPlannedSnapshot(run);
  expect(run.result().plannedSnapshot).toBe(line);
});

const SERVER = deployed('Pod', 'consul-server-0', { labels: { app: 'consul', 'consul-role': 'server' } });

/** What a run tells of the snapshot before a change of this kind. */
async function told(danger: Danger, inputs: Partial<Config>, pods: KubernetesObject[] = [SERVER]) {
  const api = await startFakeApi();
  api.put(...pods);
  const { run } = startRun(inputs);
  await snapshotBefore(run, api.cluster, danger);
  const { checks, warnings } = run.result();
  return { check: checks.find(({ id }) => id === 'snapshot'), warnings };
}

test.each<[Danger, Partial<Config>, string]>([
  ['servers', {}, 'one, since servers are replaced or restarted'],
  ['data-loss', {}, 'one, since data may be lost'],
  ['destroy', { mode: 'destroy', destroyData: true }, 'one, since all is removed'],
  ['destroy', { mode: 'destroy' }, 'one, since all but the volumes is removed'],
])(
  'that none is taken before %s for want of a key is a warning: with %j',
  async (danger, inputs, expected) => {
    const { check, warnings } = await told(danger, inputs);
    expect(check).toMatchObject({
      status: 'warning',
      expected,
      observed: expect.stringContaining('snapshot-key'),
    });
    expect(warnings).toEqual([expect.stringMatching(/^Snapshot: none is taken/)]);
  },
);

test.each<[string, Danger, Partial<Config>, KubernetesObject[]]>([
  ['nobody wants one', 'data-loss', { snapshot: 'never' }, [SERVER]],
  ['nothing is in danger', 'none', {}, [SERVER]],
  ['no server runs yet', 'servers', {}, []],
])('that none is taken is no warning where %s', async (_, danger, inputs, pods) => {
  expect(await told(danger, inputs, pods)).toEqual({ check: undefined, warnings: [] });
});
