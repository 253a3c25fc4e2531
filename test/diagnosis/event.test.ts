import { expect, test } from 'vitest';
import { creationSymptom } from '../../src/diagnosis/event.ts';
import type { Subject } from '../../src/diagnosis/symptom.ts';
import { event } from './fixture.ts';

const set: Subject = { kind: 'StatefulSet', name: 'consul-client', uid: 's', role: 'client' };

test.each([
  [
    'create Pod consul-client-0 failed error: pods "consul-client-0" is forbidden: exceeded quota: small, requested: pods=1',
    'hopeless',
    10,
    'quota',
  ],
  [
    'pods "consul-client-0" is forbidden: violates PodSecurity "restricted:latest": privileged',
    'hopeless',
    10,
    'Pod Security',
  ],
  ['admission webhook "deny.example.com" denied the request: no', 'hopeless', 10, 'webhook'],
  ['Pod "consul-client-0" is invalid: spec.x: Invalid value: 1', 'hopeless', 10, 'patches'],
  [
    'Internal error occurred: failed calling webhook "w.example.com": connection refused',
    'transient',
    90,
    'webhook',
  ],
  ['etcdserver: request timed out', 'transient', 90, 'message'],
])('pods that are not made: %s', (message, kind, graceSeconds, hint) => {
  const symptom = creationSymptom(set, [event('SuccessfulCreate', ''), event('FailedCreate', message)]);
  expect(symptom).toMatchObject({ reason: 'pod-refused', class: kind, graceMs: graceSeconds * 1000 });
  expect(symptom?.hint).toContain(hint);
  expect(symptom?.what).toContain(message.slice(0, 40));
});

test('a refusal that nobody knows is told, with time to pass', () => {
  const symptom = creationSymptom(set, [event('FailedCreate', 'the moon is full')]);
  expect(symptom).toMatchObject({ class: 'transient', graceMs: 90_000, hint: 'See what the message names.' });
});

test('without a refusal there is no trouble', () => {
  expect(creationSymptom(set, [event('SuccessfulCreate', 'create Pod')])).toBeUndefined();
});
