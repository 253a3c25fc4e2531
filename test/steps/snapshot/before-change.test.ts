import { expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import type { Consequence, PlannedChange } from '../../../src/report/result/change.ts';
import { type Danger, dangerOf, takesSnapshot } from '../../../src/steps/snapshot/before-change.ts';
import { config } from '../../session/fixture.ts';

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
