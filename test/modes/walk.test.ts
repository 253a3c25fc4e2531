import { describe, expect, it } from 'vitest';
import type { ServerEvidence } from '../../src/consul/evidence.ts';
import type { Finding } from '../../src/consul/finding.ts';
import { mayStop } from '../../src/modes/walk.ts';
import type { PodView } from '../../src/rollout/pod.ts';

const pods = (ready: boolean, waiting?: string): PodView[] =>
  [0, 1, 2].map((ordinal) => ({
    name: `consul-server-${ordinal}`,
    uid: `uid-${ordinal}`,
    phase: 'Running',
    ready,
    terminating: false,
    restarts: 0,
    containers: [],
    scheduled: true,
    labels: {},
    ...(waiting !== undefined && { waiting }),
  }));

const finding = (id: Finding['id'], passed: boolean): Finding => ({
  id,
  passed,
  title: id,
  expected: '',
  observed: 'consul-server-1 is not a voter',
});

const says = (leader?: string): ServerEvidence => ({
  name: 'consul-server-0',
  denied: [],
  errors: {},
  ...(leader !== undefined && { leader }),
});

const may = (
  known: { synced?: boolean; pods?: PodView[] },
  look: { evidence?: ServerEvidence[]; findings?: Finding[] },
) =>
  mayStop({ synced: known.synced ?? true, pods: () => known.pods ?? pods(true) }, 'consul-server-2', {
    evidence: look.evidence ?? [says('10.0.0.1:8300')],
    findings: look.findings ?? [],
  });

describe('a server that is to be replaced', () => {
  const missing = { findings: [finding('quorum-voters', false)] };

  it('may stop when Raft can do without it', () => {
    expect(may({}, { findings: [finding('quorum-voters', true)] })).toBe('yes');
  });

  it('has to wait for another that does not vote', () => {
    expect(may({}, missing)).toBe('no');
  });

  it('does not wait for versions, which differ on the way, nor for clients', () => {
    const findings = [finding('quorum-version', false), finding('quorum-members', false)];
    expect(may({}, { findings })).toBe('yes');
  });

  it.each(['CrashLoopBackOff: back-off', 'ImagePullBackOff', 'Unschedulable: 0/3 nodes'])(
    'may stop when its agent does not run: %s',
    (waiting) => {
      expect(may({ pods: pods(false, waiting) }, missing)).toBe('yes');
      expect(may({ pods: [] }, missing)).toBe('yes');
    },
  );

  it('gives an election and a starting server time', () => {
    expect(may({}, { ...missing, evidence: [says('')] })).toBe('stuck');
    expect(may({ pods: pods(false) }, missing)).toBe('stuck');
    expect(may({ pods: pods(false, 'ContainerCreating') }, missing)).toBe('stuck');
  });

  it('has to wait while nothing is known: no pods told yet, no server asked, or none that answered', () => {
    expect(may({ synced: false, pods: [] }, { ...missing, evidence: [] })).toBe('no');
    expect(may({}, { ...missing, evidence: [] })).toBe('no');
    expect(may({}, { ...missing, evidence: [says()] })).toBe('no');
  });
});
