import { expect, test } from 'vitest';
import type { ObjectOutcome } from '../../src/report/result/change.ts';
import { summary } from '../../src/report/summary.ts';
import { verdict } from '../../src/report/verdict.ts';
import { failure, success } from './example.ts';

const object = (name: string, action: ObjectOutcome['action']): ObjectOutcome => ({
  kind: 'Service',
  name,
  action,
});
const destroyed = (changed: boolean, ...objects: ObjectOutcome[]) =>
  success({ mode: 'destroy', changed, objects, durationMs: 12_300 });

test.each([
  [destroyed(true, object('a', 'removed'), object('b', 'removed')), 'Consul is removed: 2 objects in 12.3 s'],
  [
    destroyed(true, object('a', 'removed'), object('b', 'kept')),
    'Consul is removed: 1 object in 12.3 s, 1 kept',
  ],
  [destroyed(false), 'There was nothing to remove'],
])('the headline of a destroy, %#', (result, headline) => {
  expect(verdict(result).headline).toBe(headline);
});

test('a destroy that failed does not say anything about proofs', () => {
  const failed = { reason: 'not-removed', what: 'an object is still there', details: [] } as const;
  const result = failure({ mode: 'destroy', failure: { ...failed, details: [] }, checks: [] });
  expect(verdict(result).headline).toBe('Consul is not removed: an object is still there');
});

test('the summary names what was removed and what was kept', () => {
  const page = summary(destroyed(true, object('a', 'removed'), object('b', 'kept')));
  expect(page).toContain('Objects: 1 removed, 1 kept');
});
