import { expect, test } from 'vitest';
import { withoutConsent } from '../../src/change/consent.ts';
import type { PlannedChange } from '../../src/report/result/change.ts';

const change = (kind: string, name: string, consequence: PlannedChange['consequence']): PlannedChange => ({
  kind,
  name,
  consequence,
  fields: [],
  notes: [],
});
const PLAN = [
  change('StatefulSet', 'consul-server', 'data-loss'),
  change('PersistentVolumeClaim', 'logs.a', 'data-loss'),
  change('StatefulSet', 'consul-client', 'delete'),
];

test.each<[string[], string[]]>([
  [[], ['consul-server', 'logs.a']],
  [['StatefulSet/consul-server'], ['logs.a']],
  [['StatefulSet/*'], ['logs.a']],
  [['*/consul-server', 'PersistentVolumeClaim/*'], []],
  [['*/*'], []],
  [['Service/consul-server'], ['consul-server', 'logs.a']],
  [['!Service/*'], ['consul-server', 'logs.a']],
])('with consent to %j these may not be lost: %j', (globs, names) => {
  expect(withoutConsent(PLAN, globs).map(({ name }) => name)).toEqual(names);
});
