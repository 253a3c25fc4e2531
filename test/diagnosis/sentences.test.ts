import { expect, test } from 'vitest';
import type { ServerEvidence } from '../../src/consul/quorum/evidence.ts';
import { type ExpectedCluster, judgeQuorum } from '../../src/consul/quorum/quorum.ts';
import { apiSymptom } from '../../src/diagnosis/api.ts';
import { crashSymptom, startSymptom } from '../../src/diagnosis/crash.ts';
import { electionSymptom } from '../../src/diagnosis/election.ts';
import { creationSymptom } from '../../src/diagnosis/event.ts';
import { CAUSES, logSymptom, witnessSymptom } from '../../src/diagnosis/log.ts';
import { podSymptoms, unsteadySymptom } from '../../src/diagnosis/pod.ts';
import { quorumSymptoms } from '../../src/diagnosis/quorum.ts';
import { heldBackSymptom } from '../../src/diagnosis/revision.ts';
import { smokeSymptom } from '../../src/diagnosis/smoke.ts';
import type { Symptom } from '../../src/diagnosis/symptom.ts';
import type { FailureReason } from '../../src/failure.ts';
import type { PodView } from '../../src/rollout/pod.ts';
import { cluster, expected, healthy, lone, type member, raftServer } from '../consul/healthy-cluster.ts';
import { pod } from '../rollout/fixture.ts';
import { ailing, container, context, event, subject, waiting } from './fixture.ts';

/** What is said of each symptom, to the letter: people search for these words, and reports quote them. */
type Row = [FailureReason, what: string, seen: Symptom | readonly Symptom[] | undefined];

const ofPod = (change: Partial<PodView>, more = {}) => podSymptoms(ailing(change), context(more));
const ofContainer = (reason: string, message: string) => ofPod({ containers: [waiting(reason, message)] });

const servers = [0, 1, 2].map((at) => pod(`consul-server-${at}`, { ip: `10.0.0.${at + 1}` }));
const clients = new Map([['consul-client-0', pod('consul-client-0', { ip: '10.0.1.1' })]]);
function ofQuorum(
  evidence: readonly ServerEvidence[],
  { pods = servers, want = {} }: { pods?: PodView[]; want?: Partial<ExpectedCluster> } = {},
) {
  const findings = judgeQuorum(evidence, { ...expected, ...want });
  return quorumSymptoms({ evidence, findings, servers: pods, clients, allClients: true });
}
const inPool = (change: Partial<ReturnType<typeof member>>) =>
  cluster().map((said) => ({
    ...said,
    members: said.members?.map((one) => (one.name === 'consul-client-0' ? { ...one, ...change } : one)) ?? [],
  }));
const advertising = (ip: string | undefined) =>
  servers.map((one, at): PodView => {
    if (at !== 1) return one;
    const { ip: _, ...rest } = one;
    return { ...rest, advertisesService: true, ...(ip !== undefined && { ip }) };
  });
const everywhere = (change: Partial<ServerEvidence>) => cluster().map((said) => ({ ...said, ...change }));
const ended = { reason: 'Error', exitCode: 1, message: 'boom' };
const log = (line: string) => `2026-01-01T00:00:00.000Z [ERROR] ${line}`;

const ROWS: Row[] = [
  [
    'image',
    'ErrImagePull: docker.io/consul:9: not found',
    ofContainer('ErrImagePull', 'rpc error: code = NotFound desc = docker.io/consul:9: not found'),
  ],
  ['image', 'ImagePullBackOff', ofContainer('ImagePullBackOff', '')],
  [
    'image',
    'its image is on its way: Pulling image "consul:1"',
    ofPod(
      { containers: [waiting('ContainerCreating')] },
      { events: [event('Pulling', 'Pulling image "consul:1"')] },
    ),
  ],
  [
    'missing-reference',
    'CreateContainerConfigError: configmap "nope" not found',
    ofContainer('CreateContainerConfigError', 'configmap "nope" not found'),
  ],
  [
    'missing-reference',
    'FailedMount: configmap "nope" not found',
    ofPod(
      { containers: [waiting('ContainerCreating')] },
      { events: [event('FailedMount', 'configmap "nope" not found')] },
    ),
  ],
  ['broken-container', 'RunContainerError: no such file', ofContainer('RunContainerError', 'no such file')],
  [
    'broken-container',
    'StartError: no such file',
    crashSymptom(
      subject,
      container({ ended: { reason: 'StartError', exitCode: 128, message: 'no such file' } }),
      0,
    ),
  ],
  ['broken-container', 'NeverSeenBefore: why', startSymptom(subject, waiting('NeverSeenBefore', 'why'))],
  [
    'broken-container',
    'FailedCreatePodSandBox: no network',
    ofPod(
      { containers: [waiting('ContainerCreating')] },
      { events: [event('FailedCreatePodSandBox', 'no network')] },
    ),
  ],
  ['crash', 'it ended: exit code 1 (boom), once so far', crashSymptom(subject, container({ ended }), 0)],
  [
    'crash',
    'it ended: exit code 1 (boom), 3 times so far',
    crashSymptom(subject, container({ ended, restarts: 2 }), 0),
  ],
  ['crash', 'it ended, once so far', crashSymptom(subject, waiting('CrashLoopBackOff'), 0)],
  [
    'crash',
    'it ended: DeadlineExceeded, exit code 1 (boom), once so far',
    crashSymptom(subject, container({ ended: { ...ended, reason: 'DeadlineExceeded' } }), 0),
  ],
  [
    'out-of-memory',
    'it was killed for taking more memory than its limit, once so far',
    crashSymptom(subject, container({ ended: { ...ended, reason: 'OOMKilled' } }), 0),
  ],
  [
    'unschedulable',
    'no node for it: 0/3 nodes are available: 3 Insufficient cpu',
    ofPod({ scheduled: false, unschedulable: '0/3 nodes are available: 3 Insufficient cpu. preemption: no' }),
  ],
  [
    'storage',
    'its volume claim data-0 is not bound: no provisioner',
    ofPod(
      { scheduled: false },
      { claims: [{ name: 'data-0', events: [event('ProvisioningFailed', 'no provisioner')] }] },
    ),
  ],
  [
    'storage',
    'FailedAttachVolume: Multi-Attach error',
    ofPod(
      { containers: [waiting('ContainerCreating')] },
      { events: [event('FailedAttachVolume', 'Multi-Attach error')] },
    ),
  ],
  [
    'pod-refused',
    'its pods are refused: exceeded quota: all',
    creationSymptom(subject, [event('FailedCreate', 'exceeded quota: all')]),
  ],
  ['node-lost', 'its node n1 is not ready', ofPod({}, { node: { name: 'n1', ready: false } })],
  [
    'node-lost',
    'it was ended from outside: Evicted: low on memory',
    ofPod({ evicted: 'Evicted: low on memory' }),
  ],
  [
    'not-ready',
    'it runs and is not ready',
    ofPod({ containers: [container({ running: true, started: true })] }),
  ],
  [
    'not-ready',
    'it runs and is not ready: Readiness probe failed',
    ofPod(
      { containers: [container({ running: true, started: true })] },
      { events: [event('Unhealthy', 'Readiness probe failed')] },
    ),
  ],
  [
    'not-ready',
    'its readiness comes and goes: lost 3 times within the last minute',
    unsteadySymptom(ailing(), 'server', [1_000, 2_000, 3_000]),
  ],
  [
    'held-back',
    'consul-server-0 has the revision before',
    heldBackSymptom(subject, 'consul-server-0 has the revision before'),
  ],
  ['unreachable', 'it does not answer any more: timed out', apiSymptom('timed out')],
  ['smoke', 'Key fails: no answer', smokeSymptom(subject, 'Key', 'no answer')],
  ['quorum', 'no leader lasts: 4 elections within the last minute', electionSymptom(4)],
  [
    'quorum',
    'Voters: consul-server-2 is not a voter',
    ofQuorum(everywhere({ raft: [0, 1, 2].map((at) => ({ ...raftServer(at), voter: at < 2 })) })),
  ],
  [
    'quorum',
    'it tells others the address 10.0.0.2, and its Service is gone',
    ofQuorum(everywhere({ version: '1.22.6' }), { pods: advertising(undefined) }),
  ],
  [
    'quorum',
    'it tells others the address 10.0.0.2, and its Service has 10.0.0.9',
    ofQuorum(everywhere({ version: '1.22.6' }), { pods: advertising('10.0.0.9') }),
  ],
  [
    'split',
    'consul-server-0 follows 10.0.0.1:8300, consul-server-1 follows 10.0.0.2:8300, consul-server-2 follows 10.0.0.3:8300',
    ofQuorum([lone(0), lone(1), lone(2)]),
  ],
  [
    'no-leader',
    'no leader: consul-server-0 sees 3 servers, needs 2 votes of 3',
    ofQuorum(everywhere({ leader: '' })),
  ],
  [
    'cut-off',
    'it sees no leader, while others follow 10.0.0.1:8300',
    ofQuorum([healthy(0), healthy(1), healthy(2, { leader: '' })]),
  ],
  [
    'cut-off',
    'its agent does not answer: refused',
    ofQuorum([
      healthy(0),
      healthy(1),
      { name: 'consul-server-2', denied: [], errors: { leader: 'refused' } },
    ]),
  ],
  [
    'acl-denied',
    'its ACLs hide members, raft from whoever has no token',
    ofQuorum([healthy(0, { denied: ['members', 'raft'] }), healthy(1), healthy(2)]),
  ],
  [
    'wrong-version',
    'consul-server-1 runs 1.22.2, not 1.22.7',
    ofQuorum([healthy(0), healthy(1, { version: '1.22.2' }), healthy(2)]),
  ],
  [
    'wrong-datacenter',
    'consul-server-1 is in dc2, not dc1',
    ofQuorum([healthy(0), healthy(1, { datacenter: 'dc2' }), healthy(2)]),
  ],
  [
    'outside',
    'its agent has not joined the servers: it is failed there',
    ofQuorum(inPool({ status: 'failed' })),
  ],
  [
    'outside',
    'its agent has not joined the servers: it is known there by the address 10.0.1.77, not 10.0.1.1',
    ofQuorum(inPool({ ip: '10.0.1.77' })),
  ],
  [
    'outside',
    'its agent has not joined the servers: it is not known there',
    ofQuorum(inPool({ name: 'another' })),
  ],
  [
    'tls',
    "the log of consul-server-0 says of it: tls: client didn't provide a certificate from=10.0.1.1:5",
    witnessSymptom(
      subject,
      '10.0.1.1',
      'consul-server-0',
      log("tls: client didn't provide a certificate from=10.0.1.1:5"),
    ),
  ],
];

/** One line that each cause in a log is known by. */
const LINES: Partial<Record<FailureReason, string>> = {
  'gossip-key': 'No installed keys could decrypt the message',
  'wrong-datacenter': "Member 'x' part of wrong datacenter 'dc2'",
  'stale-data': 'refusing to rejoin cluster because server has been offline',
  'data-lost': 'consul-deploy: not started: the data directory is empty',
  'disk-full': 'write /consul/data/raft: no space left on device',
  'node-conflict': 'minority in name conflict resolution',
  tls: 'x509: certificate signed by unknown authority',
  'acl-denied': 'Coordinate update blocked by ACLs',
  'invalid-config': 'failed to parse /consul/config/a.json',
  storage: 'mkdir /consul/data/raft: permission denied',
};

test.each(ROWS)('a symptom of %s says: %s', (reason, what, seen) => {
  const said = [seen ?? []].flat().map((symptom) => [symptom.reason, symptom.what]);
  expect(said).toContainEqual([reason, what]);
});

test.each(Object.entries(LINES))('a log that says why, for %s, is quoted: %s', (reason, line) => {
  const role = reason === 'node-conflict' ? 'client' : 'server';
  const found = logSymptom({ ...subject, role }, log(line), true);
  expect(found).toMatchObject({ reason, what: `its log says: ${line}` });
});

test('every cause that a log can name has its line here', () => {
  expect(Object.keys(LINES).sort()).toEqual([...new Set(CAUSES.map(({ reason }) => reason))].sort());
});
