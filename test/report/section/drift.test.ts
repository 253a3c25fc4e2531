import { expect, test } from 'vitest';
import type { Drift } from '../../../src/report/result/change.ts';
import { driftedObjects, driftLines, driftTotals } from '../../../src/report/section/drift.ts';
import { summary } from '../../../src/report/summary.ts';
import { verdict } from '../../../src/report/verdict.ts';
import { failure, success } from '../example.ts';

const SCALED: Drift = {
  kind: 'StatefulSet',
  name: 'consul-client',
  namespace: 'consul',
  what: 'changed',
  fields: [{ path: '.spec.replicas', before: '10', after: '4' }],
  by: 'kubectl (scale)',
  at: '2026-03-01T09:00:00Z',
};
const LABELS: Drift = {
  kind: 'StatefulSet',
  name: 'consul-client',
  namespace: 'consul',
  what: 'changed',
  fields: [
    { path: '.metadata.labels.app', before: '"consul"' },
    { path: '.metadata.labels.tier', after: '"x|y"' },
  ],
};
const GONE: Drift = { kind: 'Service', name: 'consul-ui', namespace: 'consul', what: 'missing', fields: [] };
const NEW: Drift = {
  kind: 'ConfigMap',
  name: 'consul-extra',
  what: 'unexpected',
  fields: [],
  by: 'kubectl-create',
  at: '2026-03-01T08:00:00Z',
};
const ALL = [SCALED, LABELS, GONE, NEW];

test('totals count objects once, whoever changed them', () => {
  expect(driftTotals(ALL)).toBe('3 fields of 1 object changed, 1 object missing, 1 object unexpected');
  expect(driftTotals([])).toBe('');
});

test('a line of evidence for each field, with who and when where that is known', () => {
  expect(ALL.flatMap(driftLines)).toEqual([
    'StatefulSet/consul-client .spec.replicas: deployed 10, live 4, changed by "kubectl (scale)" at 2026-03-01T09:00:00Z',
    'StatefulSet/consul-client .metadata.labels.app: deployed "consul", live nothing',
    'StatefulSet/consul-client .metadata.labels.tier: deployed nothing, live "x|y"',
    'Service/consul-ui: it is missing',
    'ConfigMap/consul-extra: it was not deployed, made by "kubectl-create" at 2026-03-01T08:00:00Z',
  ]);
});

test('a table of a row for each field, every text escaped', () => {
  const page = summary(success({ mode: 'verify', drift: ALL }));
  const start = page.indexOf('### Drift');
  expect(page.slice(start, page.indexOf('\n\n### Checks', start))).toBe(
    [
      '### Drift: 3 fields of 1 object changed, 1 object missing, 1 object unexpected',
      '',
      '| Object | Field | Deployed | Live | By | At |',
      '|:--|:--|:--|:--|:--|:--|',
      '| `StatefulSet/consul-client` | `.spec.replicas` | `10` | `4` | <code>kubectl (scale)</code> | 2026-03-01T09:00:00Z |',
      '| `StatefulSet/consul-client` | `.metadata.labels.app` | <code>"consul"</code> | _nothing_ |  |  |',
      '| `StatefulSet/consul-client` | `.metadata.labels.tier` | _nothing_ | <code>"x&#124;y"</code> |  |  |',
      '| `Service/consul-ui` | it is missing |  |  |  |  |',
      '| `ConfigMap/consul-extra` | it was not deployed |  |  | `kubectl-create` | 2026-03-01T08:00:00Z |',
    ].join('\n'),
  );
});

test.each([
  ['verify', undefined, 'Consul works and is as deployed: 3 voters'],
  ['verify', ALL, 'Consul works, but 3 objects are not as deployed: 3 voters'],
  ['verify', [GONE], 'Consul works, but 1 object is not as deployed: 3 voters'],
  ['deploy', undefined, 'Consul works: 3 voters'],
] as const)('the headline of %s with %j', (mode, drift, headline) => {
  const result = success({ mode, ...(drift && { drift: [...drift] }) });
  expect(verdict(result).headline).toContain(headline);
});

test('the headline of drift alone does not say that Consul is broken', () => {
  const drifted = failure({
    mode: 'verify',
    failure: { reason: 'drift', what: '1 object missing', details: [] },
  });
  expect(verdict(drifted).headline).toBe('Consul is not as it was deployed: 1 object missing');
});

test('objects are the same where kind, namespace and name are', () => {
  const others: Drift[] = [
    GONE,
    { ...GONE, kind: 'Secret' },
    { ...GONE, namespace: 'b' },
    { ...GONE, name: 'b' },
  ];
  expect(driftedObjects([...others, ...others])).toBe(4);
  expect(driftTotals([...others, ...others])).toBe('4 objects missing');
  const fields = [{ path: '.a' }, { path: '.b' }, { path: '.a' }];
  const changed = others.map((one): Drift => ({ ...one, what: 'changed', fields }));
  expect(driftTotals([...changed, { ...NEW, fields }])).toBe(
    '8 fields of 4 objects changed, 1 object unexpected',
  );
});

test('what has another object of its name is told with what differs in that', () => {
  const replaced: Drift = { ...GONE, what: 'replaced', fields: [{ path: '.uid', before: '1' }], at: 'noon' };
  expect(driftTotals([replaced])).toBe('1 object replaced');
  expect(driftLines(replaced)).toEqual([
    'Service/consul-ui: it was removed, and there is another of that name, made at noon',
    'Service/consul-ui .uid: deployed 1, live nothing, changed at noon',
  ]);
  const page = summary(success({ mode: 'verify', drift: [replaced] }));
  expect(page).toContain(
    [
      '| `Service/consul-ui` | it was removed, and there is another of that name |  |  |  | noon |',
      '| `Service/consul-ui` | `.uid` | `1` | _nothing_ |  | noon |',
      '',
    ].join('\n'),
  );
});

test('without drift there is no section of it, and of many rows it says how many are not shown', () => {
  expect(summary(success({ drift: [] }))).not.toContain('Drift');
  const fields = Array.from({ length: 500 }, (_, index) => ({ path: `.f${index}` }));
  expect(summary(success({ drift: [{ ...SCALED, fields }] }), 9000)).toMatch(
    /_\d+ more fields that differ are not shown/,
  );
});
