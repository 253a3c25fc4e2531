import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { ServerEvidence } from '../../src/consul/quorum/evidence.ts';
import { type ExpectedCluster, judgeQuorum } from '../../src/consul/quorum/quorum.ts';
import { apiSymptom } from '../../src/diagnosis/api.ts';
import { HIDING_MS } from '../../src/diagnosis/classifier.ts';
import { ENDS, ENDS_OUT_OF_MEMORY, PAUSE_BEFORE_ENDS_S } from '../../src/diagnosis/crash.ts';
import { electionSymptom, RESTLESS_TERMS } from '../../src/diagnosis/election.ts';
import { creationSymptom } from '../../src/diagnosis/event.ts';
import { CAUSES, HELD_MS, logSymptom, SAID_MS, witnessSymptom } from '../../src/diagnosis/log.ts';
import { podSymptoms, UNSTEADY_LOSSES, unsteadySymptom } from '../../src/diagnosis/pod.ts';
import { QUORUM_GRACE, quorumSymptoms } from '../../src/diagnosis/quorum.ts';
import { heldBackSymptom } from '../../src/diagnosis/revision.ts';
import { smokeSymptom } from '../../src/diagnosis/smoke.ts';
import { GRACE, type Symptom } from '../../src/diagnosis/symptom.ts';
import { FAILURE_REASONS } from '../../src/failure.ts';
import type { EventView } from '../../src/kubernetes/event.ts';
import type { ContainerView } from '../../src/rollout/container.ts';
import type { PodView } from '../../src/rollout/pod.ts';
import { cluster, expected, healthy, lone, members } from '../consul/healthy-cluster.ts';
import { pod } from '../rollout/fixture.ts';
import { ailing, container, context, event, subject, waiting } from './fixture.ts';

const page = readFileSync('docs/troubleshooting.md', 'utf8');
const sections = [...page.matchAll(/^## (.*)$/gm)].map(([, title = '']) => title);
const graces = page.split('## How long it waits before it says so')[1]?.split('\n## ')[0] ?? '';
const rows = [...graces.matchAll(/^\| (?!Signal|---)(.*) \|$/gm)].map(([, row = '']) => row.split(' | '));

test('every reason has a section, in the order of the list', () => {
  const words: readonly string[] = FAILURE_REASONS;
  expect(sections.filter((title) => words.includes(title))).toEqual(words);
});

const NOT_STARTED =
  'consul-deploy: not started: the data directory is empty, and too few servers say who votes.';
const BUDGET_MS = 4_000;

function ofPod(change: Partial<PodView>, events: EventView[] = []): Symptom[] {
  return podSymptoms(ailing(change), context({ events, budget: { readyMs: BUDGET_MS, startMs: BUDGET_MS } }));
}
const ofContainer = (one: ContainerView) => ofPod({ containers: [one] });
const unscheduled = (why: string, events: EventView[] = []) =>
  ofPod({ scheduled: false, unschedulable: `0/3 nodes are available: ${why}.` }, events);
const unmounted = (message: string) =>
  ofPod({ containers: [waiting('ContainerCreating')] }, [event('FailedMount', message)]);
const unclaimed = (reason: string) => {
  const claims = [{ name: 'data-consul-server-0', events: [event(reason, 'why')] }];
  return podSymptoms(ailing({ scheduled: false }), context({ claims }));
};
const refused = (message: string) => [creationSymptom(subject, [event('FailedCreate', message)])];
const ended = (ends: number, reason: string) =>
  ofContainer(container({ restarts: ends - 1, ended: { reason, exitCode: 1, message: '' } }));

const servers = [0, 1, 2].map((at) => pod(`consul-server-${at}`, { ip: `10.0.0.${at + 1}` }));
const client = pod('consul-client-1', { ip: '10.0.1.2' });
function ofQuorum(evidence: ServerEvidence[], wanted: Partial<ExpectedCluster> = {}): Symptom[] {
  const findings = judgeQuorum(evidence, { ...expected, ...wanted });
  const clients = new Map([[client.name, client]]);
  return quorumSymptoms({ evidence, findings, servers, clients, allClients: true });
}
function withoutService(): Symptom[] {
  const evidence = cluster();
  const findings = judgeQuorum(evidence, {
    ...expected,
    servers: servers.map(({ name }) => ({ name, ip: '', ofService: true as const })),
  });
  const moved = servers.map((one) => ({ ...one, ip: '', advertisesService: true as const }));
  return quorumSymptoms({ evidence, findings, servers: moved, clients: new Map(), allClients: true }).slice(
    0,
    1,
  );
}
const pair = [healthy(0), healthy(1)];
const every = (change: Partial<ServerEvidence>) => cluster().map((said) => ({ ...said, ...change }));
const silent: ServerEvidence = { name: 'consul-server-2', denied: [], errors: {} };
const unhealthy = { healthy: false, failureTolerance: 0, servers: [] };

const ALL = { ...GRACE, ...QUORUM_GRACE, said: SAID_MS, held: HELD_MS, noLimit: Number.POSITIVE_INFINITY };

/** Words of a row's signal, the grace it has to tell, and troubles that are to show it. */
const TOLD: [signal: RegExp, grace: keyof typeof ALL, shown: (Symptom | undefined)[]][] = [
  [/^`InvalidImageName`/, 'invalidImage', ofContainer(waiting('InvalidImageName'))],
  [/^`ErrImagePull`/, 'refusedImage', ofContainer(waiting('ErrImagePull', 'not found'))],
  [/no such host/, 'unknownRegistry', ofContainer(waiting('ErrImagePull', 'lookup r.test: no such host'))],
  [
    /nobody listens/,
    'closedRegistry',
    ofContainer(waiting('ErrImagePull', 'dial tcp 10.0.0.1:443: connect: connection refused')),
  ],
  [/^the same with any other/, 'unreachableImage', ofContainer(waiting('ErrImagePull', '429'))],
  [
    /^the image is on its way/,
    'noLimit',
    ofPod({ containers: [waiting('ContainerCreating')] }, [event('Pulling', 'Pulling image')]),
  ],
  [/^`CreateContainerError`/, 'brokenContainer', ofContainer(waiting('RunContainerError'))],
  [
    /about a ConfigMap/,
    'missingReference',
    ofContainer(waiting('CreateContainerConfigError', 'secret "a" not found')),
  ],
  [/for the same cause/, 'missingReference', unmounted('configmap "a" not found')],
  [/about anything else/, 'missingReference', ofContainer(waiting('CreateContainerConfigError'))],
  [
    /no network or sandbox/,
    'unknown',
    ofPod({ containers: [waiting('ContainerCreating')] }, [event('FailedCreatePodSandBox', 'cni')]),
  ],
  [/^a container waits/, 'unknown', ofContainer(waiting('OutOfLuck'))],
  [
    /fills its cache/,
    'noLimit',
    ofContainer(waiting('CreateContainerConfigError', 'failed to sync secret cache')),
  ],
  [new RegExp(`ended ${ENDS} times .* after ${PAUSE_BEFORE_ENDS_S} s`), 'crash', ended(ENDS, 'Error')],
  [new RegExp(`memory ${ENDS_OUT_OF_MEMORY} times`), 'crash', ended(ENDS_OUT_OF_MEMORY, 'OOMKilled')],
  [/ended less often/, 'noLimit', [...ended(ENDS - 1, 'Error'), ...ended(1, 'OOMKilled')]],
  [/^no node fits: labels/, 'unfitNodes', unscheduled('3 node(s) had untolerated taint {a: b}')],
  [/lack processor/, 'fullNodes', unscheduled('3 Insufficient cpu')],
  [/are cordoned/, 'absentNodes', unscheduled('3 node(s) were unschedulable')],
  [
    /^a scheduling gate/,
    'absentNodes',
    ofPod({ scheduled: false, unschedulable: 'blocked due to non-empty scheduling gates' }),
  ],
  [/an autoscaler/, 'noLimit', unscheduled('3 Insufficient cpu', [event('TriggeredScaleUp', '')])],
  [/claim is not found/, 'refusedVolume', unscheduled('persistentvolumeclaim "data" not found')],
  [/is not bound yet/, 'slowVolume', unclaimed('ExternalProvisioning')],
  [/`ProvisioningFailed`/, 'slowVolume', unclaimed('ProvisioningFailed')],
  [/for any other cause/, 'slowVolume', unmounted('timed out')],
  [/`Multi-Attach error`/, 'noLimit', unmounted('Multi-Attach error for volume')],
  [/a quota, Pod Security/, 'refusedPod', refused('exceeded quota')],
  [/a webhook or the API server/, 'webhookDown', refused('failed calling webhook')],
  [/update strategy/, 'heldBack', [heldBackSymptom(subject, 'one pod')]],
  [/^the node of the pod/, 'lostNode', ofPod({ evicted: 'Evicted' })],
  [/^all containers run/, 'notReady', ofContainer(container({ running: true, started: true }))],
  [
    new RegExp(`readiness ${UNSTEADY_LOSSES} times`),
    'unsteady',
    [unsteadySymptom(ailing(), 'client', Array(UNSTEADY_LOSSES).fill(0))],
  ],
  [/^a server has lost its data/, 'held', [logSymptom({ ...subject, role: 'server' }, NOT_STARTED, false)]],
  [/^the log of an agent/, 'said', [logSymptom(subject, 'no space left on device', true)]],
  [
    /^the log of a server says/,
    'said',
    [
      witnessSymptom(
        subject,
        '10.0.1.1',
        'consul-server-0',
        'Non-TLS connection attempted with VerifyIncoming set: conn=from=10.0.1.1:4',
      ),
    ],
  ],
  [
    /has its name/,
    'cutOff',
    [logSymptom({ ...subject, role: 'client' }, 'Node name conflicts with another node', true)],
  ],
  [/its Service has not/, 'configured', withoutService()],
  [/several leaders/, 'split', ofQuorum([0, 1, 2].map(lone))],
  [/^no server knows/, 'noLeader', ofQuorum(every({ leader: '' }))],
  [/^a server knows no leader/, 'cutOff', ofQuorum([...pair, healthy(2, { leader: '' })])],
  [/agent does not answer/, 'noLeader', ofQuorum([...pair, silent])],
  [
    /alive member$/,
    'outside',
    ofQuorum(every({ members: members().filter(({ name }) => name !== client.name) })),
  ],
  [/^a smoke test/, 'smoke', [smokeSymptom(subject, 'Key/value', 'no answer')]],
  [/^ACLs hide/, 'denied', ofQuorum(every({ members: [], denied: ['members'] }))],
  [/another version/, 'configured', ofQuorum(cluster(), { version: '1.23.0' })],
  [/another datacenter/, 'configured', ofQuorum(cluster(), { datacenter: 'dc9' })],
  [/^the API server has/, 'silentApi', [apiSymptom('no answer')]],
  [new RegExp(`^no leader lasts: ${RESTLESS_TERMS} elections`), 'other', [electionSymptom(RESTLESS_TERMS)]],
  [/^any other check/, 'other', ofQuorum(every({ autopilot: unhealthy }))],
];

/** `90 s`, `2 min`, as the table writes it. */
function written(ms: number): string {
  if (ms === 0) return 'none';
  if (ms === ALL.noLimit) return 'no limit';
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : `${ms / 1000} s`;
}

const linked = (cell = '') => [...cell.matchAll(/\[`([\w-]+)`\]\(#\1\)/g)].map(([, reason]) => reason);

test.each(TOLD)('the table tells the grace of %s', (signal, name, shown) => {
  const [row, ...more] = rows.filter(([words = '']) => signal.test(words));
  expect(more).toEqual([]);
  const [, reasons, kind, grace] = row ?? [];
  expect(grace?.replace('what its probes allow, and ', '')).toBe(written(ALL[name]));
  const found = shown.flatMap((one) => (one && linked(reasons).includes(one.reason) ? [one] : []));
  expect(found).not.toEqual([]);
  for (const one of found) {
    const probes = name === 'notReady' ? BUDGET_MS : 0;
    expect([one.class, one.graceMs - probes]).toEqual([kind, ALL[name]]);
  }
});

test('the table tells all graces and nothing else', () => {
  expect(new Set(TOLD.map(([, name]) => name))).toEqual(new Set(Object.keys(ALL)));
  const others = rows.filter(([words = '']) => !TOLD.some(([signal]) => signal.test(words)));
  expect(others.map(([, reason]) => linked(reason))).toEqual([['stalled']]);
});

test('the table tells all causes that a log may name, and how long a signal may hide', () => {
  const [, reasons] = rows.find(([words = '']) => words.includes('the log of an agent')) ?? [];
  expect(new Set(linked(reasons))).toEqual(
    new Set(CAUSES.filter(({ graceMs }) => graceMs === undefined).map(({ reason }) => reason)),
  );
  expect(graces).toContain(`for more than ${written(HIDING_MS)}, starts again`);
});

const toldOf = (reason: string) =>
  rows.filter(([, reasons]) => linked(reasons).includes(reason)).map(([, , , grace = '']) => grace);

test.each(sections.filter((title) => toldOf(title).length > 0))('%s says no other times', (reason) => {
  const section = page.split(`\n## ${reason}\n`)[1]?.split('\n| Likely cause')[0] ?? '';
  const said = section.matchAll(
    /[Ss]aid (?:again )?after (\d+ (?:s|min))|[Ss]aid (\d+ (?:s|min)) after|\((\d+ (?:s|min))\)/g,
  );
  const times = [...said].map(([, ...found]) => found.find((time) => time !== undefined));
  expect(toldOf(reason)).toEqual(expect.arrayContaining(times));
});
