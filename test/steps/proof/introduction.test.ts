import { beforeEach, describe, expect, it } from 'vitest';
import type { ConsulClient } from '../../../src/consul/client.ts';
import type { ServerEvidence } from '../../../src/consul/quorum/evidence.ts';
import type { PodView } from '../../../src/rollout/pod.ts';
import type { Agents } from '../../../src/session/agents.ts';
import type { Expectation } from '../../../src/session/expectation.ts';
import { Introductions } from '../../../src/steps/proof/introduction.ts';
import { clientOf, fakeConsul } from '../../consul/fake-consul.ts';

const signal = new AbortController().signal;

const pod = (name: string, ip: string, phase = 'Running'): PodView => ({
  name,
  ip,
  phase,
  uid: `uid-${name}`,
  ready: false,
  terminating: false,
  restarts: 0,
  containers: [],
  scheduled: true,
  labels: {},
});

const servers = [pod('s0', '10.0.0.1'), pod('s1', '10.0.0.2')];
const client = pod('c0', '10.0.0.9');

const expectation = (joining: readonly PodView[], clientPods = [client]): Expectation => ({
  pods: servers,
  clientPods,
  joining,
  absent: [],
  servers: [],
  datacenter: 'dc1',
});

const sees = (name: string, ...ips: string[]): ServerEvidence => ({
  name,
  denied: [],
  errors: {},
  members: ips.map((ip) => ({
    name: ip,
    ip,
    status: 'alive',
    role: 'client',
    datacenter: 'dc1',
    version: '',
  })),
});

describe('a run that introduces agents to servers', () => {
  let asked: string[];
  let agents: Agents;

  beforeEach(async () => {
    asked = [];
    const clients = new Map<string, ConsulClient>();
    for (const { name } of servers) {
      const fake = await fakeConsul(({ path }) => {
        asked.push(`${name} ${path.replace('/v1/agent/join/', '')}`);
        return { body: null };
      });
      clients.set(name, clientOf(fake, name));
    }
    agents = { client: ({ name }: PodView) => clients.get(name) } as unknown as Agents;
  });

  const after = async (count: number) => {
    await expect.poll(() => asked.length).toBe(count);
    return [...asked].sort();
  };

  it('gives an agent time to join by itself, then one server joins it', async () => {
    const introductions = new Introductions(agents);
    const expected = expectation([...servers, client]);
    const evidence = [sees('s0', '10.0.0.1', '10.0.0.2'), sees('s1', '10.0.0.1', '10.0.0.2')];
    introductions.consider(expected, evidence, 0, signal);
    introductions.consider(expected, evidence, 1_000, signal);
    introductions.consider(expected, evidence, 1_500, signal);
    expect(await after(1)).toEqual(['s0 10.0.0.9']);
  });

  it('lets every server join the servers it does not know', async () => {
    const introductions = new Introductions(agents);
    const expected = expectation(servers, []);
    const evidence = [sees('s0', '10.0.0.1'), sees('s1', '10.0.0.2')];
    introductions.consider(expected, evidence, 0, signal);
    introductions.consider(expected, evidence, 2_000, signal);
    expect(await after(2)).toEqual(['s0 10.0.0.2', 's1 10.0.0.1']);
  });

  it('leaves alone whoever is a member, does not run, or would not join by itself', async () => {
    const introductions = new Introductions(agents);
    const starting = pod('c1', '10.0.0.8', 'Pending');
    const member = pod('c2', '10.0.0.7');
    const stranger = pod('c3', '10.0.0.6');
    const expected = expectation([starting, member, client], [starting, member, stranger, client]);
    const evidence = [sees('s0', '10.0.0.7')];
    introductions.consider(expected, evidence, 0, signal);
    introductions.consider(expected, evidence, 2_000, signal);
    expect(await after(1)).toEqual(['s0 10.0.0.9']);
  });
});
