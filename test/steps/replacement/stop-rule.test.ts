import { describe, expect, it } from 'vitest';
import type { ServerEvidence } from '../../../src/consul/quorum/evidence.ts';
import type { Finding } from '../../../src/consul/quorum/finding.ts';
import type { PodView } from '../../../src/rollout/pod.ts';
import { mayStop, pendingOf } from '../../../src/steps/replacement/stop-rule.ts';
import { autopilotServer, logged, raftServer } from '../../consul/healthy-cluster.ts';

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

const NAMES = [0, 1, 2].map((ordinal) => `consul-server-${ordinal}`);

/** What the first server says of Raft while these are dead, or do not vote. */
const raftWith = ({
  dead = [],
  nonVoters = [],
}: {
  dead?: number[];
  nonVoters?: number[];
}): ServerEvidence => ({
  ...says('10.0.0.1:8300'),
  raft: [0, 1, 2].map((at) => ({ ...raftServer(at), voter: !nonVoters.includes(at) })),
  autopilot: {
    healthy: false,
    failureTolerance: 0,
    servers: [0, 1, 2].map((at) => ({
      ...autopilotServer(at),
      ...(nonVoters.includes(at) && { status: 'non-voter' }),
      ...(dead.includes(at) && { nodeStatus: 'failed', healthy: false }),
    })),
  },
});

const may = (
  known: { synced?: boolean; pods?: PodView[]; ephemeral?: boolean },
  look: { evidence?: ServerEvidence[]; findings?: Finding[] },
) =>
  mayStop(
    {
      workloads: {
        synced: known.synced ?? true,
        pods: () => known.pods ?? pods(true),
        serverNames: () => NAMES,
      },
      name: 'consul-server-2',
      isDataKept: known.ephemeral !== true,
    },
    { evidence: look.evidence ?? [says('10.0.0.1:8300')], findings: look.findings ?? [] },
  );

describe('by the logs of the servers, which are newer than what autopilot says,', () => {
  const look = (third: number, tolerance: boolean, voters = true) => ({
    evidence: [logged(0, 1_000), logged(1, 1_000), logged(2, third)],
    findings: [finding('quorum-voters', voters), finding('quorum-tolerance', tolerance)],
  });

  it('a server may stop when all have caught up, whatever autopilot still says', () => {
    expect(pendingOf(look(1_000, false), NAMES)).toBeUndefined();
    expect(may({}, look(1_000, false))).toBe('yes');
  });

  it('a server may not stop when one lacks entries, also while autopilot says nothing of it yet', () => {
    expect(pendingOf(look(10, true), NAMES)).toBe('consul-server-2 lacks 990 entries of the log');
    expect(may({}, look(10, true))).toBe('no');
  });

  it('a server may not stop while anything else is open', () => {
    expect(may({}, look(1_000, true, false))).toBe('no');
  });
});

describe('a server that will be replaced', () => {
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

  it('gives an election time', () => {
    expect(may({}, { ...missing, evidence: [says('')] })).toBe('stuck');
    expect(may({ pods: pods(false) }, { ...missing, evidence: [says('')] })).toBe('stuck');
  });

  it.each([undefined, 'ContainerCreating'])('gives a starting server time: %s', (waiting) => {
    const evidence = [raftWith({ dead: [2] })];
    expect(may({ pods: pods(false, waiting) }, { ...missing, evidence })).toBe('stuck');
  });

  const others = (ready: boolean, change: (pod: PodView) => PodView[]) =>
    pods(true).flatMap((pod) => (pod.name === 'consul-server-2' ? [{ ...pod, ready }] : change(pod)));
  const pending = (pod: PodView): PodView[] => [{ ...pod, phase: 'Pending', ready: false }];
  const silent = { ...says(), name: 'consul-server-2' };

  it.each<[string, Parameters<typeof may>[0], ServerEvidence[], string]>([
    // Leaderless.
    ['nobody leads, and all pods run', {}, [says('')], 'stuck'],
    ['nobody leads, and it is without a volume', { ephemeral: true }, [says('')], 'no'],
    ['nobody leads, and the other pods are missing', { pods: others(true, () => []) }, [says('')], 'no'],
    ['nobody leads, and the other pods are pending', { pods: others(false, pending) }, [says('')], 'no'],
    ['nobody leads, and it does not answer itself', { pods: pods(false) }, [says(''), silent], 'stuck'],
    ['nobody leads, and another one does not answer', {}, [says(''), says()], 'no'],
    // Led, and its probe fails.
    ['a leader is there, and it is dead to Raft', { pods: pods(false) }, [raftWith({ dead: [2] })], 'stuck'],
    [
      'a leader is there, and it does not vote',
      { pods: pods(false) },
      [raftWith({ nonVoters: [2] })],
      'stuck',
    ],
    ['Raft has a quorum without it', { pods: pods(false) }, [raftWith({})], 'stuck'],
    ['it is the second voter of three', { pods: pods(false) }, [raftWith({ dead: [1] })], 'no'],
    ['nobody tells whether Raft needs it', { pods: pods(false) }, [says('10.0.0.1:8300')], 'no'],
    [
      'it is dead to Raft, without a volume',
      { pods: pods(false), ephemeral: true },
      [raftWith({ dead: [2] })],
      'no',
    ],
    [
      'it is dead to Raft, and another pod is missing',
      { pods: others(false, () => []) },
      [raftWith({ dead: [2] })],
      'no',
    ],
    // Led and ready.
    ['a leader is there, and it is ready', {}, [raftWith({})], 'no'],
  ])('that Raft cannot do without: %s', (_, known, evidence, answer) => {
    expect(may(known, { ...missing, evidence })).toBe(answer);
  });

  it('has to wait while nothing is known: no pods told yet, no server asked, or none that answered', () => {
    expect(may({ synced: false, pods: [] }, { ...missing, evidence: [] })).toBe('no');
    expect(may({}, { ...missing, evidence: [] })).toBe('no');
    expect(may({}, { ...missing, evidence: [says()] })).toBe('no');
  });
});
