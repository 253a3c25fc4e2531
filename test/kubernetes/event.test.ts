import { expect, test } from 'vitest';
import { eventView } from '../../src/kubernetes/event.ts';

test.each([
  ['spec.containers{consul}', 'consul'],
  ['spec.initContainers{prepare}', 'prepare'],
  ['spec.nodeName', undefined],
  ['', undefined],
])('an event about %s tells the container: %s', (fieldPath, container) => {
  expect(eventView({ involvedObject: { fieldPath } }).container).toBe(container);
});

test('an event about a pod is about no container', () => {
  expect(eventView({ involvedObject: {} })).not.toHaveProperty('container');
});
