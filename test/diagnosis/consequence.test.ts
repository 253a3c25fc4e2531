import { expect, test } from 'vitest';
import { follows, hinders } from '../../src/diagnosis/consequence.ts';
import { agent, SERVERS } from '../../src/diagnosis/quorum.ts';
import type { Subject, Symptom } from '../../src/diagnosis/symptom.ts';
import { pod } from '../rollout/fixture.ts';
import { subject, symptom } from './fixture.ts';

const client = agent(pod('consul-client-0'), 'client');
const other: Subject = { ...client, name: 'consul-client-1', uid: 'another' };
const smoke = (of: Subject) => symptom({ reason: 'smoke', subject: of });
const unready = symptom({ reason: 'not-ready' });

test.each<[string, Symptom, Symptom[], Symptom[], boolean]>([
  [
    'a smoke test of an agent that is outside',
    smoke(client),
    [],
    [symptom({ reason: 'outside', subject: client })],
    true,
  ],
  [
    'a smoke test while another agent is outside',
    smoke(client),
    [],
    [symptom({ reason: 'outside', subject: other })],
    false,
  ],
  [
    'a smoke test of a pod that is not ready',
    smoke(client),
    [symptom({ reason: 'not-ready', subject: { ...client, kind: 'Pod' } })],
    [],
    true,
  ],
  [
    'a smoke test without a leader',
    smoke(SERVERS),
    [],
    [symptom({ reason: 'no-leader', subject: SERVERS })],
    true,
  ],
  [
    'a smoke test of a client beside a server that crashes',
    smoke(client),
    [symptom({ reason: 'crash' })],
    [],
    true,
  ],
  ['smoke tests, and nothing else', smoke(client), [smoke(client), smoke(SERVERS)], [], false],
  [
    'a server that is not ready without a quorum',
    unready,
    [unready],
    [symptom({ reason: 'no-leader' })],
    true,
  ],
  [
    'a server that is not ready beside one that crashes',
    unready,
    [unready, symptom({ reason: 'crash' })],
    [],
    true,
  ],
  ['a server that is not ready', unready, [unready], [], false],
  [
    'a client that is not ready without a quorum',
    symptom({ reason: 'not-ready', subject: client }),
    [],
    [symptom({ reason: 'no-leader' })],
    false,
  ],
  [
    'a server that crashes',
    symptom({ reason: 'crash' }),
    [unready],
    [symptom({ reason: 'no-leader' })],
    false,
  ],
])('%s is a consequence: %5$s', (_, one, symptoms, quorum, expected) => {
  expect(follows(one, symptoms, quorum)).toBe(expected);
});

test('a server that does not run keeps the quorum from being judged; one that only waits does not', () => {
  expect(hinders([symptom({ reason: 'crash', subject })])).toBe(true);
  expect(hinders([symptom({ reason: 'crash', subject: client }), unready, smoke(SERVERS)])).toBe(false);
  // As one that its liveness probe ends every other minute, because it is cut off.
  expect(hinders([symptom({ reason: 'crash', subject, runs: true })])).toBe(false);
});
