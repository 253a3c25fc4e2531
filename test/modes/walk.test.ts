import { describe, expect, it } from 'vitest';
import type { ServerEvidence } from '../../src/consul/evidence.ts';
import type { Finding } from '../../src/consul/finding.ts';
import { mayStop } from '../../src/modes/walk.ts';
import { Log } from '../../src/report/log.ts';
import type { PodView } from '../../src/rollout/pod.ts';

const run = { log: new Log({ write: () => undefined, style: 'plain' }) };

const pods = (ready: boolean): PodView[] =>
  [0, 1, 2].map((ordinal) => ({
    name: `consul-server-${ordinal}`,
    uid: `uid-${ordinal}`,
    phase: 'Running',
    ready,
    terminating: false,
    imageIds: [],
    restarts: 0,
    labels: {},
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
  mayStop(run, { synced: known.synced ?? true, pods: () => known.pods ?? pods(true) }, 'consul-server-2', {
    evidence: look.evidence ?? [says('10.0.0.1:8300')],
    findings: look.findings ?? [],
  });

describe('a server that is to be replaced', () => {
  it('may stop when Raft can do without it', () => {
    expect(may({}, { findings: [finding('quorum-voters', true)] })).toBe(true);
  });

  it('has to wait for another that does not vote', () => {
    expect(may({}, { findings: [finding('quorum-voters', false)] })).toBe(false);
  });

  it('does not wait for versions, which differ on the way, nor for clients', () => {
    const findings = [finding('quorum-version', false), finding('quorum-members', false)];
    expect(may({}, { findings })).toBe(true);
  });

  it('may stop when it is broken anyway, or when nobody knows a leader', () => {
    const findings = [finding('quorum-voters', false)];
    expect(may({ pods: pods(false) }, { findings })).toBe(true);
    expect(may({}, { findings, evidence: [says('')] })).toBe(true);
  });

  it('has to wait while nothing is known: no pods told yet, no server asked, or none that answered', () => {
    const findings = [finding('quorum-voters', false)];
    expect(may({ synced: false, pods: [] }, { findings, evidence: [] })).toBe(false);
    expect(may({}, { findings, evidence: [] })).toBe(false);
    expect(may({}, { findings, evidence: [says()] })).toBe(false);
  });
});
