import { expect, test } from 'vitest';
import type { ServerEvidence } from '../../../src/consul/quorum/evidence.ts';
import type { AgentPod } from '../../../src/session/agent-pods.ts';
import { follower } from '../../../src/steps/sweep/follower.ts';
import { pod } from '../../rollout/fixture.ts';
import { startRun } from '../../session/fixture.ts';

const server = (name: string): AgentPod => ({ ...pod(name), role: 'server' });
const said = (name: string, change: Partial<ServerEvidence> = {}): ServerEvidence => ({
  ...{ name, leader: '10.0.0.1:8300', members: [], denied: [], errors: {} },
  ...change,
});
const PODS = [server('a'), server('b')];

test('a sweep asks a server that knows the leader and the members', () => {
  const { run } = startRun({ mode: 'sweep' });
  const evidence = [said('a', { leader: '' }), said('b')];
  expect(follower(run, PODS, evidence).name).toBe('b');
});

test.each<[string, AgentPod[], ServerEvidence[], string]>([
  ['there is no server', [], [], 'not-deployed'],
  ['none of them runs', PODS, [], 'no-leader'],
  ['none knows a leader', PODS, [said('a', { leader: '' }), said('b', { leader: '' })], 'no-leader'],
  ['they follow two leaders', PODS, [said('a'), said('b', { leader: '10.0.0.2:8300' })], 'split'],
  ['ACLs hide the members', PODS, [said('a'), said('b', { denied: ['members'] })], 'acl-denied'],
])('a sweep where %s looks at nothing, and removes nothing', (_, pods, evidence, reason) => {
  const { run } = startRun({ mode: 'sweep' });
  expect(() => follower(run, pods, evidence)).toThrow(
    expect.objectContaining({ reason, where: expect.any(String), hint: expect.any(String) }),
  );
});
