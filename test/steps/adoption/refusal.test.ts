import { describe, expect, it } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import type { AgentFacts } from '../../../src/consul/agent/facts.ts';
import type { Finding } from '../../../src/consul/quorum/finding.ts';
import { Failure } from '../../../src/failure.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { type OldAgent, obstaclesTo, type Survey } from '../../../src/steps/adoption/obstacle.ts';
import { refuse, refuseDaemonSet, remarksOn } from '../../../src/steps/adoption/refusal.ts';
import type { OldPod, Takeover } from '../../../src/steps/adoption/takeover.ts';
import { config } from '../../session/fixture.ts';

type Role = Takeover['role'];

const set = (role: Role, replicas: number): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: `consul-${role}`, namespace: 'consul' },
  spec: { replicas, selector: { matchLabels: { app: 'consul', 'consul-role': role } } },
});

const pod = (role: Role, ordinal: number, change: Partial<OldPod> = {}): OldPod => ({
  name: `consul-${role}-${ordinal}`,
  uid: `${role}-${ordinal}`,
  ordinal,
  ip: `10.0.0.${ordinal}`,
  running: true,
  terminating: false,
  labels: { app: 'consul', 'consul-role': role },
  orphan: false,
  ours: false,
  container: 'consul',
  leaves: true,
  ...change,
});

function takeover(role: Role, running: number, change: Partial<Takeover> = {}): Takeover {
  const desired = set(role, role === 'server' ? 3 : 10);
  return {
    role,
    planned: {
      desired,
      live: set(role, running),
      predicted: desired,
      action: 'recreate',
      force: false,
      unverified: false,
    },
    state: 'fresh',
    pods: Array.from({ length: running }, (_, ordinal) => pod(role, ordinal)),
    ...change,
  };
}

const FACTS: AgentFacts = {
  name: 'consul-client-0',
  version: '1.22.7',
  datacenter: 'dc1',
  domain: 'consul',
  dataDir: '/consul/data',
  acls: false,
  encrypted: false,
  verifiesCertificates: false,
  dialsWithTls: false,
  announcesTls: false,
  autoEncrypts: false,
  certificateFile: '',
  httpAddresses: [],
  leavesOnTerminate: false,
};

const agent = (change: Partial<AgentFacts> = {}, more: Partial<OldAgent> = {}): OldAgent => ({
  role: 'client',
  pod: pod('client', 0),
  facts: { ...FACTS, ...change },
  holds: 0,
  obstacles: [],
  ...more,
});

const strict = agent({ encrypted: true }, { gossip: 'strict' });

const finding = (id: Finding['id'], passed: boolean): Finding => ({
  id,
  passed,
  title: 'Leader',
  expected: '',
  observed: 'no leader: consul-server-0 sees 1 server, needs 2 votes of 3',
});

function told(survey: Partial<Survey>, change = {}): string[] {
  const full = { takeovers: [takeover('server', 3)], agents: [agent()], findings: [], ...survey };
  return obstaclesTo(config(change), full).map(({ what, cure }) => `${what} | ${cure}`);
}

describe('a takeover is refused for', () => {
  it('nothing, when the cluster is as it should be', () => {
    const takeovers = [takeover('server', 3), takeover('client', 10)];
    expect(told({ takeovers, findings: [finding('quorum-leader', true)] })).toEqual([]);
  });

  it.each([
    ['a single server', 1, /a single server has no others to keep the data.*snapshot save/],
    ['two servers', 2, /2 servers have no others/],
    ['another number of servers', 5, /5 servers run and `servers` is 3 \|.*`servers: 5`/],
  ])('%s', (_, running, words) => {
    expect(told({ takeovers: [takeover('server', running)] })).toEqual([expect.stringMatching(words)]);
  });

  it('fewer clients than hold registrations, not for more', () => {
    expect(told({ takeovers: [takeover('client', 12)] })).toEqual([
      expect.stringMatching(/12 clients run and `client-replicas` is 10.*`client-replicas: 12`/),
    ]);
    expect(told({ takeovers: [takeover('client', 2)] })).toEqual([]);
  });

  it('pods that the new selector would not find', () => {
    const pods = [pod('server', 0, { labels: { app: 'consul' } }), pod('server', 1), pod('server', 2)];
    expect(told({ takeovers: [takeover('server', 3, { pods })] })).toEqual([
      expect.stringMatching(/^consul-server-0 do not have the labels.*another `name`/),
    ]);
    expect(told({ takeovers: [takeover('server', 3, { pods: [] })] })).toEqual([
      expect.stringMatching(/^consul-server has no pods with the labels/),
    ]);
  });

  it.each(['quorum-leader', 'quorum-voters', 'quorum-tolerance', 'quorum-datacenter'] as const)(
    'the quorum: %s',
    (id) => {
      expect(told({ findings: [finding(id, false)] })).toEqual([expect.stringContaining('no leader')]);
    },
  );

  it('no quorum check that clients and versions may fail on the way', () => {
    const findings = [finding('quorum-members', false), finding('quorum-version', false)];
    expect(told({ findings })).toEqual([]);
  });

  it.each([
    ['ACLs', { acls: true }, /ACLs are on at consul-client-0/],
    ['gossip that was not seen to be encrypted', { encrypted: true }, /gossip has a key at consul-client-0/],
    [
      'certificates, where the new agents have none',
      { verifiesCertificates: true, dialsWithTls: true },
      /have to show certificates at consul-client-0, and the new ones have none \|.*`tls-secret: /,
    ],
    ['another datacenter', { datacenter: 'dc2' }, /in datacenter dc2, not dc1/],
    ['a version too old', { version: '1.19.9' }, /1\.19\.9 runs there, and 1\.20 is the oldest/],
    ['the original version', { version: '1.4.2' }, /1\.4\.2 runs there/],
    ['a newer version', { version: '1.23.0' }, /1\.23\.0 runs there, which is newer than the 1\.22\.7/],
  ])('%s', (_, facts, words) => {
    expect(told({ agents: [agent(facts)] })).toEqual([expect.stringMatching(words)]);
  });

  it.each<[string, Partial<Config>, OldAgent[], number]>([
    ['none where all agents take nothing else', {}, [strict], 0],
    ['one that takes plaintext, too', {}, [agent({ encrypted: true }, { gossip: 'takes-both' })], 1],
    ['one that has no key', {}, [strict, agent()], 1],
    ['an input that ends it', { gossipEncryption: 'false' }, [strict], 1],
    [
      'a key in the configuration',
      { clientConfig: { format: 'json', text: '{"encrypt":"x"}' } },
      [strict],
      1,
    ],
  ])('with gossip that is encrypted: %s', (_, change, agents, obstacles) => {
    expect(obstaclesTo(config(change), { takeovers: [], agents, findings: [] })).toHaveLength(obstacles);
  });

  it.each([['1.20.0'], ['1.22.7+ent'], ['1.9.17', 'refused'], ['1.22.10', 'refused']])(
    'versions by number: %s',
    (version, refused?: string) => {
      expect(told({ agents: [agent({ version })] })).toHaveLength(refused ? 1 : 0);
    },
  );

  it('no version that the image does not tell', () => {
    const agents = [agent({ version: '1.99.0' })];
    expect(told({ agents }, { image: 'registry.test/consul@sha256:abc' })).toEqual([]);
  });

  it('agents that do not tell, and registrations that cannot be carried', () => {
    const agents = [
      { ...agent(), silence: 'no answer within 10 s' },
      agent({}, { obstacles: ['check c: it runs in the pod of its agent (ScriptArgs), which is replaced'] }),
    ];
    expect(told({ agents })).toEqual([
      expect.stringMatching(/does not tell what is registered there: no answer/),
      expect.stringMatching(/consul-client-0: check c: it runs in the pod/),
    ]);
  });

  it('none of the numbers, once it has begun: what is there is what it has come to', () => {
    const takeovers = [takeover('server', 2, { state: 'unfinished' })];
    expect(told({ takeovers })).toEqual([]);
  });
});

it('a takeover of client agents on every node is refused: nobody moves their pods', () => {
  const desired = { ...set('client', 1), kind: 'DaemonSet' };
  const shape = { desired, predicted: desired, live: desired, force: false, unverified: false };
  const foreign = { ...shape, action: 'change', adopting: 'if-unowned' } as const;
  expect(() => refuseDaemonSet([foreign])).toThrow(/agents of DaemonSet\/consul-client would be replaced/);
  expect(() => refuseDaemonSet([{ ...shape, action: 'change' }])).not.toThrow();
  expect(() => refuseDaemonSet([{ ...foreign, action: 'none' }])).not.toThrow();
  expect(() => refuseDaemonSet([takeover('client', 10).planned])).not.toThrow();
});

it('a refusal tells all obstacles, the gravest first', () => {
  const obstacles = [
    { what: 'no leader', cure: 'Mend it.' },
    { what: 'ACLs are on', cure: 'Turn them off.' },
  ];
  expect(() => refuse(obstacles)).toThrow(Failure);
  try {
    refuse(obstacles);
  } catch (error) {
    expect(error).toMatchObject({
      reason: 'adoption',
      what: 'the cluster that runs there cannot be taken over: no leader',
      hint: 'Nothing was changed. Mend it. Turn them off.',
      details: ['no leader', 'ACLs are on'],
    });
  }
  expect(() => refuse([])).not.toThrow();
});

it('what changes and is no obstacle is a remark', () => {
  expect(remarksOn(config(), [agent()], 0)).toEqual([]);
  const remarks = remarksOn(config(), [agent({ domain: 'cluster.local' })], 2);
  expect(remarks[0]).toMatch(/from cluster\.local to consul.*`domain: cluster\.local`/);
  expect(remarks[1]).toMatch(/^2 sessions end/);
});
