import { expect, test } from 'vitest';
import type { Drift } from '../../../src/report/result/change.ts';
import { driftLines, driftTotals } from '../../../src/report/section/drift.ts';
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
